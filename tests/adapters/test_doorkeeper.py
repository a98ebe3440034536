"""Whoever was admitted is remembered for a moment, and not longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.adapters import doorkeeper
from app.adapters.doorkeeper import Doorkeeper
from app.store import credentials
from app.store.engine import writing
from app.store.tenants import create_source
from scim.errors import Forbidden, Unauthorized
from tests.adapters.clocks import Clocks
from tests.databases import statements


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clock = Clocks()
    real = doorkeeper.Remembered
    monkeypatch.setattr(
        doorkeeper, "Remembered", lambda seconds: real(seconds, steady=clock.steady, calendar=clock.calendar)
    )
    return clock


def issue(engine, tenant, source, **options):
    with writing(engine) as conn:
        return credentials.issue(conn, tenant.id, "scim_token", "test", source_id=source.id, **options)


def test_a_token_is_looked_up_once_in_a_second(engine, tenant, okta, clock) -> None:
    door, token = Doorkeeper(engine, remember=1.0), issue(engine, tenant, okta).secret
    door.admit(token)
    with statements() as seen:
        clock.passed = 0.9
        assert door.admit(token).tenant == tenant.id
    assert seen == []
    with statements() as seen:
        clock.passed = 1.1
        door.admit(token)
    assert len(seen) == 1


def test_what_logins_say_is_not_open_to_scim(engine, tenant) -> None:
    with writing(engine) as conn:
        source = create_source(conn, tenant.id, "saml", kind="login", system="saml")
    with pytest.raises(Forbidden, match="sign-in"):
        Doorkeeper(engine).admit(issue(engine, tenant, source).secret)


def test_a_revoked_token_is_refused_after_a_second(engine, tenant, okta, clock) -> None:
    door, issued = Doorkeeper(engine, remember=1.0), issue(engine, tenant, okta)
    door.admit(issued.secret)
    with writing(engine) as conn:
        credentials.revoke(conn, tenant.id, issued.id, "scim_token")
    clock.passed = 1.0
    with pytest.raises(Unauthorized):
        door.admit(issued.secret)


def test_a_token_that_expires_meanwhile_is_not_admitted_from_memory(engine, tenant, okta, clock) -> None:
    end = datetime.now(UTC) + timedelta(seconds=0.4)
    door, issued = Doorkeeper(engine, remember=3600.0), issue(engine, tenant, okta, expires_at=end)
    door.admit(issued.secret)
    clock.passed = 0.5
    with writing(engine) as conn:
        credentials.revoke(conn, tenant.id, issued.id, "scim_token")
    with pytest.raises(Unauthorized):
        door.admit(issued.secret)


def test_tokens_do_not_stand_for_each_other(engine, tenant, okta, entra, clock) -> None:
    door = Doorkeeper(engine, remember=1.0)
    one, two = (issue(engine, tenant, source).secret for source in (okta, entra))
    assert [door.admit(token).source for token in (one, two, one)] == [okta.id, entra.id, okta.id]
    for wrong in (one + "x", one[:-1], ""):
        with pytest.raises(Unauthorized):
            door.admit(wrong)


def test_what_was_refused_is_not_remembered(engine, tenant, okta, clock) -> None:
    door = Doorkeeper(engine, remember=1.0)
    token = issue(engine, tenant, okta).secret
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE sources SET state = 'paused'")
    with pytest.raises(Forbidden):
        door.admit(token)
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE sources SET state = 'active'")
    clock.passed = 1.0
    assert door.admit(token).source == okta.id
