"""What pages of the console read to find one thing, or none, among however many there are: rows counted, not time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import first_steps, mapping_drafts, mapping_revisions, runs, tenants
from app.store.engine import reading, writing
from app.store.tenants import NotFoundError
from tests import databases
from tests.proofs import crowd
from tests.proofs.plans import caught, connection, works

SIZE: Final = 3_000
FEW: Final = 40
TABLES: Final = ("runs", "mapping_drafts", "mapping_revisions", "sign_ins")
_FILL: Final = (
    """INSERT INTO runs (tenant_id, id, kind, state, actor)
        SELECT :tenant, gen_random_uuid(), 'import', 'complete', 'a' FROM generate_series(1, :size)""",
    """INSERT INTO mapping_drafts (tenant_id, id, actor, state)
        SELECT :tenant, gen_random_uuid(), 'a', 'ready' FROM generate_series(1, :size)""",
    """INSERT INTO mapping_revisions (tenant_id, id, revision, actor)
        SELECT :tenant, gen_random_uuid(), n, 'a' FROM generate_series(1, :size) n""",
    """INSERT INTO connections (tenant_id, id, name, title, kind, source_id)
        SELECT :tenant, gen_random_uuid(), 'c' || n, 'C', 'oidc', gen_random_uuid() FROM generate_series(1, 3) n""",
    """INSERT INTO sign_ins (tenant_id, id, code, connection_id, outcome)
        SELECT :tenant, gen_random_uuid(), c.name || '-' || n, c.id, 'refused'
        FROM generate_series(1, :size) n, connections c WHERE c.tenant_id = :tenant""",
)


@pytest.fixture(scope="module")
def filled(shared_engine: sa.Engine) -> Iterator[tuple[sa.Engine, str]]:
    """A tenant with many of each and no sign-in that was accepted, behind one with people."""
    databases.empty(shared_engine)
    crowd.fill(shared_engine, (SIZE,))
    with writing(shared_engine) as conn:
        tenant = tenants.create(conn, "acme").id
        for text in _FILL:
            known = {"tenant": tenant} | ({"size": SIZE} if ":size" in text else {})
            conn.execute(sa.text(text.replace(":tenant", "CAST(:tenant AS uuid)")), known)
    with shared_engine.connect() as conn:
        for table in TABLES:
            conn.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
    yield shared_engine, tenant
    databases.empty(shared_engine)


def check(engine: sa.Engine, ask: Callable[[sa.Connection], Any]) -> None:
    with caught() as sent, reading(engine) as conn, suppress(NotFoundError):
        ask(conn)
    assert sent
    with connection(engine) as plain:
        for one in sent:
            for work in works(plain, one):
                assert work.rows <= FEW, f"{work.mode}: {work.rows} rows\n{work.plan}\n{one.text}"


@pytest.mark.parametrize(
    "find", [runs.find, mapping_drafts.find, mapping_revisions.find], ids=lambda one: one.__module__
)
def test_one_is_found_by_its_id(filled: tuple[sa.Engine, str], find: Callable[..., Any]) -> None:
    engine, tenant = filled
    table = find.__module__.rpartition(".")[2]
    with reading(engine) as conn:
        there = str(conn.exec_driver_sql(f"SELECT id FROM {table} ORDER BY id OFFSET 1000 LIMIT 1").scalar_one())
        assert find(conn, tenant, there).id == there
        for text in (str(uuid4()), "no id", ""):
            with pytest.raises(NotFoundError):
                find(conn, tenant, text)
    for text in (there, str(uuid4())):
        check(engine, lambda conn, text=text: find(conn, tenant, text))


def test_what_a_new_tenant_lacks_is_missed_at_once(filled: tuple[sa.Engine, str]) -> None:
    engine, tenant = filled
    check(engine, lambda conn: first_steps.first_steps(conn, tenant))
    with reading(engine) as conn:
        found = first_steps.first_steps(conn, tenant)
        crowded = first_steps.first_steps(conn, crowd.tenant_id(1))
    assert (found.people, found.connection, found.signed_in) == (False, True, False)
    assert crowded.people
