from __future__ import annotations

import csv
import io
import json

import pytest
import sqlalchemy as sa

from app.identity.writes import ByHand
from app.provisioning import provision
from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from tests.cli.commands import Command, runner, told
from tests.sync.groups import pushed


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: Tenant, okta: SourceRow) -> Command:
    """Two people pushed; one of them suspended by ada."""
    pushed(engine, okta, "ann", "ben")
    with reading(engine) as conn:
        ann = conn.execute(sa.select(t.records.c.account_id).where(t.records.c.user_name == "ann")).scalar_one()
    provision(engine, tenant.id, [ByHand(ann, suspended=True, note="secret note")], actor="admin:ada")
    return runner(database_url)


def test_entries_are_narrowed(run: Command) -> None:
    def actions(*options: str) -> list[str]:
        return [one["action"] for one in told(run("audit", "list", "--tenant", "acme", "--json", *options))]

    assert actions() == ["account.changed", "account.suspended", *["account.created"] * 2, *["record.created"] * 2]
    assert actions("--actor", "admin:") == ["account.changed", "account.suspended"]
    assert actions("--action", "account.susp", "--actor", "admin:ada") == ["account.suspended"]
    assert actions("--before", "3") == ["record.created"] * 2
    assert actions("--since", "2999-01-01") == actions("--until", "2020-01-01T10:00") == []
    assert len(actions("--limit", "2")) == 2
    assert run("audit", "list", "--tenant", "acme", "--since", "yesterday").exit_code == 2


def test_all_is_exported(run: Command) -> None:
    text = run("audit", "export", "--tenant", "acme").output
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["number"] for row in rows] == ["6", "5", "4", "3", "2", "1"]
    assert json.loads(rows[0]["facts"]) == {"attributes": ["status"]}
    assert "secret note" not in text
    lines = run("audit", "export", "--tenant", "acme", "--json", "--action", "record.").output.splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["record.created"] * 2
