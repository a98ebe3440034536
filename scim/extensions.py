"""Schemas that a tenant declares: a JSON document in the form of RFC 7643 §7 in, a `Schema` out.

    document ──▶ its URN, its attributes one by one ──▶ every complaint at once, with its place ──▶ Schema

What cannot be kept is refused: a promise in `/Schemas` that nobody holds is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, get_args

from scim.definitions import SCHEMA, Attribute, Mutability, Registry, Returned, Schema, Type
from scim.documents import coerce
from scim.errors import ScimError
from scim.schemas import SCHEMAS

LONGEST_URN = 200
LONGEST_NAME = 64
LONGEST_TEXT = 1_000
MOST_ATTRIBUTES = 100
MOST_VALUES = 200
MOST_SCHEMAS = 20

# RFC 8141 allows more signs; a filter and a PATCH path must be able to name it (RFC 7644 §3.4.2.2).
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9](?::[a-z0-9][a-z0-9._-]*)+", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9$_-]*", re.ASCII)  # ATTRNAME, RFC 7643 §2.1
_RESERVED = (
    *("urn:rollcall:", "urn:scim:schemas:", "urn:ietf:params:scim:api:", "urn:ietf:params:scim:schemas:core:"),
    *("urn:ietf:params:scim:schemas:extension:enterprise:", "urn:okta:scim:schemas:core:"),
)
_WORDS = frozenset(
    ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr", "and", "or", "not", "true", "false", "null"]
)
_TYPES: tuple[str, ...] = get_args(Type)
_KEYS = ("schemas", "id", "name", "description", "attributes", "meta")
_ATTRIBUTE_KEYS = (
    *("name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned", "uniqueness"),
    *("canonicalValues", "referenceTypes", "subAttributes"),
)


class Complaint(NamedTuple):
    """What is wrong with a declaration, and where: `attributes[2].type`."""

    path: str
    message: str


class DeclarationError(ValueError):
    """The document declares no schema that can be kept. `complaints` holds at least one."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(f"{path or 'the document'}: {message}" for path, message in self.complaints))


def declared(document: Any, registry: Registry) -> Schema:
    """The schema that `document` declares, beside those of `registry` (without an older one of the same URN).

    Raises:
        DeclarationError: with every complaint.
    """
    reader = _Reader()
    schema = reader.schema(document, registry)
    if schema is None or reader.complaints:
        raise DeclarationError(reader.complaints)
    return schema


def kept(document: Mapping[str, Any]) -> Schema:
    """The schema of a document that was checked when it was declared: what is stored has to be served."""
    schema = _Reader().schema(document, SCHEMAS)
    assert schema is not None
    return schema


def lost(before: Schema, after: Schema) -> list[str]:
    """The attributes of which a value that fits `before` may not fit `after`."""
    pairs = ((old, after.attribute(old.name)) for old in before.attributes)
    return [old.name for old, new in pairs if not _fits(old, new)]


def _fits(old: Attribute, new: Attribute | None) -> bool:
    if new is None or (old.name, old.multi_valued) != (new.name, new.multi_valued):
        return False
    widened = (old.type, new.type) == ("integer", "decimal")
    return (old.type == new.type or widened) and all(_fits(sub, new.sub(sub.name)) for sub in old.sub_attributes)


def refitted(schema: Schema, held: Mapping[str, Any]) -> dict[str, Any]:
    """What of an extension's stored object fits its schema as it is now; the rest is dropped."""
    found: dict[str, Any] = {}
    for name, value in held.items():
        attribute = schema.attribute(name)
        if attribute is None:
            continue
        with suppress(ScimError):
            fitting = coerce(attribute, value, name, [])
            found |= {attribute.name: fitting} if fitting is not None else {}
    return found


