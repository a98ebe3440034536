"""Many accounts at once, written as the write door leaves them, without what the reads do not look at."""

from __future__ import annotations

import sqlalchemy as sa

from app.store.engine import writing

# Account n has the id 0…n and the version of its one event, n; every 7th is inactive, every 10th an instructor twice.
_PEOPLE = sa.text("""
    INSERT INTO accounts (tenant_id, id, status, affiliation, attributes, lineage, grants, roles, version, revision,
        created_at, updated_at)
    SELECT CAST(:tenant AS uuid), lpad(to_hex(n), 32, '0')::uuid, CASE WHEN n % 7 = 0 THEN 'inactive' ELSE 'active' END,
        'employee', jsonb_build_object('emails.work', 'p' || n || '@acme.test', 'displayName', 'Zoë "' || n || '"'),
        '{"displayName": {"source": null, "record": null, "rule": "by hand", "at": "2026-01-01T00:00:00+00:00"}}',
        CASE WHEN n % 10 = 0 THEN
            '[{"role": "instructor", "scope": "tenant", "rule": "mapping:1", "effective": true},
              {"role": "instructor", "scope": "tenant", "rule": "mapping:2", "effective": true}]'::jsonb
            ELSE '[]' END,
        CASE WHEN n % 10 = 0 THEN ARRAY['instructor'] ELSE '{}'::text[] END, n, 1, now(), now()
    FROM generate_series(1, :count) n
""")
_GRANTS = sa.text("""
    INSERT INTO grants (tenant_id, account_id, role, scope, rule, effective, since)
    SELECT CAST(:tenant AS uuid), lpad(to_hex(n), 32, '0')::uuid, 'instructor', 'tenant', rule, true, now()
    FROM generate_series(10, :count, 10) n, unnest(ARRAY['mapping:1', 'mapping:2']) rule
""")
_EVENTS = sa.text("""
    INSERT INTO events (tenant_id, number, type, account_id, at, data)
    SELECT CAST(:tenant AS uuid), n, 'account.created', lpad(to_hex(n), 32, '0')::uuid, now(),
        jsonb_build_object('status', 'active', 'roles', '{}'::jsonb, 'before', '{}'::jsonb, 'after', '{}'::jsonb)
    FROM generate_series(1, :count) n
""")
_LEDGER = sa.text("UPDATE ledger SET next_event = :count + 1 WHERE tenant_id = :tenant")


def account_id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012x}"


def fill(engine: sa.Engine, tenant_id: str, count: int) -> None:
    with writing(engine) as conn:
        for statement in (_PEOPLE, _GRANTS, _EVENTS, _LEDGER):
            conn.execute(statement, {"tenant": tenant_id, "count": count})
