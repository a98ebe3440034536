"""Ending people's sessions by hand, with an audit entry for each: of the person, or of an administrator."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.adapters.audited import audited
from app.store import sessions
from app.store.audit import Entry
from app.store.sessions import Ended


def end(engine: sa.Engine, tenant_id: str, ids: Sequence[str], actor: str) -> list[Ended]:
    """End these sessions of the tenant; those that were over before are not in the answer."""

    def act(conn: sa.Connection) -> tuple[list[Ended], list[Entry]]:
        ended = sessions.end(conn, tenant_id, ids, actor)
        return ended, [Entry(actor, "session.ended", one.account_id, {"session": one.id}) for one in ended]

    return audited(engine, tenant_id, act)


def end_all(engine: sa.Engine, tenant_id: str, account_id: str, actor: str) -> list[Ended]:
    """Sign a person out everywhere: whatever began before this moment is over, in every process."""

    def act(conn: sa.Connection) -> tuple[list[Ended], list[Entry]]:
        ended = sessions.end_all(conn, tenant_id, account_id, actor)
        return ended, [Entry(actor, "account.signed_out", account_id, {"sessions": len(ended)})]

    return audited(engine, tenant_id, act)
