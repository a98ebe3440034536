"""What a schema is (RFC 7643 §2, §7, errata applied): what an attribute is called, holds, and allows.

    Attribute ──▶ Schema (one URN) ──▶ ResourceSchemas (a core schema and its extensions) ──▶ Registry, by kind

Every look-up ignores case (RFC 7643 §2.1) and answers with the canonical spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"

Type = Literal["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"]
Mutability = Literal["readOnly", "readWrite", "immutable", "writeOnly"]
Returned = Literal["always", "default", "request", "never"]


@dataclass(frozen=True)
class Attribute:
    """One attribute definition; the defaults are those of RFC 7643 §2.2."""

    name: str
    type: Type = "string"
    multi_valued: bool = False
    description: str = ""
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = "readWrite"
    returned: Returned = "default"
    uniqueness: Literal["none", "server", "global"] = "none"
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = ()
    stored: bool = True  # whether a value is kept at all

    @cached_property
    def _subs(self) -> dict[str, Attribute]:
        return {sub.name.lower(): sub for sub in self.sub_attributes}

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.type, self.sub_attributes))

    def __hash__(self) -> int:
        """Of what tells most of them apart, once: what is made of definitions is kept by them."""
        return self._hash

    @cached_property
    def hidden(self) -> bool:
        """Whether no answer and no filter in a URI may speak of it (RFC 7644 §7.5.2)."""
        return self.returned == "never" or self.mutability == "writeOnly"

    @cached_property
    def kept(self) -> bool:
        """Whether what a client writes is kept."""
        return self.stored and self.mutability != "readOnly"

    def with_subs(self, subs: tuple[Attribute, ...]) -> Attribute:
        """The same complex attribute with these parts."""
        return replace(self, sub_attributes=subs)

    def sub(self, name: str) -> Attribute | None:
        """The sub-attribute of that name, whatever its case."""
        return self._subs.get(name.lower())

    def as_json(self) -> dict[str, Any]:
        """The definition as `/Schemas` shows it (RFC 7643 §7), without nulls."""
        shown: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "multiValued": self.multi_valued,
            "description": self.description or self.name,
            "required": self.required,
            "mutability": self.mutability,
            "returned": self.returned,
        }
        if self.type != "complex":  # erratum 6004
            shown["uniqueness"] = self.uniqueness
        if self.type in ("string", "reference", "binary"):
            shown["caseExact"] = self.case_exact
        if self.canonical_values:
            shown["canonicalValues"] = list(self.canonical_values)
        if self.reference_types:
            shown["referenceTypes"] = list(self.reference_types)
        if self.sub_attributes:
            shown["subAttributes"] = [sub.as_json() for sub in self.sub_attributes]
        return shown


_COMMON: dict[str, Attribute] = {
    attribute.name.lower(): attribute
    for attribute in (
        Attribute("schemas", multi_valued=True, required=True, case_exact=True, returned="always"),
        Attribute("id", case_exact=True, mutability="readOnly", returned="always", uniqueness="server"),
        Attribute("externalId", case_exact=True),
        Attribute(
            "meta",
            "complex",
            mutability="readOnly",
            sub_attributes=(
                Attribute("resourceType", case_exact=True, mutability="readOnly"),
                Attribute("created", "dateTime", mutability="readOnly"),
                Attribute("lastModified", "dateTime", mutability="readOnly"),
                Attribute("location", "reference", case_exact=True, mutability="readOnly", reference_types=("uri",)),
                Attribute("version", case_exact=True, mutability="readOnly"),
            ),
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Schema:
    """One URN and its attributes. Compared by identity: what is made of it is cached by it."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]

    @cached_property
    def _attributes(self) -> dict[str, Attribute]:
        return {attribute.name.lower(): attribute for attribute in self.attributes}

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, whatever its case."""
        return self._attributes.get(name.lower())

    def as_json(self, base_url: str) -> dict[str, Any]:
        """The schema as `/Schemas/{id}` shows it."""
        return {
            "schemas": [SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": [attribute.as_json() for attribute in self.attributes],
            "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{self.id}"},
        }


class Place(NamedTuple):
    """What a name stands for. `attribute` is None only for an extension's URN alone."""

    schema: str | None
    attribute: Attribute | None
    sub: Attribute | None = None

    @property
    def target(self) -> Attribute:
        """The definition of the value itself: the sub-attribute if there is one."""
        found = self.sub or self.attribute
        assert found is not None
        return found

    @property
    def withheld(self) -> bool:
        return self.target.hidden or self.target.returned == "request"

    @property
    def name(self) -> str:
        """The canonical text: `urn:…:User:manager.value`."""
        assert self.attribute is not None
        tail = f"{self.attribute.name}.{self.sub.name}" if self.sub else self.attribute.name
        return f"{self.schema}:{tail}" if self.schema else tail


