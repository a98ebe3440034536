"""Incoming resources: any shape that a client sends, turned into the one shape that is stored.

    body ──shape──▶ canonical names, no nulls, no read-only ──marshmallow──▶ right types ──▶ Incoming

`shape` knows names and vendors' spellings; the marshmallow schemas, made from the attribute registry, know types.
Values are kept as they were sent: nothing is reformatted (Entra compares what it reads back).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import marshmallow
from marshmallow import fields

from scim import dialects
from scim.errors import InvalidSyntax, InvalidValue
from scim.filters import moment
from scim.members import read_members
from scim.paths import Path, resolve
from scim.schemas import LMS_USER, SCHEMAS, Attribute, Registry, ResourceSchemas, Schema
from scim.store import Document, Kind, Member

_BASE64 = re.compile(r"[A-Za-z0-9+/]*|[A-Za-z0-9_-]*", re.ASCII)
T = TypeVar("T")
_KEPT = 4096  # what is made of definitions; those of tenants come and go


class Incoming(NamedTuple):
    """What a body says. `members` is None when it does not speak of them; `ignored` are paths as they were sent."""

    document: Document
    members: tuple[Member, ...] | None
    ignored: tuple[str, ...]


def normalise(kind: Kind, body: Mapping[str, Any], registry: Registry = SCHEMAS) -> Incoming:
    """The document that a POST or PUT of `body` stores.

    Errors: `InvalidSyntax` for the wrong schema or an attribute named twice, `InvalidValue` for a wrong type, a
    missing required attribute, or several primary values.
    """
    schemas = registry.of(kind)
    ignored: list[str] = []
    shaped: Document = {}
    members: tuple[Member, ...] | None = None
    seen: set[str] = set()
    for key, value in body.items():
        folded = key.lower()
        if folded in seen:
            raise InvalidSyntax(f"{key} is named twice.")
        seen.add(folded)
        path = resolve(kind, key, registry)
        if path is None:
            ignored.extend(_unknown(key, value))
        elif path.name == "schemas":
            ignored.extend(_check_schemas(kind, value, registry))
        elif path.name == "members":
            members = tuple(read_members(value))
        else:
            _place(shaped, path, _shaped(schemas, path, value, ignored))
    document = _load(schemas, shaped)
    return Incoming(with_schemas(schemas, document), members, tuple(ignored))


def coerce(attribute: Attribute, value: Any, where: str, ignored: list[str]) -> Any:
    """One attribute's value in the shape that is stored; None when it is empty. Errors: as `normalise`."""
    shaped = _shape(attribute, value, where, ignored)
    if shaped is None:
        return None
    try:
        return _field(attribute).deserialize(shaped, where)
    except marshmallow.ValidationError as error:
        raise InvalidValue(_sentence(error.messages, where)) from error


def with_schemas(schemas: ResourceSchemas, document: Document) -> Document:
    """`document` with its `schemas` computed from what it holds, listed first.

    The LMS extension is always listed for users: each answer carries it.
    """
    used = [schema.id for schema in schemas.extensions if schema.id == LMS_USER or document.get(schema.id)]
    rest = {key: value for key, value in document.items() if key != "schemas"}
    return {"schemas": [schemas.core.id, *used], **rest}


def _shape_extension(schemas: ResourceSchemas, urn: str, value: Any, ignored: list[str]) -> dict[str, Any]:
    """The object of an extension with canonical names, without what is empty, read-only or unknown."""
    extension = schemas.extension(urn)
    if value in (None, "", []) or extension is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidValue(f"{urn} must be an object.")
    return _shape_object(extension.attribute, value, f"{urn}:", ignored)


def _shaped(schemas: ResourceSchemas, path: Path, value: Any, ignored: list[str]) -> Any:
    if path.attribute is None:
        return _shape_extension(schemas, path.schema or "", value, ignored)
    if not path.kept:
        return None
    return _shape(path.target or path.attribute, value, path.name, ignored)


