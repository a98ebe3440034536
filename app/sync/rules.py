"""Rules that concern everybody: who owns an attribute, and what a source's codes mean.

the rules alone ─▶ write ─▶ revision + 1 ─▶ a run over all accounts ─▶ COMMIT ─▶ the run: here, or by a worker
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import provisioning
from app.identity.attributes import default_ownership, family, is_known
from app.identity.decide import Decision
from app.identity.model import Rules, SourceKind
from app.provisioning import CHUNK
from app.store import rules as rulebook
from app.store import runs as store
from app.store import tables as t
from app.store.audit import Entry
from app.store.tenants import find_source, raise_revision
from app.store.tenants import sources as sources_of
from app.sync import jobs, runs


class RuleError(ValueError):
    """A rule that cannot be. Nothing was saved."""


def set_owners(
    engine: sa.Engine,
    tenant_id: str,
    attribute: str,
    owners: Sequence[str],
    *,
    create_only: Sequence[str] = (),
    actor: str,
) -> str:
    """Say who owns an attribute or a family of them, first to last; returns the id of the run that derives everybody.

    Raises:
        RuleError: no account has such an attribute, or an owner is neither a kind of source nor a source.
    """
    _check_attribute(attribute)
    if not owners:
        raise RuleError("name at least one owner")

    def write(conn: sa.Connection) -> dict[str, Any]:
        known = {source.name for source in sources_of(conn, tenant_id)} | {kind.value for kind in SourceKind}
        for owner in (*owners, *create_only):
            if owner not in known:
                raise RuleError(
                    f"{owner!r} is neither a kind of source nor a source; there are {', '.join(sorted(known))}"
                )
        row = {"owners": list(owners), "create_only": list(create_only)}
        added = insert(t.ownership).values(tenant_id=tenant_id, attribute=attribute, **row)
        conn.execute(added.on_conflict_do_update(index_elements=["tenant_id", "attribute"], set_=row))
        return {"attribute": attribute, **row}

    return _change(engine, tenant_id, "ownership.saved", write, actor)


def reset_owners(engine: sa.Engine, tenant_id: str, attribute: str, *, actor: str) -> str:
    """Go back to the product's own rule for the attribute; returns the run's id.

    Raises:
        RuleError: no account has such an attribute.
    """
    _check_attribute(attribute)

    def write(conn: sa.Connection) -> dict[str, Any]:
        mine = (t.ownership.c.tenant_id == tenant_id, t.ownership.c.attribute == attribute)
        conn.execute(sa.delete(t.ownership).where(*mine))
        return {"attribute": attribute}

    return _change(engine, tenant_id, "ownership.reset", write, actor)


def set_meaning(
    engine: sa.Engine, tenant_id: str, source_name: str, attribute: str, code: str, name: str | None, *, actor: str
) -> str:
    """Say what a source's code means in the LMS (None: nothing of its own any more); returns the run's id.

    Raises:
        RuleError: no account has such an attribute.
        NotFoundError: the tenant has no such source.
    """
    _check_attribute(attribute)

    def write(conn: sa.Connection) -> dict[str, Any]:
        source = find_source(conn, tenant_id, source_name)
        settings = dict(source.settings)
        maps = {key: dict(value) for key, value in settings.get("value_maps", {}).items()}
        meanings = maps.setdefault(attribute, {})
        if name is None:
            meanings.pop(code, None)
        else:
            meanings[code] = name
        settings["value_maps"] = {key: value for key, value in maps.items() if value}
        mine = (t.sources.c.tenant_id == tenant_id, t.sources.c.id == source.id)
        conn.execute(sa.update(t.sources).where(*mine).values(settings=settings))
        return {"source": source_name, "attribute": attribute, "code": code, "name": name}

    return _change(engine, tenant_id, "value map.saved", write, actor)


def _check_attribute(attribute: str) -> None:
    if attribute not in default_ownership() and not is_known(attribute):
        raise RuleError(f"no account has an attribute {attribute!r}; there are {', '.join(default_ownership())}")
    if family(attribute) not in default_ownership():
        raise RuleError(f"no account has an attribute {attribute!r}")


def _change(
    engine: sa.Engine,
    tenant_id: str,
    action: str,
    write: Callable[[sa.Connection], Mapping[str, Any]],
    actor: str,
) -> str:
    """The change and the run that derives everybody, in one transaction: a crash leaves nobody behind."""

    def once(conn: sa.Connection, _rules: Rules) -> tuple[str, int]:
        facts = dict(write(conn))
        facts["revision"] = raise_revision(conn, tenant_id)
        chosen = sa.select(t.accounts.c.id).where(t.accounts.c.tenant_id == tenant_id).order_by(t.accounts.c.id)
        everybody = [str(row.id) for row in conn.execute(chosen)]
        run = store.queue(conn, tenant_id, kind="rules", actor=actor, account_ids=everybody, summary=facts)
        entry = Entry(actor, action, tenant_id, {**facts, "run": run})
        rules = rulebook.current(conn, tenant_id)
        provisioning.save(conn, tenant_id, Decision(), rules, actor, datetime.now(UTC), [entry])
        return run, len(everybody)

    run, concerned = provisioning.in_transaction(engine, tenant_id, once, alone=True)
    if concerned > CHUNK or not runs.finish(engine, run):
        jobs.wake(engine)
    return run
