"""`rollcall session` and `rollcall sign-in`."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import sessions, sign_ins, tenants
from app.store.engine import writing
from app.store.sessions import Begun, NewSession
from app.store.sign_ins import Attempt
from tests.cli.commands import Command, runner, told
from tests.store.test_sessions import add_account


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: tenants.Tenant) -> Command:
    return runner(database_url)


def _begin(engine: sa.Engine, tenant_id: str, account_id: str) -> Begun:
    with writing(engine) as conn:
        new = NewSession(tenant_id, account_id, str(uuid4()), str(uuid4()), "s", datetime.now(UTC), agent="Firefox")
        return sessions.begin(conn, new)


def test_sessions_are_listed_and_revoked(run: Command, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    ada = add_account(engine, tenant.id)
    first, second = (_begin(engine, tenant.id, ada) for _ in range(2))
    of = ("--tenant", "acme", "--account", ada)
    listed = told(run("session", "list", *of, "--json"))
    assert [one["id"] for one in listed] == [second.id, first.id]
    assert "Firefox" in run("session", "list", *of).stdout
    assert told(run("session", "revoke", first.id, "--tenant", "acme", "--json")) == {"ended": [first.id]}
    assert run("session", "revoke", first.id, "--tenant", "acme").stdout == "0 sessions ended.\n"
    assert told(run("session", "revoke", *of, "--everywhere", "--json")) == {"ended": [second.id]}
    assert run("session", "list", *of).stdout == "Nobody is signed in there.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--tenant", "acme"],
        ["--tenant", "acme", "--everywhere"],
        ["--tenant", "acme", "--account", "ada"],
        ["x", "--tenant", "acme"],
        ["01900000-0000-7000-8000-000000000007", "--tenant", "acme", "--account", "ada", "--everywhere"],
    ],
)
def test_whose_sessions_end_is_said_exactly(run: Command, words: list[str]) -> None:
    assert run("session", "revoke", *words).exit_code == 2


def test_nobody_of_that_name(run: Command) -> None:
    failed = run("session", "list", "--tenant", "acme", "--account", "ada")
    assert (failed.exit_code, "nobody is known as ada" in failed.output) == (1, True)


def test_why_a_sign_in_failed(run: Command, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    steps = [{"check": "audience", "ok": False, "detail": "expected a, found b"}]
    with writing(engine) as conn:
        code = sign_ins.write(conn, Attempt(tenant.id, "refused", reason="audience", steps=steps))
        sign_ins.write(conn, Attempt(tenant.id, "accepted"))
    listed = told(run("sign-in", "list", "--tenant", "acme", "--json"))
    assert [one["outcome"] for one in listed] == ["accepted", "refused"]
    assert code in run("sign-in", "list", "--tenant", "acme", "--refused").stdout
    shown = run("sign-in", "show", code.lower(), "--tenant", "acme")
    assert "expected a, found b" in shown.stdout
    assert "was not accepted" in shown.stdout
    assert told(run("sign-in", "show", code, "--tenant", "acme", "--json"))["steps"] == steps
    assert run("sign-in", "show", "AAA-AAA", "--tenant", "acme").exit_code == 1
