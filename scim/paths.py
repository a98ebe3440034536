"""Attribute paths, resolved against the schemas: `emails[type eq "work"].value`, `urn:…:User:manager`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from scim import dialects
from scim.schemas import SCHEMAS, Attribute, Registry, ResourceSchemas

_KEPT: Final = 4096  # tables of names: as many as there are tenants with schemas of their own

if TYPE_CHECKING:
    from scim.filters import Filter


@dataclass(frozen=True)
class Path:
    """One place in a resource, in canonical spelling.

    `schema` is the extension's URN, or None for a core (or common) attribute. `attribute` is None only for a path
    that is an extension's URN alone. `where` is the filter in brackets, on the elements of a multi-valued attribute.
    """

    schema: str | None
    attribute: Attribute | None
    sub: Attribute | None = None
    where: Filter | None = None

    @cached_property
    def name(self) -> str:
        """The canonical text, without the brackets: `emails.value`."""
        attribute = self.attribute.name if self.attribute else None
        tail = f"{attribute}.{self.sub.name}" if self.sub else attribute
        return ":".join(part for part in (self.schema, tail) if part)

    @property
    def target(self) -> Attribute | None:
        """The definition of the value itself: the sub-attribute if there is one."""
        return self.sub or self.attribute

    @cached_property
    def kept(self) -> bool:
        """Whether a value written here is kept: neither read-only nor `password`."""
        return all(part.kept for part in (self.attribute, self.sub) if part)

    @property
    def hidden(self) -> bool:
        """Whether the value is never shown (`password`)."""
        return any(part.hidden for part in (self.attribute, self.sub) if part)


def resolve(kind: str, name: str, registry: Registry = SCHEMAS) -> Path | None:
    """The path of a plain name (no brackets), whatever its case and vendor's spelling; None when unknown."""
    schemas = registry.of(kind)
    return _canonical(schemas).get(name) or _resolved(schemas, name)


@lru_cache(maxsize=_KEPT)
def _canonical(schemas: ResourceSchemas) -> Mapping[str, Path]:
    """Every path by its canonical name, which is what most clients write."""
    names = [*(place.name for place in schemas.places()), *(extension.id for extension in schemas.extensions)]
    return {name: path for name in names if (path := _resolved(schemas, name))}


def _resolved(schemas: ResourceSchemas, name: str) -> Path | None:
    if not name.isascii():  # RFC 7643 §2.1; folding would take some letters for others
        return None
    place = (
        schemas.resolve(dialects.canonical_urn(name))
        or dialects.bare_extension_attribute(schemas, name)
        or dialects.dot_after_urn(schemas, name)
    )
    return Path(*place) if place else None
