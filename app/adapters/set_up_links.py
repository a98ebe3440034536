"""Set-up links: a customer's IT sets up one connection, or one SCIM source, and sees nothing else.

make ─▶ a link, shown once ─▶ opened, once ─▶ a session that ends with the link or when it is revoked
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import sqlalchemy as sa

from app.adapters.administering import Doer, NotDoneError
from app.adapters.audited import audited
from app.identity.console_roles import reaches
from app.store import connection_setups, connections, console_links
from app.store import tables as t
from app.store.audit import Entry
from app.store.console_links import Issued
from app.store.engine import reading

DAYS: Final = 7
MOST_DAYS: Final = 30
LONGEST_NOTE: Final = 100
MOST_SHOWN: Final = 200

Purpose = Literal["connection", "scim"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a link may be for."""

    purpose: Purpose
    id: str
    title: str


def targets(engine: sa.Engine, tenant_id: str) -> list[Target]:
    """The tenant's connections, those that are being set up too, and the sources that push by SCIM."""
    sources = (
        sa.select(t.sources.c.id, t.sources.c.name)
        .where(t.sources.c.tenant_id == tenant_id, t.sources.c.kind == "idp", t.sources.c.state != "retired")
        .order_by(t.sources.c.name)
        .limit(MOST_SHOWN)
    )
    with reading(engine) as conn:
        found = [Target("connection", one.id, one.title) for one in connections.listing(conn, tenant_id)]
        waiting = connection_setups.waiting(conn, tenant_id)
        found += [Target("connection", one.connection_id, f"{one.title} ({one.name})") for one in waiting]
        return found + [Target("scim", str(row.id), row.name) for row in conn.execute(sources)]


def make(
    engine: sa.Engine, tenant_id: str, purpose: str, target_id: str, note: str, days: int, doer: Doer
) -> tuple[Target, Issued]:
    """A link for one of `targets`; its address is shown once.

    Raises:
        NotDoneError: what was said is wrong, or the doer's role is too small.
    """
    if not reaches(doer.role, "admin"):
        raise NotDoneError("Administrators and owners make set-up links.")
    target = next((one for one in targets(engine, tenant_id) if (one.purpose, one.id) == (purpose, target_id)), None)
    if target is None:
        raise NotDoneError("Choose what is to be set up.", "target")
    if not 1 <= days <= MOST_DAYS:
        raise NotDoneError(f"A set-up link is good for 1 to {MOST_DAYS} days.", "days")
    note = " ".join(note.split())
    if not note or len(note) > LONGEST_NOTE or not note.isprintable():
        raise NotDoneError(f"Write for whom it is, in at most {LONGEST_NOTE} characters.", "note")
    about = {"connection_id" if target.purpose == "connection" else "source_id": target.id}

    def act(conn: sa.Connection) -> tuple[Issued, list[Entry]]:
        link = console_links.issue(
            conn, tenant_id, target.purpose, doer.actor, timedelta(days=days), note=note, **about
        )
        facts = {"purpose": target.purpose, "target": target.id, "until": link.expires_at.isoformat()}
        return link, [Entry(doer.actor, "set_up_link.made", link.id, facts, {"note": note})]

    return target, audited(engine, tenant_id, act)


def revoke(engine: sa.Engine, tenant_id: str, id: str, doer: Doer) -> bool:
    """End it, and whoever came in by it; False: there is none such, or it is revoked already."""

    def act(conn: sa.Connection) -> tuple[bool, list[Entry]]:
        found = console_links.by_id(conn, tenant_id, id)
        if found is None or found.purpose == "invitation" or not console_links.revoke(conn, tenant_id, id):
            return False, []
        return True, [Entry(doer.actor, "set_up_link.revoked", id, {"purpose": found.purpose})]

    return audited(engine, tenant_id, act)