@dataclass(frozen=True, eq=False)
class ResourceSchemas:
    """The schemas of one kind of resource: the core one, its extensions, and the common attributes."""

    kind: str
    endpoint: str
    description: str
    core: Schema
    extensions: tuple[Schema, ...] = ()

    @cached_property
    def withheld(self) -> tuple[Place, ...]:
        """What an answer leaves out unless it is asked for, or always: documents of such kinds have to be parsed."""
        return tuple(place for place in self.places() if place.target.stored and place.withheld)

    @cached_property
    def always(self) -> tuple[Place, ...]:
        """The whole attributes that no projection takes away (RFC 7643 §7, returned)."""
        return tuple(place for place in self.places() if place.sub is None and place.target.returned == "always")

    @cached_property
    def immutable(self) -> tuple[Place, ...]:
        """What is written once. A group's members have rules of their own."""
        places = (place for place in self.places() if place.schema is not None)
        return tuple(place for place in places if place.target.mutability == "immutable")

    def places(self) -> Iterator[Place]:
        """Every attribute and every sub-attribute, extensions included."""
        for urn, attributes in ((None, self.attributes()), *((one.id, one.attributes) for one in self.extensions)):
            for attribute in attributes:
                yield Place(urn, attribute)
                yield from (Place(urn, attribute, sub) for sub in attribute.sub_attributes)

    def extended(self, extensions: Iterable[Schema]) -> ResourceSchemas:
        """The same kind with more extensions."""
        return replace(self, extensions=(*self.extensions, *extensions))

    @cached_property
    def _extensions(self) -> dict[str, Schema]:
        return {extension.id.lower(): extension for extension in self.extensions}

    def extension(self, urn: str) -> Schema | None:
        """The extension of that URN, whatever its case."""
        return self._extensions.get(urn.lower())

    def attribute(self, name: str) -> Attribute | None:
        """A core or common attribute, whatever its case."""
        return self.core.attribute(name) or _COMMON.get(name.lower())

    def attributes(self) -> Iterator[Attribute]:
        """Core and common attributes."""
        yield from _COMMON.values()
        yield from self.core.attributes

    def resolve(self, name: str) -> Place | None:
        """`userName`, `name.givenName`, `urn:…:User:manager.value`, or an extension's URN; None when unknown."""
        folded = name.lower()
        if folded in self._extensions:
            return Place(self._extensions[folded].id, None)
        if not folded.startswith("urn:"):
            return _place(None, self.attribute, name)
        for schema in (self.core, *self.extensions):
            if folded.startswith(schema.id.lower() + ":"):
                rest = name[len(schema.id) + 1 :]
                if schema is self.core:
                    return _place(None, self.attribute, rest)
                return _place(schema.id, schema.attribute, rest)
        return None


def _place(urn: str | None, look_up: Callable[[str], Attribute | None], name: str) -> Place | None:
    head, dot, tail = name.partition(".")
    attribute = look_up(head)
    if attribute is None:
        return None
    if not dot:
        return Place(urn, attribute)
    sub = attribute.sub(tail)
    return Place(urn, attribute, sub) if sub else None


@dataclass(frozen=True, eq=False)
class Registry:
    """All kinds of resources that are served to one tenant; without any of its own, to all: `SCHEMAS`."""

    user: ResourceSchemas
    group: ResourceSchemas

    def of(self, kind: str) -> ResourceSchemas:
        """The schemas of `"User"` or `"Group"`."""
        return self.user if kind == "User" else self.group

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The names, in lower case, of declared attributes whose values nobody may see."""
        places = (place for kind in self.kinds() for place in kind.withheld)
        return frozenset(place.target.name.lower() for place in places if place.target.hidden)

    @cached_property
    def urns(self) -> frozenset[str]:
        """Those of all schemas, in lower case."""
        return frozenset(schema.id.lower() for schema in self.schemas())

    def resolve(self, kind: str, name: str) -> Place | None:
        """`ResourceSchemas.resolve` for that kind."""
        return self.of(kind).resolve(name)

    def extended(self, extensions: Iterable[tuple[str, Schema]]) -> Registry:
        """The same kinds with more extensions, each given with its kind."""
        more: dict[str, list[Schema]] = {}
        for kind, schema in extensions:
            more.setdefault(kind, []).append(schema)
        return Registry(*(known.extended(more.get(known.kind, ())) for known in self.kinds()))

    def kinds(self) -> tuple[ResourceSchemas, ...]:
        return (self.user, self.group)

    def schemas(self) -> tuple[Schema, ...]:
        """Every published schema once, core schemas first."""
        return (
            *(kind.core for kind in self.kinds()),
            *(extension for kind in self.kinds() for extension in kind.extensions),
        )