class _Reader:
    """One document while it is being read; it goes on after a complaint."""

    def __init__(self) -> None:
        self.complaints: list[Complaint] = []

    def schema(self, document: Any, registry: Registry) -> Schema | None:
        if not isinstance(document, Mapping):
            self._complain("", "must be a JSON object, as RFC 7643 §7 writes a schema")
            return None
        self._unknown("", document, _KEYS)
        if SCHEMA not in (document.get("schemas") or [SCHEMA]):
            self._complain("schemas", f"must name {SCHEMA}")
        urn = self._urn(document.get("id"), registry)
        name = self._text("name", document.get("name")) or urn.rpartition(":")[2]
        description = self._text("description", document.get("description")) or name
        return Schema(urn, name, description, self._attributes("attributes", document.get("attributes"), None))

    def _urn(self, urn: Any, registry: Registry) -> str:
        if not isinstance(urn, str) or not _URN.fullmatch(urn):
            self._complain(
                "id", "must be a URN of letters, digits, '.', '_', '-' and ':', as urn:example:params:scim:schemas:lms"
            )
            return ""
        if len(urn) > LONGEST_URN:
            self._complain("id", f"has at most {LONGEST_URN} characters")
        folded = urn.lower()
        if folded.startswith(_RESERVED):
            self._complain("id", f"{urn} lies in a name space of the RFCs or of Rollcall: take one of your own")
            return urn
        for known in (schema.id.lower() for schema in registry.schemas()):
            if folded == known:
                self._complain("id", f"{urn} is there already")
            elif f"{folded}:".startswith(f"{known}:") or f"{known}:".startswith(f"{folded}:"):
                self._complain("id", f"{urn} begins like {known}: a path could mean either")
        return urn

    def _attributes(self, where: str, listed: Any, parent: Attribute | None) -> tuple[Attribute, ...]:
        if not isinstance(listed, list) or not listed:
            self._complain(where, "must be a list with at least one attribute")
            return ()
        if len(listed) > MOST_ATTRIBUTES:
            self._complain(where, f"holds at most {MOST_ATTRIBUTES} attributes")
            return ()
        found: dict[str, Attribute] = {}
        for place, one in enumerate(listed):
            attribute = self._attribute(f"{where}[{place}]", one, parent)
            if attribute is None:
                continue
            if attribute.name.lower() in found:
                self._complain(f"{where}[{place}].name", f"{attribute.name} is there twice; case does not count")
            found[attribute.name.lower()] = attribute
        return tuple(found.values())

    def _attribute(self, where: str, one: Any, parent: Attribute | None) -> Attribute | None:
        if not isinstance(one, Mapping):
            self._complain(where, "must be an object")
            return None
        self._unknown(where, one, _ATTRIBUTE_KEYS)
        said = {key: value for key, value in one.items() if value is not None}
        type_ = self._choice(where, said, "type", _TYPES, "string")
        plain = Attribute(
            self._name(where, said.get("name"), parent),
            type_,
            multi_valued=self._flag(where, said, "multiValued"),
            description=self._text(f"{where}.description", said.get("description")),
            case_exact=self._case_exact(where, said, type_),
            mutability=self._choice(where, said, "mutability", get_args(Mutability), "readWrite"),
            returned=self._returned(where, said),
            canonical_values=self._values(where, said, "canonicalValues", type_, ("string", "reference")),
            reference_types=self._values(where, said, "referenceTypes", type_, ("reference",)),
        )
        self._refuse(where, said, plain, parent)
        if plain.type != "complex":
            return plain
        subs = self._attributes(f"{where}.subAttributes", said.get("subAttributes"), plain)
        return plain.with_subs(subs)

    def _name(self, where: str, name: Any, parent: Attribute | None) -> str:
        known = isinstance(name, str) and len(name) <= LONGEST_NAME
        if known and parent is not None and name == "$ref":
            return "$ref"
        if not known or not _NAME.fullmatch(name):
            rule = f"a letter, then letters, digits, '$', '_' or '-', at most {LONGEST_NAME} (RFC 7643 §2.1)"
            self._complain(f"{where}.name", f"must be {rule}")
            return ""
        if name.lower() in _WORDS:
            self._complain(f"{where}.name", f"{name} is a word of the filter language: no filter could name it")
        return str(name)

    def _refuse(self, where: str, said: Mapping[str, Any], made: Attribute, parent: Attribute | None) -> None:
        """What would be a promise that cannot be kept."""
        if self._flag(where, said, "required"):
            self._complain(f"{where}.required", "must be false: who does not know it could write nobody any more")
        if self._choice(where, said, "uniqueness", ("none", "server", "global"), "none") != "none":
            self._complain(f"{where}.uniqueness", "must be none: nothing would hold two records apart")
        if made.type != "complex" and "subAttributes" in said:
            self._complain(f"{where}.subAttributes", "belongs to the type complex only")
        if made.type == "complex" and parent is not None:
            self._complain(f"{where}.type", "cannot be complex inside a complex attribute (RFC 7643 §2.3.8)")
        if made.mutability == "immutable" and parent is not None and parent.multi_valued:
            self._complain(
                f"{where}.mutability", f"cannot be immutable inside the list {parent.name}: make the whole list so"
            )
        if parent is not None and parent.mutability == "readOnly" and made.mutability != "readOnly":
            self._complain(f"{where}.mutability", f"must be readOnly, as {parent.name} is")

    def _case_exact(self, where: str, said: Mapping[str, Any], type_: str) -> bool:
        exact = self._flag(where, said, "caseExact")
        if type_ in ("reference", "binary"):
            if "caseExact" in said and not exact:
                self._complain(f"{where}.caseExact", f"must be true for the type {type_} (RFC 7643 §2.3)")
            return True
        if exact and type_ != "string":
            self._complain(f"{where}.caseExact", f"says nothing about the type {type_}")
        return exact

    def _returned(self, where: str, said: Mapping[str, Any]) -> Returned:
        written = said.get("mutability") == "writeOnly"
        found: Returned = self._choice(where, said, "returned", get_args(Returned), "never" if written else "default")
        if written and found != "never":
            self._complain(f"{where}.returned", "must be never where mutability is writeOnly (RFC 7643 §7)")
        return found

    def _choice(self, where: str, said: Mapping[str, Any], key: str, known: tuple[str, ...], default: str) -> Any:
        value = said.get(key, default)
        if value not in known:
            self._complain(f"{where}.{key}", f"must be one of {', '.join(known)}")
            return default
        return value

    def _flag(self, where: str, said: Mapping[str, Any], key: str) -> bool:
        value = said.get(key, False)
        if not isinstance(value, bool):
            self._complain(f"{where}.{key}", "must be true or false")
        return value is True

    def _text(self, where: str, value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\x00" in value:
            self._complain(where, f"must be a text of at most {LONGEST_TEXT} characters")
            return ""
        return value

    def _values(
        self, where: str, said: Mapping[str, Any], key: str, type_: str, types: tuple[str, ...]
    ) -> tuple[str, ...]:
        listed = said.get(key, [])
        if listed and type_ not in types:
            self._complain(f"{where}.{key}", f"belongs to the type {' or '.join(types)} only")
        if not isinstance(listed, list) or len(listed) > MOST_VALUES:
            self._complain(f"{where}.{key}", f"must be a list of at most {MOST_VALUES} texts")
            return ()
        return tuple(self._text(f"{where}.{key}[{place}]", value) for place, value in enumerate(listed))

    def _unknown(self, where: str, said: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in sorted(set(map(str, said)) - set(known)):
            self._complain(f"{where}.{key[:LONGEST_NAME]}".removeprefix("."), "is no part of a schema (RFC 7643 §7)")

    def _complain(self, path: str, message: str) -> None:
        self.complaints.append(Complaint(path, message))
