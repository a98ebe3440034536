"""The roles of the tenant's LMS: made, changed and removed; what that does to people is shown before.

    a role as it would be ─▶ whoever holds it is weighed ─▶ preview ─▶ saved like the role table (`rule_saving`)

A rank decides which role wins, and whether a role administers decides who may be the last one to do so: both can turn
effective roles. Its description and its place in the console turn none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app import provisioning
from app.identity.console_roles import LADDER, highest
from app.identity.decide import Decision
from app.identity.model import Role, Rules
from app.identity.writes import BusyError
from app.store import mappings as store
from app.store import rules as rulebook
from app.store import runs as runs_store
from app.store import tables as t
from app.store.audit import Entry
from app.store.engine import reading
from app.store.mappings import RoleRow
from app.store.tenants import NotFoundError, raise_revision
from app.sync.mapping_changes import MappingError
from app.sync.mapping_people import Turn
from app.sync.mapping_work import Preview, Work, work_out
from app.sync.mappings import PreviewChangedError, Saved
from app.sync.rule_saving import ROUNDS, Act, MovedError, follow, settle

NAME: Final = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f])?")
RANKS: Final = range(1_001)


class RoleError(MappingError):
    """The role cannot be made, changed or removed as it is written; the message says why."""


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role as it is wanted. None: as it is, or for a new role 10, no administrator, no description.

    `console` is a place in the console, or "" for none.
    """

    name: str
    rank: int | None = None
    administrator: bool | None = None
    console: str | None = None
    description: str | None = None


def preview(engine: sa.Engine, tenant_id: str, change: RoleChange) -> Preview:
    """What it would do to effective roles. Nothing is locked or saved.

    Raises:
        RoleError: there can be no such role.
    """
    with reading(engine) as conn:
        _, wanted, work = _worked_out(conn, tenant_id, change)
    return work.preview([asdict(wanted)])


def save(
    engine: sa.Engine,
    tenant_id: str,
    change: RoleChange,
    *,
    actor: str,
    expected_hash: str | None = None,
    wait: bool = False,
) -> Saved:
    """Make or change the role, and derive whoever holds it: here up to one chunk (all of them with `wait`), else a run.

    Raises:
        RoleError: there can be no such role.
        PreviewChangedError: `expected_hash` is not that of the preview as it is now.
        LastAdministratorError: nobody would administer the tenant any more.
        BusyError: others write people of the tenant; try again.
    """
    for _ in range(ROUNDS):
        with reading(engine) as conn:
            known, wanted, work = _worked_out(conn, tenant_id, change)
        shown = work.preview([asdict(wanted)])
        if expected_hash not in (None, shown.hash):
            raise PreviewChangedError(shown)
        if known == wanted:
            return Saved(shown, work.turn.rules.revision, None, "complete")
        try:
            revision, run_id = settle(engine, tenant_id, work, _act(tenant_id, known, wanted, work, shown, actor))
        except MovedError:
            continue
        return Saved(shown, revision, run_id, follow(engine, run_id, work.total, wait=wait))
    raise BusyError("Others go on changing the same people. Nothing was saved; try again.")


def remove(engine: sa.Engine, tenant_id: str, name: str, *, actor: str) -> None:
    """Remove a role that nothing gives and nobody holds.

    Raises:
        NotFoundError: there is none of that name.
        RoleError: it is used, or the last one that administers.
    """

    def once(conn: sa.Connection, rules: Rules) -> None:
        known = _row(conn, tenant_id, name)
        if known is None:
            raise NotFoundError(f"there is no role {name}")
        if any(mapping.role == name for mapping in rules.mappings):
            raise RoleError(f"The role {name!r} is given by the role table: take its lines out first.")
        if store.is_held(conn, tenant_id, name):
            raise RoleError(f"Somebody holds the role {name!r}.")
        if known.administrator and not any(role.administrator for role in rules.roles.values() if role.name != name):
            raise RoleError("No other role administers: the tenant needs one.")
        mine = (t.roles.c.tenant_id == tenant_id, t.roles.c.name == name)
        conn.execute(sa.delete(t.roles).where(*mine))
        raise_revision(conn, tenant_id)
        entry = Entry(actor, "role.removed", name, {"before": asdict(known)})
        provisioning.save(conn, tenant_id, Decision(), rules, actor, datetime.now(UTC), [entry])

    provisioning.in_transaction(engine, tenant_id, once, alone=True)


def _worked_out(conn: sa.Connection, tenant_id: str, change: RoleChange) -> tuple[RoleRow | None, RoleRow, Work]:
    """The role as it is, as it would be, and what that does."""
    rules = rulebook.current(conn, tenant_id)
    known = _row(conn, tenant_id, change.name)
    wanted = _wanted(change, known)
    role = Role(wanted.name, wanted.rank, wanted.administrator, wanted.console)
    turn = Turn(
        rules,
        replace(rules, roles={**rules.roles, role.name: role}),
        tuple(mapping for mapping in rules.mappings if mapping.role == role.name),
        frozenset({role.name}),
    )
    same = known is not None and (known.rank, known.administrator) == (wanted.rank, wanted.administrator)
    return known, wanted, work_out(conn, tenant_id, turn, () if same else None)


def _wanted(change: RoleChange, known: RoleRow | None) -> RoleRow:
    past = known or RoleRow(change.name, 10, False, "", None)
    if not NAME.fullmatch(change.name):
        raise RoleError(f"{change.name!r} is no name for a role: up to 64 characters, no space around them.")
    rank = past.rank if change.rank is None else change.rank
    if rank not in RANKS:
        raise RoleError(f"A rank is a number from 0 to {RANKS[-1]:,}.")
    if change.console and change.console not in LADDER:
        raise RoleError(f"There is no place {change.console!r} in the console: {', '.join(LADDER)}.")
    console = past.console if change.console is None else highest([change.console])
    return RoleRow(
        name=change.name,
        rank=rank,
        administrator=past.administrator if change.administrator is None else change.administrator,
        description=past.description if change.description is None else change.description.strip(),
        console=console,
    )


def _row(conn: sa.Connection, tenant_id: str, name: str) -> RoleRow | None:
    return next((row for row in store.roles(conn, tenant_id) if row.name == name), None)


def _act(tenant_id: str, known: RoleRow | None, wanted: RoleRow, work: Work, shown: Preview, actor: str) -> Act:
    counts: Mapping[str, int] = shown.counts

    def write(conn: sa.Connection, revision: int, run_id: str | None) -> Entry:
        values = asdict(wanted)
        added = insert(t.roles).values(tenant_id=tenant_id, **values)
        del values["name"]
        conn.execute(added.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values))
        facts: dict[str, Any] = {"before": None if known is None else asdict(known), "after": asdict(wanted)}
        return Entry(actor, "role.saved", wanted.name, facts | {"counts": counts, "run": run_id, "revision": revision})

    def queue(conn: sa.Connection, state: str) -> str:
        payloads = [{"account": one} for one in work.in_order()]
        return runs_store.add(
            conn, tenant_id, kind="rules", state=state, actor=actor, payloads=payloads, summary={"counts": counts}
        )

    return Act(actor, datetime.now(UTC), counts, write, queue)
