"""Rules that concern everybody: shown first or saved at once, then everybody is derived again.

change ─▶ proposed: a run in state planning ─▶ whom it would change ─▶ planned ─▶ saved, if the rules stood still
   └────────────────────────── set at once ─────────────────────────────────────────▶ saved
saved: the rules alone ─▶ write ─▶ revision + 1 ─▶ a run over all accounts ─▶ COMMIT ─▶ here, or by a worker
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app import provisioning
from app.identity.decide import Decision
from app.identity.model import Rules
from app.provisioning import CHUNK
from app.store import plans, runs
from app.store import rules as rulebook
from app.store.audit import Entry
from app.store.engine import reading
from app.store.tenants import find_source, raise_revision
from app.sync import jobs, planning
from app.sync import runs as carrying
from app.sync.rule_changes import Meanings, Owners, Retirement, RuleChange, RuleError, as_dict, from_dict

__all__ = [
    "NotPlannedError",
    "RuleError",
    "RulesMovedError",
    "propose",
    "reset_owners",
    "save",
    "set_meaning",
    "set_owners",
]

SHOWN_AT_ONCE: Final = 2 * CHUNK  # people; who has more waits for a worker to look at them


class NotPlannedError(ValueError):
    """There is no such plan (any more): it was saved, thrown away, or its time is over."""


class RulesMovedError(ValueError):
    """The rules changed since the list was made: it is made again."""


def propose(engine: sa.Engine, tenant_id: str, change: RuleChange, *, actor: str, wait: bool = False) -> str:
    """Work out whom the change would concern, and save nothing of it. Returns the id of the run that holds the list.

    Raises:
        RuleError: the change cannot be.
    """
    with reading(engine) as conn:
        change.check(rulebook.current(conn, tenant_id))
        few = plans.accounts_up_to(conn, tenant_id, SHOWN_AT_ONCE + 1) <= SHOWN_AT_ONCE
        kind = "retirement" if isinstance(change, Retirement) else "rules"
        source_id = change.source_id if isinstance(change, (Meanings, Retirement)) else None
        run = plans.begin(
            conn, tenant_id, kind=kind, actor=actor, summary={"change": as_dict(change)}, source_id=source_id
        )
    if not ((few or wait) and planning.finish(engine, run)):
        jobs.wake(engine, "plan")
    return run


def proposed(engine: sa.Engine, tenant_id: str, change: RuleChange, *, actor: str) -> tuple[str, Mapping[str, Any]]:
    """As `propose`, to its end, however many people there are: the run's id and summary.

    Raises:
        RuleError: the change cannot be.
    """
    run_id = propose(engine, tenant_id, change, actor=actor, wait=True)
    with reading(engine) as conn:
        return run_id, runs.find(conn, tenant_id, run_id).summary


def save(engine: sa.Engine, tenant_id: str, run_id: str, actor: str, *, reason: str = "", wait: bool = False) -> str:
    """Save the change that a plan shows; its run goes on to derive everybody. Returns its state.

    Raises:
        NotFoundError: there is no such run.
        NotPlannedError: it is no plan of a rule, or not any more.
        RulesMovedError: other rules were saved meanwhile; the list is being made again.
        RuleError: the change cannot be any more.
    """

    def once(conn: sa.Connection, rules: Rules) -> tuple[int, bool]:
        run = runs.find(conn, tenant_id, run_id)
        if plans.locked(conn, tenant_id, run_id) != "planned" or "change" not in run.summary:
            raise NotPlannedError("This plan was saved or thrown away already, or its time is over.")
        change = from_dict(run.summary["change"])
        if run.summary.get("revision") != rules.revision:
            plans.again(conn, tenant_id, run_id)
            return 0, False
        change.check(rules)
        told = {"counts": run.summary.get("counts", {}), **({"reason": reason} if reason else {})}
        note = {"savedBy": actor, **({"reason": reason} if reason else {})}
        return _written(conn, tenant_id, change, run_id, actor, told, note), True

    total, saved = provisioning.in_transaction(engine, tenant_id, once, alone=True)
    if not saved:
        jobs.wake(engine, "plan")
        raise RulesMovedError("Other rules were saved meanwhile: the list is being made again.")
    return _go_on(engine, run_id, total, wait)


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
    if not owners:
        raise RuleError("name at least one owner")
    return set_at_once(engine, tenant_id, Owners(attribute, tuple(owners), tuple(create_only)), actor=actor)


def reset_owners(engine: sa.Engine, tenant_id: str, attribute: str, *, actor: str) -> str:
    """Go back to the product's own rule for the attribute; returns the run's id.

    Raises:
        RuleError: no account has such an attribute.
    """
    return set_at_once(engine, tenant_id, Owners(attribute), actor=actor)


def set_meaning(
    engine: sa.Engine, tenant_id: str, source_name: str, attribute: str, code: str, name: str | None, *, actor: str
) -> str:
    """Say what a source's code means in the LMS (None: nothing of its own any more); returns the run's id.

    Raises:
        RuleError: no account has such an attribute.
        NotFoundError: the tenant has no such source.
    """
    with reading(engine) as conn:
        source = find_source(conn, tenant_id, source_name)
    return set_at_once(engine, tenant_id, Meanings(source.id, {attribute: {code: name}}), actor=actor)


def set_at_once(engine: sa.Engine, tenant_id: str, change: RuleChange, *, actor: str) -> str:
    """Save a change that nobody wants to see first; returns the id of the run that derives everybody.

    Raises:
        RuleError: the change cannot be.
    """

    def once(conn: sa.Connection, rules: Rules) -> tuple[str, int]:
        change.check(rules)
        run = plans.begin(conn, tenant_id, kind="rules", actor=actor, summary={"change": as_dict(change)})
        return run, _written(conn, tenant_id, change, run, actor, {}, {})

    run, concerned = provisioning.in_transaction(engine, tenant_id, once, alone=True)
    _go_on(engine, run, concerned, wait=False)
    return run


def _written(
    conn: sa.Connection,
    tenant_id: str,
    change: RuleChange,
    run_id: str,
    actor: str,
    told: dict[str, Any],
    note: dict[str, Any],
) -> int:
    """The change and the run that derives everybody, in one transaction: a crash leaves nobody behind."""
    facts = {**change.write(conn, tenant_id), **told}
    facts["revision"] = raise_revision(conn, tenant_id)
    concerned = plans.everybody(conn, tenant_id, run_id, {**note, **facts})
    entry = Entry(actor, change.action, tenant_id, {**facts, "run": run_id})
    rules = rulebook.current(conn, tenant_id)
    provisioning.save(conn, tenant_id, Decision(), rules, actor, datetime.now(UTC), [entry])
    return concerned


def _go_on(engine: sa.Engine, run_id: str, concerned: int, wait: bool) -> str:
    if (wait or concerned <= CHUNK) and carrying.finish(engine, run_id):
        return "complete"
    jobs.wake(engine)
    return "queued"
