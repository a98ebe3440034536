"""The filters that identity providers send use an index, under custom and under generic plans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters.filter_sql import where
from app.store.tables import records
from scim.filters import parse
from scim.schemas import ENTERPRISE_USER
from scim.store import Limits

TENANT = "0190a000-0000-7000-8000-000000000001"
SOURCE = "0190a000-0000-7000-8000-000000000002"
OTHER = "0190a000-0000-7000-8000-000000000003"
CROWD = 20_000


@pytest.fixture(scope="module")
def crowd(shared_engine: sa.Engine) -> Iterator[sa.Connection]:
    """20,000 people of two unequal tenants in a transaction that is rolled back."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        connection.execute(
            _CROWD,
            {"crowd": CROWD, "one": TENANT, "two": OTHER, "source": SOURCE, "enterprise": ENTERPRISE_USER.lower()},
        )
        connection.execute(sa.text("ANALYZE records"))
        yield connection
        transaction.rollback()


_CROWD = sa.text(
    """
    INSERT INTO records (tenant_id, id, source_id, user_name, active, search, created_at, updated_at)
    SELECT tenant, gen_random_uuid(), CAST(:source AS uuid), 'p' || n || '@x.org', true,
           jsonb_build_object('$t', tenant, '$s', CAST(:source AS uuid), 'username', 'p' || n || '@x.org',
               'active', true,
               'externalid', 'ext-' || n, 'title', 't' || n % 50,
               'emails', jsonb_build_array(jsonb_build_object('type', 'work', 'value', 'p' || n || '@x.org')),
               CAST(:enterprise AS text), jsonb_build_object('employeenumber', 'e' || n)),
           now(), now()
    FROM (SELECT n, CAST(CASE WHEN n % 10 = 0 THEN :two ELSE :one END AS uuid) AS tenant
          FROM generate_series(1, :crowd) AS n) AS people
    """
)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("text", "index"),
    [
        ('userName eq "P77@x.org"', "uq_records_user_name"),
        ('userName eq "P77@x.org" and active eq true', "uq_records_user_name"),
        ('externalId eq "ext-77"', "ix_records_search"),
        ('emails[type eq "work" and value eq "P77@x.org"]', "ix_records_search"),
        ('emails[type eq "work"].value eq "P77@x.org"', "ix_records_search"),
        (f'{ENTERPRISE_USER}:employeeNumber eq "E77"', "ix_records_search"),
        ('externalId eq "ext-77" or emails.value eq "p78@x.org"', "ix_records_search"),
    ],
)
def test_the_filters_of_identity_providers_use_an_index(crowd: sa.Connection, mode: str, text: str, index: str) -> None:
    condition = where(
        parse(["User"], text, Limits()), kind="User", tenant_id=TENANT, source_id=SOURCE, columns=records.c
    )
    query = sa.select(records.c.id).where(
        records.c.tenant_id == TENANT, records.c.source_id == SOURCE, records.c.deleted_at.is_(None), condition
    )
    assert crowd.scalars(query).all()
    plan = _plan(crowd, query, mode)
    assert f'"{index}"' in plan
    assert "Seq Scan" not in plan


def _plan(connection: sa.Connection, query: sa.Select[Any], mode: str) -> str:
    """The plan of the statement as the driver would prepare it."""
    compiled = query.compile(dialect=connection.dialect)
    names = list(compiled.params)
    statement = compiled.string
    processors = compiled._bind_processors
    values = [
        processors[name](compiled.params[name]) if name in processors else compiled.params[name] for name in names
    ]
    for place, name in enumerate(names, 1):
        statement = statement.replace(f"%({name})s", f"${place}")
    shown = ", ".join(
        "'" + (v if isinstance(v, str) else json.dumps(getattr(v, "obj", v))).replace("'", "''") + "'" for v in values
    )
    run = connection.exec_driver_sql
    run(f"SET LOCAL plan_cache_mode = {mode}")
    run(f"PREPARE wanted AS {statement}")
    try:
        rows = run(f"EXPLAIN (FORMAT JSON) EXECUTE wanted({shown})").scalar_one()
    finally:
        run("DEALLOCATE wanted")
    return json.dumps(rows)
