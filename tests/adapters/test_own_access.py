"""One's own ways in: set up, replaced, taken away but for the last."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.adapters import own_access
from app.adapters.administering import NoAdministratorError, NotDoneError
from app.store import console_sessions, passkeys
from app.store.console_sessions import NewConsoleSession
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.adapters.administrators import HERE, PARTY, PASSWORD, URL, VAULT, Person
from tests.passkey_device import Device


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant) -> Person:
    return Person(engine, tenant.id)


def test_nothing_is_kept_before_a_code_was_shown(ada: Person, engine: sa.Engine) -> None:
    me = own_access.mine(engine, ada.here)
    shown = own_access.new_authenticator(VAULT, me, ada.at)
    for sealed, code, at in (
        (shown.sealed, "000000", ada.at),
        ("", "000000", ada.at),
        (shown.sealed, "000000", ada.at + timedelta(hours=1)),
    ):
        with pytest.raises(NotDoneError) as caught:
            own_access.set_up_password(engine, VAULT, ada.here, PASSWORD, sealed, code, at)
        assert caught.value.field == "code"
    with pytest.raises(NotDoneError) as caught:
        own_access.set_up_password(engine, VAULT, ada.here, "short", shown.sealed, "000000", ada.at)
    assert caught.value.field == "password"
    assert own_access.mine(engine, ada.here) == me
    assert own_access.new_authenticator(VAULT, me, ada.at, shown.sealed).secret == shown.secret


def test_a_new_password_ends_the_other_sessions(ada: Person, engine: sa.Engine) -> None:
    ada.with_password()
    elsewhere = ada.sign_in(ada.later())
    assert elsewhere is not None
    own_access.change_password(engine, ada.here, "four white egrets fly")
    assert ada.session(elsewhere.secret) is None
    assert ada.sign_in(ada.later(2)) is None
    assert ada.sign_in(ada.later(2), password="four white egrets fly") is not None


def test_a_new_authenticator_takes_the_place_of_the_old(ada: Person, engine: sa.Engine) -> None:
    ada.with_password()
    old, shown = ada.secret, own_access.new_authenticator(VAULT, own_access.mine(engine, ada.here), ada.at)
    ada.secret = shown.secret
    own_access.replace_authenticator(engine, VAULT, ada.here, shown.sealed, ada.code(ada.later()), ada.later())
    assert ada.sign_in(ada.later(2)) is not None
    ada.secret = old
    assert ada.sign_in(ada.later(3)) is None


def test_the_last_way_back_cannot_be_taken_away(ada: Person, engine: sa.Engine) -> None:
    first = ada.with_passkey()
    with pytest.raises(NotDoneError, match="only way back"):
        own_access.remove_passkey(engine, ada.here, first)
    second = ada.with_passkey(Device(URL), "Telephone")
    assert own_access.remove_passkey(engine, ada.here, first) == "Laptop"
    assert ada.sign_in_by_passkey() is None
    ada.with_password()
    own_access.remove_passkey(engine, ada.here, second)
    with pytest.raises(NotDoneError, match="only way back"):
        own_access.remove_password(engine, ada.here)
    ada.with_passkey(Device(URL))
    own_access.remove_password(engine, ada.here)
    assert ada.sign_in(ada.later()) is None


def test_somebody_elses_passkey_is_none(ada: Person, engine: sa.Engine) -> None:
    ada.with_passkey()
    bob = Person(engine, ada.tenant_id, "bob@acme.example")
    bob.with_passkey(Device(URL))
    with reading(engine) as conn:
        [hers] = passkeys.of(conn, ada.tenant_id, ada.id)
    bob.with_passkey(Device(URL))
    with pytest.raises(LookupError):
        own_access.remove_passkey(engine, bob.here, hers.id)


def test_a_registration_is_answered_once_by_its_own_session(ada: Person, engine: sa.Engine) -> None:
    bob = Person(engine, ada.tenant_id, "bob@acme.example")
    question = own_access.ask_new_passkey(engine, PARTY, ada.cookie, ada.here)
    answer = ada.device.register(question.options)
    with pytest.raises(NotDoneError, match="too long"):
        own_access.add_passkey(engine, PARTY, URL, bob.cookie, bob.here, answer, "Mine")
    own_access.add_passkey(engine, PARTY, URL, ada.cookie, ada.here, answer, " Lap\x00top ")
    with pytest.raises(NotDoneError, match="too long"):
        own_access.add_passkey(engine, PARTY, URL, ada.cookie, ada.here, answer, "Again")
    question = own_access.ask_new_passkey(engine, PARTY, ada.cookie, ada.here)
    with pytest.raises(NotDoneError, match="was not made"):
        own_access.add_passkey(engine, PARTY, URL, ada.cookie, ada.here, "{}", "Nothing")
    with reading(engine) as conn:
        assert [one.label for one in passkeys.of(conn, ada.tenant_id, ada.id)] == ["Laptop"]


def test_whoever_has_no_password_has_none_to_change(ada: Person, engine: sa.Engine) -> None:
    shown = own_access.new_authenticator(VAULT, own_access.mine(engine, ada.here), ada.at)
    ada.secret = shown.secret
    with pytest.raises(NotDoneError, match="first"):
        own_access.change_password(engine, ada.here, PASSWORD)
    with pytest.raises(NotDoneError, match="first"):
        own_access.replace_authenticator(engine, VAULT, ada.here, shown.sealed, ada.code(ada.at), ada.at)


def test_ones_own_sessions_are_listed_and_ended(ada: Person, engine: sa.Engine) -> None:
    ada.with_passkey()
    elsewhere, bob = ada.sign_in_by_passkey(), Person(engine, ada.tenant_id, "bob@acme.example")
    assert elsewhere is not None
    with reading(engine) as conn:
        listed = console_sessions.own(conn, ada.here)
    assert [one.id for one in listed] == [elsewhere.id, ada.here.id]
    assert listed[0].agent == HERE.agent
    assert not own_access.end_session(engine, ada.here, bob.here.id, "administrator ada@acme.example")
    assert own_access.end_session(engine, ada.here, elsewhere.id, "administrator ada@acme.example")
    assert not own_access.end_session(engine, ada.here, elsewhere.id, "administrator ada@acme.example")
    assert ada.session(elsewhere.secret) is None
    assert bob.session() is not None


def test_whoever_came_by_a_link_has_nothing_of_their_own(ada: Person, engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        conn.execute(
            sa.text(
                "INSERT INTO console_links (tenant_id, id, hash, purpose, created_by, expires_at)"
                " VALUES (:tenant, gen_random_uuid(), 'x', 'scim', 'test', now() + interval '1 day')"
            ),
            {"tenant": tenant.id},
        )
        link_id = str(conn.execute(sa.text("SELECT id FROM console_links WHERE hash = 'x'")).scalar_one())
        begun = console_sessions.begin(conn, NewConsoleSession(tenant.id, "set-up link", link_id=link_id))
    session = ada.session(begun.secret)
    assert session is not None
    with pytest.raises(NoAdministratorError):
        own_access.mine(engine, session)
