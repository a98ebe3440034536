"""Sessions: found while they count, ended by hand, by the provider, by time, and with the account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import sessions, sign_in_tables, tenant_settings, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.sessions import Begun, NewSession, Session
from tests.databases import statements

CONNECTION = str(uuid4())
Make = Callable[..., Begun]


def add_account(engine: sa.Engine, tenant_id: str, status: str = "active", **attributes: Any) -> str:
    """An account as the write door would have made it."""
    id, now = str(uuid4()), datetime.now(UTC)
    row = {"status": status, "affiliation": "employee", "roles": ["learner"], "version": 1, "revision": 1}
    with writing(engine) as conn:
        conn.execute(
            sa.insert(t.accounts).values(
                tenant_id=tenant_id, id=id, attributes=attributes, created_at=now, updated_at=now, **row
            )
        )
    return id


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> str:
    said = {"userName": "ada", "emails.work": "ada@x.org", "emails.home": "a@home.org", "displayName": "Ada L"}
    return add_account(engine, tenant.id, **said)


@pytest.fixture
def begin(engine: sa.Engine, tenant: tenants.Tenant, ada: str) -> Make:
    def made(**other: Any) -> Begun:
        known = {
            "tenant_id": tenant.id,
            "account_id": ada,
            "connection_id": CONNECTION,
            "record_id": str(uuid4()),
            "subject": "ada@idp",
            "authenticated_at": datetime.now(UTC),
            "provider_session": "s1",
            "at_provider": {"subject": "ada@idp", "session": "s1"},
            "context": "urn:x",
            "methods": ("pwd", "otp"),
        }
        with writing(engine) as conn:
            return sessions.begin(conn, NewSession(**{**known, **other}))

    return made


def _find(engine: sa.Engine, tenant_id: str, secret: str) -> Session | None:
    with reading(engine) as conn:
        return sessions.find(conn, tenant_id, secret)


def _set(engine: sa.Engine, **values: Any) -> None:
    with writing(engine) as conn:
        conn.execute(sa.update(sign_in_tables.sessions).values(**values))


def test_a_session_says_whose_it_is(engine: sa.Engine, tenant: tenants.Tenant, ada: str, begin: Make) -> None:
    begun = begin()
    with statements() as seen:
        found = _find(engine, tenant.id, begun.secret)
    assert len(seen) == 1
    assert found is not None
    assert (found.id, found.account_id, found.roles) == (begun.id, ada, ("learner",))
    assert (found.user_name, found.email, found.display_name) == ("ada", "ada@x.org", "Ada L")
    assert (found.connection_id, found.context, found.methods) == (CONNECTION, "urn:x", ("pwd", "otp"))
    assert found.at_provider == {"subject": "ada@idp", "session": "s1"}
    assert found.tenant_name == "acme"
    assert found.expires_at == begun.expires_at == found.created_at + timedelta(hours=24)


def test_only_a_digest_is_kept(engine: sa.Engine, begin: Make) -> None:
    begun = begin()
    assert len(begun.secret) == 43
    assert begun.secret not in repr(begun)
    with reading(engine) as conn:
        assert begun.secret not in conn.execute(sa.text("SELECT s::text FROM sessions s")).scalar_one()


@pytest.mark.parametrize("secret", ["", "a" * 43, "x" * 100_000, "\x00", "ü"])
def test_a_wrong_secret_finds_nothing(engine: sa.Engine, tenant: tenants.Tenant, begin: Make, secret: str) -> None:
    begin()
    assert _find(engine, tenant.id, secret) is None


def test_another_tenant_does_not_find_it(engine: sa.Engine, begin: Make) -> None:
    begun = begin()
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    assert _find(engine, other.id, begun.secret) is None


def test_it_ends_with_its_time(engine: sa.Engine, tenant: tenants.Tenant, begin: Make) -> None:
    begun = begin()
    _set(engine, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert _find(engine, tenant.id, begun.secret) is None


def test_the_provider_may_set_a_sooner_end_but_no_later_one(begin: Make) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    assert begin(ends_at=soon).expires_at == soon
    assert begin(ends_at=soon + timedelta(days=90)).expires_at < soon + timedelta(days=2)


def test_the_tenant_sets_its_length(engine: sa.Engine, tenant: tenants.Tenant, begin: Make) -> None:
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "session.hours", "1")
    assert begin().expires_at < datetime.now(UTC) + timedelta(hours=2)


def test_it_ends_when_nobody_came_for_long(engine: sa.Engine, tenant: tenants.Tenant, begin: Make) -> None:
    begun = begin()
    _set(engine, seen_at=datetime.now(UTC) - timedelta(minutes=479))
    assert _find(engine, tenant.id, begun.secret) is not None
    _set(engine, seen_at=datetime.now(UTC) - timedelta(minutes=481))
    assert _find(engine, tenant.id, begun.secret) is None
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "session.idle_minutes", "0")
    assert _find(engine, tenant.id, begun.secret) is not None


@pytest.mark.parametrize("values", [{"status": "inactive"}, {"signed_out_at": sa.func.clock_timestamp()}])
def test_it_ends_with_the_account(
    engine: sa.Engine, tenant: tenants.Tenant, begin: Make, values: dict[str, Any]
) -> None:
    begun = begin()
    with writing(engine) as conn:
        conn.execute(sa.update(t.accounts).values(**values))
    assert _find(engine, tenant.id, begun.secret) is None


def test_signed_out_everywhere_is_over_and_signing_in_again_counts(
    engine: sa.Engine, tenant: tenants.Tenant, ada: str, begin: Make
) -> None:
    old = [begin(), begin()]
    with writing(engine) as conn:
        ended = sessions.end_all(conn, tenant.id, ada, "person")
    assert {one.id for one in ended} == {one.id for one in old}
    assert [_find(engine, tenant.id, one.secret) for one in old] == [None, None]
    assert _find(engine, tenant.id, begin().secret) is not None


def test_what_ended_is_told_once_and_of_the_tenant_alone(
    engine: sa.Engine, tenant: tenants.Tenant, begin: Make
) -> None:
    first, second = begin(), begin()
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        assert sessions.end(conn, other.id, [first.id], "cli") == []
        [ended] = sessions.end(conn, tenant.id, [first.id], "cli")
        assert sessions.end(conn, tenant.id, [first.id], "cli") == []
        assert sessions.end(conn, tenant.id, [], "cli") == []
    assert ended.id == first.id
    assert ended.at_provider["session"] == "s1"
    assert _find(engine, tenant.id, first.secret) is None
    assert _find(engine, tenant.id, second.secret) is not None


def test_the_provider_means_its_person_or_its_session(engine: sa.Engine, tenant: tenants.Tenant, begin: Make) -> None:
    one, two = begin(), begin(provider_session="s2")
    begin(subject="bob@idp", provider_session="s3")
    begin(connection_id=str(uuid4()))
    none = begin(provider_session=None)

    def meant(subject: str | None, *provider_sessions: str) -> list[str]:
        with reading(engine) as conn:
            return sessions.of_subject(conn, tenant.id, CONNECTION, subject, provider_sessions)

    assert meant("ada@idp") == [one.id, two.id, none.id]
    assert meant("ada@idp", "s1") == [one.id]
    assert meant("ada@idp", "s1", "s2") == [one.id, two.id]
    assert meant(None, "s2") == [two.id]
    assert meant("ada@idp", "s3") == []
    assert meant("ADA@idp") == []
    assert meant(None) == []


def test_everything_of_a_connection_ends(engine: sa.Engine, tenant: tenants.Tenant, begin: Make) -> None:
    begin()
    begin()
    stays = begin(connection_id=str(uuid4()))
    with writing(engine) as conn:
        assert sessions.end_of_connection(conn, tenant.id, CONNECTION, "cli") == 2
    assert _find(engine, tenant.id, stays.secret) is not None


def test_a_visit_is_noted_once_a_minute_without_waiting(engine: sa.Engine, tenant: tenants.Tenant, begin: Make) -> None:
    begun = begin()
    found = _find(engine, tenant.id, begun.secret)
    assert found is not None
    with statements() as ran, reading(engine) as conn:
        sessions.seen(conn, found)
    assert ran == []
    past = datetime.now(UTC) - timedelta(minutes=2)
    _set(engine, seen_at=past)
    found = _find(engine, tenant.id, begun.secret)
    assert found is not None
    with writing(engine) as locking, reading(engine) as conn:
        locking.execute(sa.select(sign_in_tables.sessions).with_for_update())
        sessions.seen(conn, found)
    assert _find(engine, tenant.id, begun.secret) == found
    with reading(engine) as conn:
        sessions.seen(conn, found)
    later = _find(engine, tenant.id, begun.secret)
    assert later is not None
    assert later.seen_at > past


def test_the_list_shows_what_counts_newest_first(
    engine: sa.Engine, tenant: tenants.Tenant, ada: str, begin: Make
) -> None:
    first, second, third = begin(agent="Firefox"), begin(agent="x" * 1000), begin()
    with writing(engine) as conn:
        sessions.end(conn, tenant.id, [third.id], "person")
    with reading(engine) as conn:
        listed = sessions.listing(conn, tenant.id, ada)
        assert sessions.account_of(conn, tenant.id, third.id) == ada
        assert sessions.account_of(conn, tenant.id, str(uuid4())) is None
    assert [one.id for one in listed] == [second.id, first.id]
    assert (listed[1].agent, len(listed[0].agent), listed[0].connection) == ("Firefox", 300, None)


def test_a_session_goes_on_for_the_same_person_alone(
    engine: sa.Engine, tenant: tenants.Tenant, ada: str, begin: Make
) -> None:
    old = begin()
    bob = add_account(engine, tenant.id)
    known: dict[str, Any] = {"connection_id": CONNECTION, "record_id": str(uuid4()), "subject": "ada@idp"}
    new = NewSession(tenant.id, ada, **known, authenticated_at=datetime.now(UTC), context="urn:y")
    with writing(engine) as conn:
        for other in (
            replace(new, account_id=bob),
            replace(new, connection_id=str(uuid4())),
            replace(new, tenant_id=tenants.create(conn, "other").id),
        ):
            assert sessions.renew(conn, [old.id], other) is None
        assert sessions.renew(conn, [], new) is None
        assert sessions.renew(conn, [str(uuid4())], new) is None
        again = sessions.renew(conn, [str(uuid4()), old.id], new)
    assert again is not None
    assert (again.id, again.secret == old.secret) == (old.id, False)
    with reading(engine) as conn:
        assert sessions.find(conn, tenant.id, old.secret) is None
        found = sessions.find(conn, tenant.id, again.secret)
        assert found is not None
        assert (found.id, found.context) == (old.id, "urn:y")
        sessions.end_all(conn, tenant.id, ada, "test")
    with writing(engine) as conn:
        assert sessions.renew(conn, [old.id], new) is None