def _place(document: Document, path: Path, value: Any) -> None:
    if value in (None, {}, []):
        return
    holder: Document = document.setdefault(path.schema, {}) if path.schema else document
    if path.attribute is None:
        holder.update(value)
    elif path.sub is None:
        held = holder.get(path.attribute.name)
        merged = isinstance(held, dict) and isinstance(value, dict)
        holder[path.attribute.name] = {**held, **value} if merged and held else value
    elif path.attribute.multi_valued:
        holder.setdefault(path.attribute.name, []).append({path.sub.name: value})
    else:
        held = holder.setdefault(path.attribute.name, {})
        if not isinstance(held, dict):
            raise InvalidValue(f"{path.attribute.name} must be an object.")
        held[path.sub.name] = value


def _shape(attribute: Attribute, value: Any, where: str, ignored: list[str]) -> Any:
    """`value` with canonical names; None when nothing is left of it. A wrong type is left for the schema to refuse."""
    if value in (None, "", [], {}):
        return None
    if attribute.multi_valued:
        elements = [_shape_one(attribute, element, where, ignored) for element in dialects.elements(value)]
        return [element for element in elements if element not in (None, "", {})] or None
    return _shape_one(attribute, value, where, ignored)


def _shape_one(attribute: Attribute, value: Any, where: str, ignored: list[str]) -> Any:
    if attribute.type != "complex":
        return value
    if isinstance(value, list) or attribute.sub("value"):
        value = dialects.complex_value(value)
    if not isinstance(value, dict):
        return value
    if attribute.name == "manager" and not attribute.sub("managerId"):
        value = dialects.manager_id(value)
    if attribute.name in ("roles", "entitlements"):
        value = dialects.packed_role(value)
    return _shape_object(attribute.sub, value, f"{where}.", ignored) or None


def _shape_object(
    look_up: Callable[[str], Attribute | None], value: Mapping[str, Any], prefix: str, ignored: list[str]
) -> dict[str, Any]:
    shaped: dict[str, Any] = {}
    seen: set[str] = set()
    for key, held in value.items():
        folded = key.lower()
        if folded in seen:
            raise InvalidSyntax(f"{prefix}{key} is named twice.")
        seen.add(folded)
        attribute = look_up(key)
        if attribute is None:
            ignored.append(f"{prefix}{key}")
        elif attribute.kept:
            inner = _shape(attribute, held, f"{prefix}{attribute.name}", ignored)
            if inner is not None:
                shaped[attribute.name] = inner
    return shaped


def _unknown(key: str, value: Any) -> Iterable[str]:
    if key.lower().startswith("urn:") and isinstance(value, dict):
        return [f"{key}:{name}" for name in value]
    return [key]


def _check_schemas(kind: Kind, value: Any, registry: Registry) -> list[str]:
    """Unknown URNs are listed; the URN of another kind's core schema without ours is a mistake."""
    urns = dialects.elements(value) if value is not None else []
    if not all(isinstance(urn, str) for urn in urns):
        raise InvalidSyntax("schemas must be a list of URNs.")
    named = {urn: dialects.canonical_urn(urn).lower() for urn in urns}
    core = registry.of(kind).core.id
    others = {other.core.id.lower() for other in registry.kinds()} - {core.lower()}
    if not others.isdisjoint(named.values()) and core.lower() not in named.values():
        raise InvalidSyntax(f"schemas must name {core} here.")
    return [urn for urn in urns if named[urn] and named[urn] not in registry.urns]


class _Plain(fields.Field[T]):
    """A field without validators of its own need not ask for them, as marshmallow does, for each value."""

    def _validate(self, value: Any) -> None:
        if self.validators:
            super()._validate(value)


