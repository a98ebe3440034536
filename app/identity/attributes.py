"""The attributes of an account, and who owns each one until the tenant says otherwise.

E-mails, phone numbers and addresses are owned per type: `emails.work` and `emails.home` are two attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.identity.model import OwnershipRule

SINGLE: Final = (
    "userName",
    "displayName",
    "formattedName",
    "givenName",
    "middleName",
    "familyName",
    "honorificPrefix",
    "honorificSuffix",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "employmentStatus",
    "startDate",
    "endDate",
    "manager",
)
PER_TYPE: Final = ("emails", "phoneNumbers", "addresses")

_HR_FIRST: Final = OwnershipRule(owners=("hris", "idp", "crm", "login"))
_IDP_FIRST: Final = OwnershipRule(owners=("idp", "hris", "crm", "login"))
_OWNED_BY_HR: Final = frozenset(
    {
        "title",
        "userType",
        "employeeNumber",
        "costCenter",
        "organization",
        "division",
        "department",
        "employmentStatus",
        "startDate",
        "endDate",
        "manager",
    }
)


def family(attribute: str) -> str:
    """The name under which an attribute's owner is looked up: ``emails.work`` -> ``emails``."""
    return attribute.partition(".")[0]


def default_ownership() -> Mapping[str, OwnershipRule]:
    """Attribute family -> owner: HR speaks first about the job, the identity provider about everything else."""
    return {name: _HR_FIRST if name in _OWNED_BY_HR else _IDP_FIRST for name in (*SINGLE, *PER_TYPE)}


def is_known(attribute: str) -> bool:
    """Whether an account can have this attribute."""
    return attribute in SINGLE or (family(attribute) in PER_TYPE and "." in attribute)
