"""A tenant's rules as of one revision: loaded once a process and kept until the revision moves."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from app.identity.attributes import default_ownership
from app.identity.folding import fold
from app.identity.model import Affiliation, OwnershipRule, Role, RoleMapping, Rules, Source, SourceKind
from app.store import tables as t
from app.store.driver import Statement
from app.store.engine import reading
from app.store.tenant_settings import value

CACHED_TENANTS: Final = 1024
WAITING: Final = "waiting"  # what the mapping matches whose group is not there

_cache: OrderedDict[str, Rules] = OrderedDict()
_lock = threading.Lock()
_HOLD = Statement("SELECT hold_rules(%(tenant)s)")
_ALONE = Statement("SELECT pg_advisory_xact_lock(hashtextextended('rules:' || CAST(%(tenant)s AS text), 0))")
# Whether this is so is part of the rules: `app.grouping` raises the revision when it turns.
_PUSHING = sa.text("""
    SELECT s.id FROM sources s WHERE s.tenant_id = :tenant AND s.kind = 'idp' AND EXISTS (
        SELECT FROM groups g WHERE g.tenant_id = s.tenant_id AND g.source_id = s.id AND g.deleted_at IS NULL)
""").columns(id=t.sources.c.id.type)
_REVISION = Statement(sa.select(t.tenants.c.revision).where(t.tenants.c.id == sa.bindparam("tenant")))


class UnknownTenantError(LookupError):
    """No such tenant."""


def hold(conn: sa.Connection, tenant_id: str, *, alone: bool = False) -> Rules:
    """The rules, which stay as they are until COMMIT. `alone`: nobody else writes people, so they may be changed.

    Raises:
        UnknownTenantError: the tenant is gone.
    """
    if not alone:
        return _of(conn, tenant_id, _HOLD.value(conn, {"tenant": tenant_id}))
    _ALONE.rows(conn, {"tenant": tenant_id})
    return current(conn, tenant_id)


def current(conn: sa.Connection, tenant_id: str) -> Rules:
    """The rules as they are now: one statement while they do not change.

    Raises:
        UnknownTenantError: the tenant is gone.
    """
    return _of(conn, tenant_id, _REVISION.value(conn, {"tenant": tenant_id}))


def source(engine: sa.Engine, tenant_id: str, source_id: str) -> Source:
    """One source, as it was made: its numbering and affiliation never change, so an older revision will do.

    Raises:
        UnknownTenantError: the tenant is gone.
    """
    with _lock:
        known = _cache.get(tenant_id)
    if known is None or source_id not in known.sources:
        with reading(engine) as conn:
            known = current(conn, tenant_id)
    return known.sources[source_id]


def _of(conn: sa.Connection, tenant_id: str, revision: int | None) -> Rules:
    if revision is None:
        raise UnknownTenantError(tenant_id)
    with _lock:
        known = _cache.get(tenant_id)
        if known is not None and known.revision == revision:
            _cache.move_to_end(tenant_id)
            return known
    rules = load(conn, tenant_id, revision)
    with _lock:
        _cache[tenant_id] = rules
        while len(_cache) > CACHED_TENANTS:
            _cache.popitem(last=False)
    return rules


def load(conn: sa.Connection, tenant_id: str, revision: int) -> Rules:
    """Read all rules of the tenant."""

    def rows(table: sa.Table) -> list[Any]:
        return list(conn.execute(sa.select(table).where(table.c.tenant_id == tenant_id)))

    settings = conn.execute(sa.select(t.tenants.c.settings).where(t.tenants.c.id == tenant_id)).scalar_one()
    pushing = set(conn.execute(_PUSHING, {"tenant": tenant_id}).scalars())
    owned = {row.attribute: OwnershipRule(tuple(row.owners), tuple(row.create_only)) for row in rows(t.ownership)}
    return Rules(
        revision=revision,
        sources={row.id: replace(source_of(row), pushes_groups=row.id in pushing) for row in rows(t.sources)},
        ownership={**default_ownership(), **owned},
        roles={row.name: Role(row.name, row.rank, row.administrator, row.console) for row in rows(t.roles)},
        mappings=tuple(sorted((mapping_of(row) for row in rows(t.mappings)), key=lambda one: one.id)),
        highest_role_wins=value(settings, "highest_role_wins"),
        assigned_domains={row.domain: row.source_id for row in rows(t.domains)},
        forget_email_after_days=value(settings, "forget_email_after_days"),
        guard_share=value(settings, "guard.share"),
        guard_floor=value(settings, "guard.floor"),
        group_guard_floor=value(settings, "guard.group_floor"),
    )


def source_of(row: Any) -> Source:
    """A row of `sources` as the core knows it."""
    return Source(
        id=row.id,
        name=row.name,
        kind=SourceKind(row.kind),
        system=row.system,
        affiliation=Affiliation(row.affiliation),
        employee_namespace=row.employee_namespace,
        value_maps=row.settings.get("value_maps", {}),
        retired=row.state == "retired",
        arrival=row.settings.get("arrival", "link"),
        paired_source_id=row.settings.get("paired_source_id"),
    )


def mapping_of(row: Any) -> RoleMapping:
    """A row of `mappings` as the core knows it. One that waits for its group matches nobody."""
    match = (row.group_id or WAITING) if row.kind == "group" else fold(row.value or "")
    return RoleMapping(row.id, row.kind, match, row.role, row.scope, row.priority, row.source_id, row.attribute)
