"""What signing in leaves behind is deleted when it is of no more use, a bounded number of each kind at a time.

flows, requests to providers, spent messages, tests: when their time is over ·
the sign-in log: after `sign_in.log_days` ·
sessions: 30 days after their time, and not while an authorization lives by them ·
the console's sessions the same; its challenges: when their time is over; its links: 180 days after they were made
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.store.driver import Statement
from app.store.tenant_settings import SETTINGS

AT_ONCE: Final = 5_000
SESSIONS_KEPT_DAYS: Final = 30
LINKS_KEPT_DAYS: Final = 180  # none is good for more than 30
_LOG_DAYS: Final = next(setting.default for setting in SETTINGS if setting.name == "sign_in.log_days")


def forget(conn: sa.Connection, limit: int = AT_ONCE) -> int:
    """Delete what is over, at most `limit` of each kind; how many."""
    return sum(len(statement.rows(conn, {"limit": limit})) for statement in (*_ALL, *_CONSOLE))


def _forgetting(table: str, keys: tuple[str, ...], time: str, over: str, unless: str = "") -> Statement:
    """Tenant by tenant, so that each scan runs along an index, which begins with the tenant; oldest first."""
    chosen = ", ".join(f"x.{key}" for key in ("tenant_id", *keys))
    same = " AND ".join(f"x.{key} = old.{key}" for key in ("tenant_id", *keys))
    return Statement(f"""
        WITH old AS (
            SELECT d.* FROM tenants n CROSS JOIN LATERAL (
                SELECT {chosen} FROM {table} x WHERE x.tenant_id = n.id AND x.{time} < {over} {unless}
                ORDER BY x.{time} LIMIT CAST(%(limit)s AS int)
            ) d LIMIT CAST(%(limit)s AS int)
        ) DELETE FROM {table} x USING old WHERE {same} RETURNING 1
    """)


def _by_time(table: str, keys: str, over: str) -> Statement:
    """Along an index on the end alone: what is shown before the tenant is known is kept so."""
    return Statement(f"""
        DELETE FROM {table} WHERE ({keys}) IN (
            SELECT {keys} FROM {table} WHERE expires_at < {over} ORDER BY expires_at LIMIT CAST(%(limit)s AS int))
        RETURNING 1
    """)


_ALL: Final = (
    _forgetting("flows", ("hash",), "expires_at", "now()"),
    _forgetting("pending_logins", ("hash",), "expires_at", "now()"),
    _forgetting("used_messages", ("connection_id", "hash"), "until", "now()"),
    _forgetting("sign_in_tests", ("id",), "expires_at", "now()"),
    _forgetting(
        "sign_ins",
        ("id",),
        "at",
        f"now() - make_interval(days => COALESCE(CAST(n.settings #>> '{{sign_in,log_days}}' AS int), {_LOG_DAYS}))",
    ),
    _forgetting(
        "sessions",
        ("id",),
        "expires_at",
        f"now() - interval '{SESSIONS_KEPT_DAYS} days'",
        "AND NOT EXISTS (SELECT FROM authorizations z WHERE z.tenant_id = x.tenant_id AND z.session_id = x.id)",
    ),
)
_CONSOLE: Final = (
    _by_time("console_sessions", "tenant_id, id", f"now() - interval '{SESSIONS_KEPT_DAYS} days'"),
    _by_time("console_challenges", "hash", "now()"),
    _forgetting("console_links", ("id",), "created_at", f"now() - interval '{LINKS_KEPT_DAYS} days'"),
)
