"""Declaring, changing and removing a tenant's SCIM schemas, and what then becomes of stored values.

document ─▶ scim.extensions ─▶ may it? (values are stored) ─▶ table, revision, audit ─▶ COMMIT ─▶ documents refitted

The declaration is one short transaction; the documents follow in chunks, each under the tenant's rules alone. A crash
between leaves documents as they were: saying the same again goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from app import provisioning
from app.adapters.registries import registry_of
from app.adapters.search_document import search_document
from app.identity.decide import Decision
from app.identity.model import Rules
from app.store import rules as rulebook
from app.store import schemas as store
from app.store.audit import Entry
from app.store.tenants import NotFoundError, raise_revision
from scim.documents import with_schemas
from scim.extensions import MOST_SCHEMAS, Complaint, DeclarationError, declared, kept, lost, refitted
from scim.schemas import Registry, Schema

CHUNK: Final = 500
LARGEST: Final = 64 * 1024  # bytes of a declaration
_NOBODY: Final = str(UUID(int=0))


class StoredValuesError(ValueError):
    """Values are stored that would be dropped; nothing was changed. `count` resources hold them."""

    def __init__(self, what: str, count: int) -> None:
        self.count = count
        super().__init__(f"{count} resources hold values of {what}: they would be dropped")


@dataclass(frozen=True, slots=True)
class Saved:
    """What was done. `refitted` resources had stored values; `lost` are the attributes whose values did not fit."""

    urn: str
    kind: str
    created: bool
    refitted: int = 0
    lost: tuple[str, ...] = ()


def declare(
    engine: sa.Engine, tenant_id: str, kind: str, document: Any, *, actor: str, drop_values: bool = False
) -> Saved:
    """Add a schema, or change the one of the same URN, for resources of `kind` (`"User"`, `"Group"`).

    Raises:
        DeclarationError: the document declares none that can be kept.
        StoredValuesError: values would not fit any more, and `drop_values` is not given.
    """

    def once(conn: sa.Connection, _rules: Rules) -> Saved:
        known = store.listing(conn, tenant_id)
        before = _named(known, document.get("id") if isinstance(document, Mapping) else None)
        schema = declared(document, registry_of(one for one in known if one is not before))
        _check_limits(known, before, schema, kind)
        gone = lost(kept(before.document), schema) if before else []
        _check_values(conn, tenant_id, kind, schema.id, gone, drop_values)
        store.save(conn, tenant_id, kind, _plain(schema))
        _note(conn, tenant_id, actor, "schema.saved", {"urn": schema.id, "kind": kind, "lost": gone})
        return Saved(schema.id, kind, before is None, lost=tuple(gone))

    _check_size(document)
    saved = provisioning.in_transaction(engine, tenant_id, once, alone=True)
    # One that is new may have been removed by somebody who did not come to an end.
    return Saved(saved.urn, kind, saved.created, refit(engine, tenant_id, kind, saved.urn), saved.lost)


def remove(engine: sa.Engine, tenant_id: str, urn: str, *, actor: str, drop_values: bool = False) -> Saved:
    """Take a schema away, and its values out of the documents of all resources that are not deleted.

    Raises:
        NotFoundError: the tenant declared none of that URN.
        StoredValuesError: values are stored, and `drop_values` is not given.
    """

    def once(conn: sa.Connection, _rules: Rules) -> Saved:
        found = _named(store.listing(conn, tenant_id), urn)
        if found is None:
            raise NotFoundError(f"the tenant declared no schema {urn}")
        gone = [attribute.name for attribute in kept(found.document).attributes]
        _check_values(conn, tenant_id, found.kind, found.urn, gone, drop_values)
        store.remove(conn, tenant_id, found.urn)
        _note(conn, tenant_id, actor, "schema.removed", {"urn": found.urn, "kind": found.kind, "lost": gone})
        return Saved(found.urn, found.kind, False, lost=tuple(gone))

    gone = provisioning.in_transaction(engine, tenant_id, once, alone=True)
    return Saved(gone.urn, gone.kind, False, refit(engine, tenant_id, gone.kind, gone.urn), gone.lost)


def refit(engine: sa.Engine, tenant_id: str, kind: str, urn: str) -> int:
    """Bring all documents with values of the schema in line with what it is now; returns their number."""
    done, after = 0, _NOBODY

    def once(conn: sa.Connection, _rules: Rules) -> list[store.Holder]:
        registry = registry_of(store.listing(conn, tenant_id))
        found = store.holders(conn, tenant_id, kind, urn, after, CHUNK)
        rows = [_refitted(registry, tenant_id, kind, urn, holder) for holder in found]
        if rows:
            store.rewrite(conn, tenant_id, kind, rows, datetime.now(UTC))
        return found

    while found := provisioning.in_transaction(engine, tenant_id, once, alone=True):
        done, after = done + len(found), found[-1].id
    return done


def _refitted(registry: Registry, tenant_id: str, kind: str, urn: str, holder: store.Holder) -> dict[str, Any]:
    schemas = registry.of(kind)
    schema = schemas.extension(urn)
    held = refitted(schema, holder.document.get(urn, {})) if schema else {}
    document = {**holder.document, urn: held} if held else {k: v for k, v in holder.document.items() if k != urn}
    document = with_schemas(schemas, document)
    search = search_document(kind, document, tenant_id=tenant_id, source_id=holder.source_id, registry=registry)
    return {"id": holder.id, "document": document, "search": search}


def _check_size(document: Any) -> None:
    if len(orjson.dumps(document)) > LARGEST:
        raise DeclarationError([Complaint("", f"has at most {LARGEST // 1024} KiB")])


def _check_limits(known: list[store.Declared], before: store.Declared | None, schema: Schema, kind: str) -> None:
    if before is None and len(known) >= MOST_SCHEMAS:
        raise DeclarationError([Complaint("", f"is one too many: a tenant declares at most {MOST_SCHEMAS} schemas")])
    if before is not None and before.kind != kind:
        raise DeclarationError([Complaint("id", f"{schema.id} extends {before.kind}: remove it there first")])
    if before is not None and before.urn != schema.id:
        raise DeclarationError([Complaint("id", f"{before.urn} is there in another spelling: keep it, or remove it")])


def _check_values(conn: sa.Connection, tenant_id: str, kind: str, urn: str, gone: list[str], drop_values: bool) -> None:
    if gone and not drop_values and (count := store.count(conn, tenant_id, kind, urn, gone)):
        raise StoredValuesError(", ".join(gone), count)


def _named(known: list[store.Declared], urn: Any) -> store.Declared | None:
    folded = urn.lower() if isinstance(urn, str) else None
    return next((one for one in known if one.urn.lower() == folded), None)


def _plain(schema: Schema) -> dict[str, Any]:
    return {key: value for key, value in schema.as_json("").items() if key != "meta"}


def _note(conn: sa.Connection, tenant_id: str, actor: str, action: str, facts: Mapping[str, Any]) -> None:
    revision = raise_revision(conn, tenant_id)
    entry = Entry(actor, action, tenant_id, {**facts, "revision": revision})
    rules = rulebook.current(conn, tenant_id)
    provisioning.save(conn, tenant_id, Decision(), rules, actor, datetime.now(UTC), [entry])
