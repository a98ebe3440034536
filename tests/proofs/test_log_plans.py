"""What the console's pages read of the logs and of what stands around a person: rows and pages counted, not time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
import sqlalchemy as sa

from app import explaining
from app.store import audit_log, overview, timeline
from app.store.audit_log import Asked
from app.store.engine import reading, writing
from tests import databases
from tests.proofs import crowd
from tests.proofs.plans import caught, connection, works
from tests.proofs.test_plans import SIZES, tenants

LOGS: Final = ("audit", "sign_ins", "scim_requests", "duplicates")
PERSON: Final = crowd.person_id(75)
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
_WHO: Final = "('0190b000-0000-7000-8000-' || lpad(to_hex(1 + n % :size), 12, '0'))"
_FILL: Final = (
    f"""INSERT INTO audit (tenant_id, number, at, actor, action, subject, facts, digest)
        SELECT CAST(:tenant AS uuid), n, :start + n * interval '1 second', 'scim:okta',
            CASE WHEN n % 3 = 0 THEN 'record.created' ELSE 'account.changed' END, {_WHO}, '{{}}', ''
        FROM generate_series(1, 3 * :size) n""",
    "UPDATE ledger SET next_audit = 3 * :size + 1 WHERE tenant_id = :tenant",
    f"""INSERT INTO sign_ins (tenant_id, id, code, at, outcome, reason, account_id)
        SELECT CAST(:tenant AS uuid), gen_random_uuid(), 'c' || n, :start + n * interval '1 second',
            CASE WHEN n % 10 = 0 THEN 'refused' ELSE 'accepted' END, CASE WHEN n % 10 = 0 THEN 'expired' END,
            {_WHO}::uuid FROM generate_series(1, 3 * :size) n""",
    f"""INSERT INTO scim_requests (tenant_id, id, at, source_id, credential, method, path, resource_id, status,
            milliseconds, effect)
        SELECT CAST(:tenant AS uuid), CAST(lpad(to_hex(CAST(extract(epoch FROM :start) * 1000 AS bigint) + n * 1000),
            12, '0') || '70008000' || lpad(to_hex(n), 12, '0') AS uuid), :start + n * interval '1 second',
            CAST('{crowd.SOURCE}' AS uuid), 'push', CASE WHEN n % 5 = 0 THEN 'PATCH' ELSE 'GET' END, '/Users', {_WHO},
            CASE WHEN n % 50 = 0 THEN 409 ELSE 200 END, 1, '{{}}' FROM generate_series(1, 3 * :size) n""",
    f"""INSERT INTO duplicates (tenant_id, id, record_id, account_id, candidates, reason)
        SELECT CAST(:tenant AS uuid), gen_random_uuid(), {_WHO}::uuid, {_WHO}::uuid, jsonb_build_array({_WHO}), 'r'
        FROM generate_series(1, :size / 4) n""",
)


@pytest.fixture(scope="module")
def filled(shared_engine: sa.Engine) -> Iterator[sa.Engine]:
    databases.empty(shared_engine)
    crowd.fill(shared_engine, SIZES)
    for place, size in enumerate(SIZES, 1):
        with writing(shared_engine) as conn:
            for text in _FILL:
                known = {"tenant": crowd.tenant_id(place), "size": size, "start": START}
                used = {name: value for name, value in known.items() if f":{name}" in text}
                conn.execute(sa.text(text), used)
    with shared_engine.connect() as conn:
        for table in LOGS:
            conn.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
    yield shared_engine
    databases.empty(shared_engine)


def check(engine: sa.Engine, ask: Callable[[sa.Connection], object], rows: int, pages: int) -> None:
    with caught() as sent, reading(engine) as conn:
        ask(conn)
    asked = [one for one in sent if one.large or any(name in one.text for name in LOGS)]
    assert asked
    with connection(engine) as plain:
        for one in asked:
            for work in works(plain, one):
                said = f"{work.mode}: {work.rows} rows, {work.pages} pages\n{work.plan}\n{one.text}"
                assert work.scanned <= {"sessions"}, said  # of which there are none here
                assert work.rows <= rows, said
                assert work.pages <= pages, said


@tenants
def test_a_person_and_a_timeline_read_what_they_show(filled: sa.Engine, place: int) -> None:
    tenant = crowd.tenant_id(place)
    check(filled, lambda conn: explaining.page(conn, tenant, PERSON), rows=600, pages=900)
    with reading(filled) as conn:
        first = timeline.of_account(conn, tenant, PERSON, limit=3)
    assert [one.kind for one in first.moments] == ["request", "sign-in", "audit"] or len(first.moments) == 3
    ask = lambda conn: timeline.of_account(conn, tenant, PERSON, limit=3, after=first.after)  # noqa: E731
    check(filled, ask, rows=600, pages=900)


@tenants
@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(subject=PERSON),
        Asked(since=START + timedelta(seconds=200), until=START + timedelta(seconds=210)),
    ],
    ids=["newest", "subject", "time"],
)
def test_a_page_of_the_audit_reads_what_it_shows(filled: sa.Engine, place: int, asked: Asked) -> None:
    check(filled, lambda conn: audit_log.page(conn, crowd.tenant_id(place), asked), rows=700, pages=900)


@tenants
def test_what_nobody_did_is_looked_for_among_five_thousand(filled: sa.Engine, place: int) -> None:
    for asked in (Asked(actor="nobody"), Asked(action="nothing.")):
        check(filled, lambda conn, a=asked: audit_log.page(conn, crowd.tenant_id(place), a), rows=5_200, pages=2_000)


@tenants
def test_the_overview_reads_up_to_its_limits(filled: sa.Engine, place: int) -> None:
    now = START + timedelta(hours=6)
    tenant = crowd.tenant_id(place)
    check(filled, lambda conn: overview.overview(conn, tenant, now), rows=2_500, pages=2_500)
    ask = lambda conn: (overview.requests_by_hour(conn, tenant, now), overview.sign_ins_by_hour(conn, tenant, now))  # noqa: E731
    check(filled, ask, rows=2 * 48 * overview.AN_HOUR, pages=30_000)
