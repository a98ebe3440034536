"""What an address of this section names, looked up as the visitor's own. Whoever has a set-up link has one source."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa

from app.console.visit import Visit
from app.store import credentials, tenants
from app.store.credentials import Kind, Listed
from app.store.tenants import NotFoundError, SourceRow

HOME: Final = "/admin/provisioning"
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def an_id(text: str) -> str:
    """The id that an address names.

    Raises:
        NotFoundError: it is none.
    """
    if not _UUID.fullmatch(text):
        raise NotFoundError("there is no such thing")
    return text.lower()


def source(conn: sa.Connection, visit: Visit, source_id: str) -> SourceRow:
    """The tenant's SCIM source of that id; a set-up link leads to its own alone.

    Raises:
        NotFoundError: there is none, or it is not for this visitor.
    """
    found = tenants.source_by_id(conn, visit.tenant_id, an_id(source_id))
    if found.kind == "login" or (visit.link is not None and visit.link.source_id != found.id):
        raise NotFoundError("the tenant has no such source")
    return found


def credential(conn: sa.Connection, visit: Visit, source: SourceRow | None, id: str, kind: Kind) -> Listed:
    """A credential of that kind, of that source where one is given.

    Raises:
        NotFoundError: there is none.
    """
    found = credentials.one(conn, visit.tenant_id, an_id(id), kind)
    if found is None or (source is not None and found.source_id != source.id):
        raise NotFoundError("there is no such credential")
    return found


def page_of(source: SourceRow) -> str:
    """Where a source's own page is."""
    return f"{HOME}/{source.id}"
