"""Names and values in an assertion: whole texts, exactly as signed, never trimmed into somebody else's."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sso import xml
from sso.errors import SignInError
from sso.saml_names import saml
from sso.xml import Element, children, local

LONGEST_NAME_ID: Final = 256  # characters (Core §8.3.7)


@dataclass(frozen=True, slots=True)
class NameId:
    """A NameID with what qualifies it."""

    subject: str
    format: str | None
    name_qualifier: str | None
    sp_name_qualifier: str | None


def name_id(element: Element, our_entity_id: str) -> NameId:
    """The NameID of a subject.

    Raises:
        SignInError: `subject`, it is empty, long, looks like another one, or is meant for another service provider.
    """
    value = xml.text(element, "subject")
    if not value.strip():
        raise SignInError("subject", "NameID: expected a value, found nothing or blanks")
    if len(value) > LONGEST_NAME_ID:
        raise SignInError("subject", f"NameID: expected at most {LONGEST_NAME_ID} characters, found {len(value)}")
    if value != value.strip() or not all(_is_plain(character) for character in value):
        raise SignInError("subject", f"NameID: found odd white space or invisible characters: {value[:80]!r}")
    qualifier = element.get("SPNameQualifier") or None
    if qualifier is not None and qualifier != our_entity_id:
        raise SignInError("subject", f"SPNameQualifier: expected {our_entity_id}, found {qualifier[:120]}")
    return NameId(value, element.get("Format") or None, element.get("NameQualifier") or None, qualifier)


def _is_plain(character: str) -> bool:
    """No control, direction mark, joiner, private or unassigned character, and no space but the plain one."""
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def attributes(assertion: Element) -> Mapping[str, tuple[str, ...]]:
    """All values by name, in order; those of a name that stands twice are merged; blank ones are left out.

    Raises:
        SignInError: `attributes`, a value is neither text nor a NameID: which of its texts would be meant?
    """
    found: dict[str, list[str]] = {}
    for statement in children(assertion, saml("AttributeStatement")):
        for attribute in children(statement, saml("Attribute")):
            values = found.setdefault(attribute.get("Name") or "", [])
            values += [_value(each) for each in children(attribute, saml("AttributeValue"))]
    return {name: tuple(value for value in values if value.strip()) for name, values in found.items() if name}


def _value(element: Element) -> str:
    if not len(element):
        return element.text or ""
    if len(element) == 1 and element[0].tag == saml("NameID") and xml.is_blank(element):
        return xml.text(element[0], "attributes")  # eduPersonTargetedID
    raise SignInError("attributes", f"AttributeValue: expected text or a NameID, found {local(element[0])[:80]}")
