"""A browser that is in the console, of whatever tenant and role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa

from app.console.visit import cookie_name
from app.store import console_sessions
from app.store import tables as t
from app.store.console_sessions import NewConsoleSession
from app.store.engine import writing
from tests.journeys.chromium import Chromium, Tab

Enter = Callable[..., Tab]


def secret(engine: sa.Engine, tenant_id: str, role: str) -> str:
    """The session of a new administrator of that role."""
    id = console_sessions.new_id()
    row: dict[str, Any] = {"tenant_id": tenant_id, "id": id, "email": f"{role}-{id}@quay.example", "role": role}
    with writing(engine) as conn:
        conn.execute(sa.insert(t.administrators).values(**row, name=f"An {role}", created_by="test"))
        new = NewConsoleSession(tenant_id, "password", administrator_id=id, proven=True)
        return console_sessions.begin(conn, new).secret


@contextmanager
def entering(chrome: Chromium, engine: sa.Engine, url: str, tenant_id: str) -> Iterator[Enter]:
    """`enter("auditor", scripts=False)`: a tab of a new administrator; all close when the block ends."""
    with ExitStack() as stack:

        def enter(role: str = "owner", *ours: str, scripts: bool = True) -> Tab:
            tab = stack.enter_context(chrome.tab(url, *ours, scripts=scripts))
            tab.cookie(url, cookie_name(url), secret(engine, tenant_id, role))
            return tab

        yield enter
