"""What a crash, or a fact that came late, left to do: looked for every few seconds, in all tenants.

runs queued or stalled, plans to be made · drafts of the role table that wait, or are old · days that have come
held plans too old · managers who became known · groups that show a run as pending which is over
SCIM requests that are kept long enough · what signing in left behind, codes and tokens that are over
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.identity.writes import Rederive, RefusedError
from app.provisioning import CHUNK, provision
from app.sources import hr
from app.store import authorizations, draft_people, forgetting, scim_clients, scim_requests
from app.store import rules as rulebook
from app.store import runs as store
from app.store.engine import reading
from app.store.tenant_settings import value
from app.sync import drafts, planning, runs

_KNOWN_NOW: Final = sa.text("""
    SELECT m.tenant_id, m.account_id, m.namespace, m.value FROM manager_keys m
    JOIN records r ON r.tenant_id = m.tenant_id AND r.id = CASE WHEN m.namespace = 'record' THEN m.value::uuid END
    WHERE NOT m.resolved AND r.account_id IS NOT NULL
    UNION
    SELECT m.tenant_id, m.account_id, m.namespace, m.value FROM manager_keys m
    JOIN identifiers i ON i.tenant_id = m.tenant_id AND i.namespace = m.namespace AND i.value = m.value
        AND i.affiliation IN ('employee', 'customer')
    WHERE NOT m.resolved AND m.namespace <> 'record' AND cardinality(i.holders) = 1
    LIMIT :limit
""")
_DUE: Final = sa.text("""
    SELECT tenant_id, source_id, document FROM records
    WHERE due_at <= :now AND deleted_at IS NULL ORDER BY due_at, id LIMIT :limit
""")
_RESOLVED: Final = sa.text("""
    UPDATE manager_keys m SET resolved = true
    FROM jsonb_to_recordset(:keys) AS k(account uuid, namespace text, value text)
    WHERE m.tenant_id = :tenant AND m.account_id = k.account AND m.namespace = k.namespace AND m.value = k.value
""").bindparams(sa.bindparam("keys", type_=JSONB))
_SHOWN: Final = sa.text("""
    UPDATE groups g SET pending_run_id = NULL
    WHERE g.pending_run_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM runs r WHERE r.tenant_id = g.tenant_id AND r.id = g.pending_run_id
            AND r.state IN ('queued', 'running', 'held'))
""")


FORGET_BEFORE: Final = 5  # second of a minute: once a minute will do, it passes over sessions that tokens live by


def sweep(engine: sa.Engine, now: datetime | None = None) -> None:
    """Do what is left to do, a chunk of each kind at most; runs are carried out to their end."""
    at = now or datetime.now(UTC)
    with reading(engine) as conn:
        store.expire(conn, at)
        conn.execute(_SHOWN)
        scim_clients.forget_used(conn, at)
        authorizations.forget(conn)
        scim_requests.forget(conn, at, value({}, "scim.log_days"))
        if at.second < FORGET_BEFORE:
            forgetting.forget(conn)
            draft_people.forget(conn)
            store.forget_prepared(conn)
    _tell_of_days(engine, at)
    _tell_of_managers(engine)
    drafts.drain(engine)
    runs.drain(engine)
    planning.drain(engine)


def _tell_of_days(engine: sa.Engine, now: datetime) -> None:
    """Read again the records of which a first day has come or a last one is over."""
    with reading(engine) as conn:
        due = conn.execute(_DUE, {"now": now, "limit": CHUNK}).all()
    for tenant_id in sorted({str(row.tenant_id) for row in due}):
        with reading(engine) as conn:
            sources = rulebook.current(conn, tenant_id).sources
        mine = [(sources[str(row.source_id)], row.document) for row in due if str(row.tenant_id) == tenant_id]
        for source, document in mine:
            try:
                provision(engine, tenant_id, [hr.to_write(source, document, now)], actor="calendar", now=now)
            except RefusedError:
                continue  # others hold the person: the next sweep finds the day again


def _tell_of_managers(engine: sa.Engine) -> None:
    """Derive again who named a manager that somebody is by now.

    A key is marked even where the account stays as it was, by a second key of a manager known already or by a circle:
    it would be found again for ever.
    """
    with reading(engine) as conn:
        found = conn.execute(_KNOWN_NOW, {"limit": CHUNK}).all()
    waiting: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in found:
        named = {"account": str(row.account_id), "namespace": row.namespace, "value": row.value}
        waiting[str(row.tenant_id)].append(named)
    for tenant_id, keys in waiting.items():
        accounts = sorted({key["account"] for key in keys})
        try:
            provision(engine, tenant_id, [Rederive(one) for one in accounts], actor="managers")
        except RefusedError:
            continue  # others hold them: the next sweep finds them again
        with reading(engine) as conn:
            conn.execute(_RESOLVED, {"tenant": tenant_id, "keys": keys})
