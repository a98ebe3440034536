"""The roles of the learning platform as resources to be read (Okta's entitlement mode): a client finds here which
values of a user's `roles` can mean something.

    Store.roles ─▶ documents ─▶ filter, order, page, projection ─▶ Answer

A tenant has a handful of them, so that all is done here and the store only lists. Okta calls the endpoint of each
resource type whose schema has this URN: https://developer.okta.com/docs/guides/scim-with-entitlements/
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import orjson

from scim.cursors import Cursors
from scim.definitions import Attribute, Registry, ResourceSchemas, Schema
from scim.errors import NotFound
from scim.etags import condition, etag
from scim.matching import comparable, matches, values
from scim.ordering import cut, in_order
from scim.paths import Path
from scim.query import ListRequest, Projection
from scim.rendering import render_list, render_stretch
from scim.resources import Answer, Resources
from scim.store import Document, Role, Stretch

OKTA_ROLE: Final = "urn:okta:scim:schemas:core:1.0:Role"
LONGEST_DESCRIPTION: Final = 1_000  # characters; Okta's limit

ROLE: Final = ResourceSchemas(
    "Role",
    "/Roles",
    "Roles of the learning platform",
    Schema(
        OKTA_ROLE,
        "Role",
        "A role of the learning platform, read-only",
        (
            Attribute("displayName", mutability="readOnly", description="The role's name."),
            Attribute("description", mutability="readOnly", description="What the role is for."),
        ),
    ),
)
ROLES: Final = Registry(user=ROLE, group=ROLE)  # whatever kind is asked for: names mean those of a role


def search(resources: Resources, request: ListRequest) -> Answer:
    """200 with a page of roles, by index or by cursor; by id unless sorted otherwise."""
    found = {shown["id"]: shown for shown in _documents(resources)}
    wanted = request.query.filter
    if wanted is not None:
        found = {id: shown for id, shown in found.items() if matches(wanted, shown)}
    places = {id: _place(shown, request.query.sort_by) for id, shown in found.items()}
    if request.cursor is not None:
        return _walked(resources, request, found, places)
    start, query = request.query.start_index - 1, request.query
    page = in_order(places, query.descending)[start : start + query.count]
    return Answer(200, render_list(len(found), query.start_index, _rendered(found, page, request.projection)))


def get(resources: Resources, id: str, projection: Projection, *, if_none_match: str | None = None) -> Answer:
    """200, or 304. Errors: `NotFound`."""
    shown = next((shown for shown in _documents(resources) if shown["id"] == id), None)
    if shown is None:
        raise NotFound.resource("Role", id[:200])
    version, known = _version(shown), condition(if_none_match)
    if known and known.met_by(version):
        return Answer(304, version=version, id=id)
    [body] = _rendered({id: shown}, [id], projection)
    return Answer(200, body, shown["meta"]["location"], version, id)


def _walked(
    resources: Resources, request: ListRequest, found: Mapping[str, Document], places: Mapping[str, Any]
) -> Answer:
    assert request.cursor is not None
    key, query = resources.store.cursor_key(), request.query
    cursors = Cursors(key, resources.limits.cursor_timeout, request.cursor.fingerprint, query.count)
    walk = cursors.open(request.cursor.text)
    page = cut(places, walk, query.count, query.descending)
    around = cursors.around(walk, Stretch(len(found), (), page.first, page.last, page.more))
    shown = _rendered(found, page.ids, request.projection)
    return Answer(200, render_stretch(len(found), around if query.count else (None, None), shown))


def _documents(resources: Resources) -> list[Document]:
    return [_document(role, resources.base_url) for role in resources.store.roles()]


def _document(role: Role, base_url: str) -> Document:
    shown: Document = {"schemas": [OKTA_ROLE], "id": role.id, "displayName": role.name}
    if role.description:
        shown["description"] = role.description[:LONGEST_DESCRIPTION]
    version = etag(_version(shown))
    location = f"{base_url}{ROLE.endpoint}/{quote(role.id, safe='')}"
    return {**shown, "meta": {"resourceType": "Role", "location": location, "version": version}}


def _version(shown: Document) -> int:
    """Of what is said, since nobody counts a role's changes."""
    said = [shown["id"], shown["displayName"], shown.get("description")]
    return int.from_bytes(hashlib.sha256(orjson.dumps(said)).digest()[:6])


def _place(shown: Document, path: Path | None) -> Any:
    found = values(path, shown) if path else []
    return comparable(path.target, found[0]) if found and path and path.target else None


def _rendered(found: Mapping[str, Document], ids: Sequence[str], projection: Projection) -> list[bytes]:
    wanted = [projection.apply("Role", found[id], ROLES) if projection else found[id] for id in ids]
    return [orjson.dumps(shown) for shown in wanted]