class _Text(_Plain[str]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        value = dialects.text(value)
        if not isinstance(value, str):
            raise marshmallow.ValidationError("must be a text")
        return value


class _Flag(_Plain[bool]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        flag = dialects.boolean(value)
        if flag is None:
            raise marshmallow.ValidationError("must be true or false")
        return flag


class _Moment(_Text):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if moment(text) is None:
            raise marshmallow.ValidationError("must be a date and time as RFC 7643 §2.3.5 writes it")
        return text


class _Number(_Plain[float]):
    """RFC 7643 §2.3.3, §2.3.4."""

    def __init__(self, *, whole: bool, **options: Any) -> None:
        super().__init__(**options)
        self._whole = whole

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        number = dialects.number(value, whole=self._whole)
        if number is None:
            raise marshmallow.ValidationError(f"must be a {'whole ' if self._whole else ''}number")
        return number


class _Base64(_Text):
    """RFC 7643 §2.3.6: base64 or its URL-safe form (RFC 4648 §4, §5), with or without padding."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        bare = "".join(text.split()).rstrip("=")
        if len(bare) % 4 == 1 or not _BASE64.fullmatch(bare):
            raise marshmallow.ValidationError("must be base64")
        return text


def _one_primary(elements: list[Any]) -> None:
    """RFC 7643 §2.4."""
    if sum(1 for element in elements if isinstance(element, dict) and element.get("primary")) > 1:
        raise marshmallow.ValidationError("has more than one primary value")


_SIMPLE: Mapping[str, Callable[..., fields.Field[Any]]] = {
    "boolean": _Flag,
    "dateTime": _Moment,
    "binary": _Base64,
    "integer": partial(_Number, whole=True),
    "decimal": partial(_Number, whole=False),
}


class _Object(_Plain[dict[str, Any]]):
    """An object, by its parts in their order: those that are there are checked, and those that are required.

    marshmallow's own schemas ask every part that there could be, which takes three times as long. Nothing unknown
    comes here: `shape` has left it out.
    """

    def __init__(self, parts: Mapping[str, fields.Field[Any]], **options: Any) -> None:
        super().__init__(**options)
        self._parts = parts

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise marshmallow.ValidationError("must be an object")
        loaded: dict[str, Any] = {}
        for name, part in self._parts.items():
            if name not in value and not part.required:
                continue
            try:
                loaded[name] = part.deserialize(value.get(name, marshmallow.missing), name, value)
            except marshmallow.ValidationError as error:
                raise marshmallow.ValidationError({name: error.messages}) from error
        return loaded


@lru_cache(maxsize=_KEPT)
def _field(attribute: Attribute) -> fields.Field[Any]:
    common: dict[str, Any] = {
        "required": attribute.required and not attribute.multi_valued,
        "error_messages": {"required": "is required"},
    }
    field: fields.Field[Any]
    if attribute.type == "complex":
        field = _Object({sub.name: _field(sub) for sub in attribute.sub_attributes}, **common)
    else:
        field = _SIMPLE.get(attribute.type, _Text)(**common)
    return fields.List(field, validate=_one_primary) if attribute.multi_valued else field


@lru_cache(maxsize=_KEPT)
def _writable(owner: ResourceSchemas | Schema) -> _Object:
    """What may be written of the core attributes, or of one extension."""
    attributes = owner.attributes if isinstance(owner, Schema) else owner.attributes()
    return _Object(
        {
            attribute.name: _field(attribute)
            for attribute in attributes
            if attribute.name not in ("schemas", "members") and attribute.kept
        }
    )


def _load(schemas: ResourceSchemas, shaped: Document) -> Document:
    loaded = _checked(_writable(schemas), shaped, "")
    extensions = [extension for name in shaped if (extension := schemas.extension(name))]
    return loaded | {one.id: _checked(_writable(one), shaped[one.id], one.id) for one in extensions}


def _checked(writable: _Object, shaped: Document, where: str) -> Document:
    try:
        loaded: Document = writable.deserialize(shaped)
    except marshmallow.ValidationError as error:
        raise InvalidValue(_sentence(error.messages, where)) from error
    return loaded


def _sentence(messages: Any, where: str) -> str:
    """The first complaint as a sentence: `emails.primary must be true or false.`"""
    while isinstance(messages, dict) and messages:
        key, messages = next(iter(messages.items()))
        where = where if isinstance(key, int) or key == where else f"{where}.{key}".removeprefix(".")
    complaint = messages[0] if isinstance(messages, list) and messages else "is not valid"
    return f"{where} {str(complaint).rstrip('.')}."
