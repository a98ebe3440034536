"""Outgoing resources: stored bytes spliced together. Only a projection makes anybody parse them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from scim.query import Projection
from scim.returned import Named, named_by, without_withheld
from scim.schemas import SCHEMAS, Registry
from scim.store import Resource

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_NOTHING = b"{}"
_ENDPOINTS = {kind.kind: kind.endpoint for kind in SCHEMAS.kinds()}
_EVERYTHING = Projection()
_RELATIVE = b'"$ref":"/'  # inside a text the quotes would be escaped


def location(base_url: str, resource: Resource) -> str:
    """The resource's URL: `meta.location` and the Location header."""
    return f"{base_url}{_ENDPOINTS[resource.kind]}/{resource.id}"


def render(
    resource: Resource,
    base_url: str,
    projection: Projection = _EVERYTHING,
    registry: Registry = SCHEMAS,
    written: Named = frozenset(),
) -> bytes:
    """The resource as JSON text. `written` is what the request itself wrote and would be withheld otherwise."""
    schemas = registry.of(resource.kind)
    if not projection and not schemas.withheld:
        return spliced(resource, base_url)
    document = orjson.loads(spliced(resource, base_url))
    if schemas.withheld:
        asked = named_by(projection.paths(resource.kind, registry)) if projection.attributes else written
        document = without_withheld(schemas, document, asked)
    return orjson.dumps(projection.apply(resource.kind, document, registry) if projection else document)


def spliced(resource: Resource, base_url: str) -> bytes:
    """`id`, `meta`, the computed attributes and the document, byte for byte: both are compact JSON objects."""
    path = f"{base_url}{_ENDPOINTS[resource.kind]}/{resource.id}"
    made = (
        f'{{"id":"{resource.id}","meta":{{"resourceType":"{resource.kind}","created":"{resource.created}",'
        f'"lastModified":"{resource.modified}","location":"{path}","version":"W/\\"{resource.version}\\""}}'
    ).encode()
    if resource.computed != _NOTHING:
        made += b"," + resource.computed[1:-1].replace(_RELATIVE, _absolute(base_url))
    return made + b"}" if resource.document == _NOTHING else made + b"," + resource.document[1:]


@lru_cache(maxsize=64)
def _absolute(base_url: str) -> bytes:
    return _RELATIVE[:-1] + base_url.encode() + b"/"


def render_list(total: int, start_index: int, rendered: Iterable[bytes]) -> bytes:
    """A ListResponse of resources that are already JSON text (RFC 7644 §3.4.2)."""
    return _listed(total, {"startIndex": start_index}, list(rendered))


def render_stretch(total: int, cursors: tuple[str | None, str | None], rendered: Iterable[bytes]) -> bytes:
    """A ListResponse with its next and previous cursor; one that is None is left out (RFC 9865 §2)."""
    named = zip(("nextCursor", "previousCursor"), cursors, strict=True)
    return _listed(total, {name: cursor for name, cursor in named if cursor}, list(rendered))


def _listed(total: int, paging: dict[str, Any], resources: list[bytes]) -> bytes:
    head = {"schemas": [LIST_RESPONSE], "totalResults": total, **paging, "itemsPerPage": len(resources)}
    return orjson.dumps(head)[:-1] + b',"Resources":[' + b",".join(resources) + b"]}"
