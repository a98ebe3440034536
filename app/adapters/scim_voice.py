"""What a SCIM User says in the account's terms.

    document ──▶ name.*, emails[type], enterprise.* ──▶ Spoken (attributes, managers, roles, active)

A SCIM source says a value or is silent: absent, null, "" and [] are one state (RFC 7643 §2.5), never "empty". Value
maps and ownership are the core's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from app.identity.folding import fold, spelled
from app.identity.model import ManagerRef, Source
from app.identity.writes import Spoken
from scim.schemas import ENTERPRISE_USER


def _alike(*names: str) -> Mapping[str, str]:
    return {name: name for name in names}


# Name in the document -> attribute of the account.
_CORE: Final = _alike(
    "userName",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
)
_NAME: Final = {
    "formatted": "formattedName",
    "givenName": "givenName",
    "middleName": "middleName",
    "familyName": "familyName",
    "honorificPrefix": "honorificPrefix",
    "honorificSuffix": "honorificSuffix",
}
_ENTERPRISE: Final = _alike("employeeNumber", "costCenter", "organization", "division", "department")
_ADDRESS: Final = _alike("formatted", "streetAddress", "locality", "region", "postalCode", "country")


def spoken(document: Mapping[str, Any], source: Source) -> Spoken:
    """The voice of a normalised SCIM User document. A missing `active` is a yes; a missing manager is silence."""
    enterprise = _object(document.get(ENTERPRISE_USER))
    values = dict(_texts(document, _CORE))
    values |= _texts(_object(document.get("name")), _NAME)
    values |= _texts(enterprise, _ENTERPRISE)
    for attribute in ("emails", "phoneNumbers"):
        values |= _by_type(attribute, document.get(attribute), lambda element: spelled(element.get("value")))
    values |= _by_type("addresses", document.get("addresses"), _address)
    return Spoken(
        active=document.get("active") is not False,
        values=values,
        managers=_managers(enterprise.get("manager"), source),
        roles=_words(document.get("roles")),
        entitlements=_words(document.get("entitlements")),
    )


def _texts(holder: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, attribute in names.items():
        if name in holder and (text := spelled(holder[name])) is not None:
            yield attribute, text


def _by_type(attribute: str, listed: Any, read: Callable[[Mapping[str, Any]], Any]) -> dict[str, Any]:
    """One attribute a type, `emails.work`; of two elements of one type the primary, else the first, is heard.

    Without a type, the primary or only element is taken for the one at work if there is no such one, else for `other`.
    """
    elements = [element for element in listed if isinstance(element, Mapping)] if isinstance(listed, list) else []
    heard: dict[str, Any] = {}
    for element in sorted(elements, key=lambda element: (not _type(element), element.get("primary") is not True)):
        leading = (len(elements) == 1 or element.get("primary") is True) and f"{attribute}.work" not in heard
        name = _type(element) or ("work" if leading else "other")
        if value := read(element):
            heard.setdefault(f"{attribute}.{name}", value)
    return heard


def _type(element: Mapping[str, Any]) -> str:
    return fold(spelled(element.get("type")) or "")


def _address(element: Mapping[str, Any]) -> dict[str, str]:
    return dict(_texts(element, _ADDRESS))


def _managers(manager: Any, source: Source) -> tuple[ManagerRef, ...] | None:
    """The manager by every key that the value can be: an id of this source, an employee number, an address."""
    value = spelled(_object(manager).get("value"))
    if value is None:
        return None
    keys = []
    if record := _id(value):
        keys.append(("record", record))
    if source.employee_namespace:
        keys.append((f"employee:{source.employee_namespace}", fold(value)))
    if "@" in value:
        keys.append(("email", fold(value)))
    return (ManagerRef(tuple(keys)),) if keys else None


def _id(text: str) -> str | None:
    try:
        canonical = str(UUID(text))
    except ValueError:
        return None
    return canonical if canonical == text.lower() else None


def _words(listed: Any) -> frozenset[str]:
    """Folded values of a multi-valued attribute, as role mappings meet them."""
    elements = listed if isinstance(listed, list) else []
    texts = (spelled(element.get("value")) for element in elements if isinstance(element, Mapping))
    return frozenset(fold(text) for text in texts if text)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
