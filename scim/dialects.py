"""What identity providers do differently from the RFCs: one function for each deviation, the vendor's page cited.

Nobody asks *who* the client is: a deviation is recognised by its shape, and is accepted from everybody.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from scim.schemas import CORE_GROUP, CORE_USER, ENTERPRISE_USER, Place, ResourceSchemas

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_ALIASES = {
    # OneLogin's editable JSON templates, https://scim.dev/guide/applications/onelogin.html
    "urn:scim:schemas:core:2.0:user": CORE_USER,
    "urn:scim:schemas:core:2.0:group": CORE_GROUP,
    "urn:scim:schemas:core:2.0": "",
    "urn:scim:schemas:extension:enterprise:2.0:user": ENTERPRISE_USER,
    "urn:scim:schemas:extension:enterprise:2.0": ENTERPRISE_USER,
    # Entra ID's own documentation misspells it,
    # entra-docs (github.com/MicrosoftDocs) app-provisioning/use-scim-to-provision-users-and-groups.md
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0user": ENTERPRISE_USER,
}


def canonical_urn(name: str) -> str:
    """`name` with a legacy or misspelt URN at its start replaced by the RFC's.

    Entra jobs older than December 2018 put a dot between the URN and the attribute
    (entra-docs `app-provisioning/application-provisioning-config-problem-scim-compatibility.md`).
    """
    folded = name.lower()
    if not folded.startswith("urn:"):
        return name
    for alias, urn in _ALIASES.items():
        if folded == alias:
            return urn
        if folded.startswith(alias + ":") and _is_attribute(name[len(alias) + 1 :]):
            return f"{urn}:{name[len(alias) + 1 :]}".removeprefix(":")
    for urn in (ENTERPRISE_USER, CORE_USER, CORE_GROUP):
        if folded.startswith(urn.lower() + "."):
            return f"{urn}:{name[len(urn) + 1 :]}"
    return name


def _is_attribute(text: str) -> bool:
    return ":" not in text and not text[:1].isdigit()


def bare_extension_attribute(schemas: ResourceSchemas, name: str) -> Place | None:
    """Entra names `manager` and other enterprise attributes without their URN.

    entra-docs `use-scim-to-provision-users-and-groups.md` (reference attributes) filters by `manager eq "…"`.
    """
    if name.lower().startswith("urn:") or not schemas.extension(ENTERPRISE_USER):
        return None
    return schemas.resolve(f"{ENTERPRISE_USER}:{name}")


def dot_after_urn(schemas: ResourceSchemas, name: str) -> Place | None:
    """The dot of Entra's old jobs (see `canonical_urn`) behind an extension that the tenant declared."""
    folded = name.lower()
    for extension in schemas.extensions:
        if folded.startswith(extension.id.lower() + "."):
            return schemas.resolve(f"{extension.id}:{name[len(extension.id) + 1 :]}")
    return None


def boolean(value: Any) -> bool | None:
    """Entra sends `"True"` and `"False"` as text, also inside filters; None when it is no boolean at all.

    entra-docs `application-provisioning-config-problem-scim-compatibility.md`.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def text(value: Any) -> Any:
    """Okta's sample bodies write numbers where strings belong (employeeNumber, postalCode, externalId).

    https://developer.okta.com/docs/guides/scim-with-entitlements/
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value


def number(value: Any, *, whole: bool) -> int | float | None:
    """A number, also one written as text; None when it is none, or not whole where it must be.

    No vendor's page says so: it is `boolean`'s leniency, for attributes that tenants declare.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = json.loads(value.strip())
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return int(value) if abs(value) < 2**63 else None


def elements(value: Any) -> list[Any]:
    """OneLogin's templates may send a multi-valued attribute as one object or as a bare string.

    https://developers.onelogin.com/scim/test-your-scim; Entra sends single members the same way
    (https://github.com/AzureAD/SCIMReferenceCode PostmanCollection.json).
    """
    return value if isinstance(value, list) else [value]


def complex_value(value: Any) -> Any:
    """Entra sends the manager as a bare id, as a list of one, or as `""`.

    https://github.com/apache/directory-scimple/issues/1242, entra-docs `use-scim-to-provision-users-and-groups.md`.
    """
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if isinstance(value, str):
        return {"value": value} if value else None
    return value


def manager_id(value: dict[str, Any]) -> dict[str, Any]:
    """OneLogin's enterprise template says `manager.managerId`, SCIM 1.1's name for `manager.value`.

    https://scim.dev/guide/applications/onelogin.html
    """
    if "value" in value or "managerId" not in value:
        return value
    return {**{key: held for key, held in value.items() if key != "managerId"}, "value": value["managerId"]}


def packed_role(element: Any) -> Any:
    """Entra's AppRoleAssignmentsComplex puts a JSON document inside the string `value`: unpack it.

    entra-docs `app-provisioning/customize-application-attributes.md`; https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/516
    """
    packed = element.get("value") if isinstance(element, dict) else None
    if not isinstance(packed, str) or not packed.lstrip().startswith("{"):
        return element
    try:
        inner = json.loads(packed)
    except (ValueError, RecursionError):
        return element
    if not isinstance(inner, dict) or not isinstance(inner.get("value"), str):
        return element
    unpacked = {**element, "value": inner["value"]}
    if isinstance(inner.get("displayName"), str):
        unpacked.setdefault("display", inner["displayName"])
    return unpacked


def member_display(element: dict[str, Any]) -> Any:
    """Entra writes `displayName` where the RFC says `display` (SCIMReferenceCode PostmanCollection.json)."""
    return element.get("display") or element.get("displayname")


def create_when_absent(terms: dict[str, Any] | None) -> bool:
    """Entra and its validator address `emails[type eq "work"].value` before there is one, and expect it to be made.

    RFC 7644 §3.5.2.3 says noTarget; erratum 8097 records the gap for add;
    https://github.com/thomaspoignant/scim-patch/issues/187. It is made only when the filter is nothing but `eq` terms.
    """
    return bool(terms)


def remove_by_value(value: Any) -> bool:
    """Entra removes members with `path: "members"` and the members in `value`, not in the path.

    By the letter of RFC 7644 §3.5.2.2 the whole group would go; https://github.com/MicrosoftDocs/azure-docs/issues/30826
    """
    return value is not None


def projection_name(name: str) -> str:
    """Microsoft's collection asks for `attributes=emails[type eq "work"]`: the attribute before the bracket is meant.

    https://github.com/AzureAD/SCIMReferenceCode PostmanCollection.json
    """
    return name.partition("[")[0].strip()
