"""The ways into the console, and what lets nobody in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from app.adapters import coming_in, passwords, set_up_links
from app.adapters.coming_in import Credentials
from app.store import administrators, console_links, console_sessions, tenants
from app.store import driver as roads
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.adapters.administrators import HERE, OWNER, PARTY, PASSWORD, URL, VAULT, Person
from tests.passkey_device import Device


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant) -> Person:
    return Person(engine, tenant.id).with_password()


def test_password_and_code_let_in_and_each_time_anew(ada: Person) -> None:
    first, second = ada.sign_in(ada.later()), ada.sign_in(ada.later(2))
    assert first is not None
    assert second is not None
    assert len({ada.cookie, first.secret, second.secret}) == 3
    session = ada.session(first.secret)
    assert session is not None
    assert (session.role, session.method, session.has_way_back) == ("owner", "password", True)
    assert session.proven_at is not None


@pytest.mark.parametrize(
    "wrong", [{"password": "three grey herons wad"}, {"code": "000000"}, {"email": "bob@acme.example"}]
)
def test_each_of_the_three_must_be_right(ada: Person, wrong: dict[str, str]) -> None:
    assert ada.sign_in(ada.later(), **wrong) is None


def test_a_code_is_good_once_whoever_saw_it(ada: Person) -> None:
    assert ada.sign_in(ada.at) is None  # it set the authenticator up
    assert ada.sign_in(ada.later()) is not None
    assert ada.sign_in(ada.later()) is None


def test_five_wrong_codes_make_the_right_one_wait(ada: Person, engine: sa.Engine) -> None:
    for _ in range(5):
        assert ada.sign_in(ada.later(), code="000000") is None
    assert ada.sign_in(ada.later()) is None
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE administrators SET locked_until = now() - interval '1 second'"))
    assert ada.sign_in(ada.later()) is not None


def test_a_stranger_keeps_nobody_out(ada: Person) -> None:
    """An address is all that one has to know: whoever does not know the password makes nobody wait."""
    for _ in range(20):
        assert ada.sign_in(ada.later(), password="wrong wrong wrong", code="000000") is None
    assert ada.sign_in(ada.later()) is not None


def test_nobody_known_costs_the_same_work(ada: Person, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same statements and as many hashes: nothing of the answer's time tells who is an administrator."""
    done: list[bytes] = []
    run, verify = roads.run, PasswordHasher.verify

    def ran(link: Any, statement: roads.Statement, values: Any) -> Any:
        done.append(statement.sql)
        return run(link, statement, values)

    def verified(self: PasswordHasher, hash: str, password: str) -> bool:
        done.append(hash.rpartition("$")[0].rpartition("$")[0].encode())  # the parameters
        return verify(self, hash, password)

    monkeypatch.setattr(roads, "run", ran)
    monkeypatch.setattr(PasswordHasher, "verify", verified)
    passkeys_only = Person(engine, ada.tenant_id, "bob@acme.example")
    passwords.verify(None, "made beforehand")
    work = []
    for email in (ada.email, "nobody@acme.example", passkeys_only.email):
        done.clear()
        assert ada.sign_in(ada.later(), email=email, password="wrong wrong wrong") is None
        work.append(list(done))
    assert len(work[0]) == 3
    assert work[1:] == [work[0]] * 2


def test_another_tenants_password_is_none(ada: Person, engine: sa.Engine) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    said = Credentials(ada.email, PASSWORD, ada.code(ada.later()))
    assert coming_in.by_password(engine, lambda: VAULT, other.id, said, ada.later(), HERE) is None


def test_a_dated_hash_is_made_anew(ada: Person, engine: sa.Engine) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE administrators SET password = :weak"), {"weak": weak})
    assert ada.sign_in(ada.later()) is not None
    with reading(engine) as conn:
        found = administrators.find(conn, ada.tenant_id, ada.id)
    assert found is not None
    assert not passwords.is_dated(found.password or "")
    assert ada.sign_in(ada.later(2)) is not None


def test_a_passkey_lets_in_by_itself(ada: Person) -> None:
    ada.with_passkey()
    begun = ada.sign_in_by_passkey()
    assert begun is not None
    session = ada.session(begun.secret)
    assert session is not None
    assert (session.method, session.administrator_id) == ("passkey", ada.id)


def test_an_answer_is_good_once_and_in_its_browser(ada: Person, engine: sa.Engine) -> None:
    ada.with_passkey()
    question = coming_in.ask_for_passkey(engine, PARTY, "browser")
    answer = ada.device.sign(question.options)
    assert coming_in.by_passkey(engine, PARTY, URL, "another", answer, HERE) is None
    assert coming_in.by_passkey(engine, PARTY, URL, "browser", answer, HERE) is not None
    assert coming_in.by_passkey(engine, PARTY, URL, "browser", answer, HERE) is None


def test_a_copied_passkey_is_noticed(ada: Person) -> None:
    ada.device.count = 5
    ada.with_passkey()
    copy = Device(
        URL, count=1, user_handle=ada.device.user_handle, credential_id=ada.device.credential_id, key=ada.device.key
    )
    assert ada.sign_in_by_passkey(device=copy) is None
    assert ada.sign_in_by_passkey() is not None


def test_a_passkey_proves_only_its_own_session(ada: Person, engine: sa.Engine) -> None:
    ada.with_passkey()
    bob = Person(engine, ada.tenant_id, "bob@acme.example")
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE console_sessions SET proven_at = now() - interval '1 day'"))
    question = coming_in.ask_for_passkey(engine, PARTY, bob.cookie, bob.here)
    answer = ada.device.sign(question.options)
    assert not coming_in.prove_by_passkey(engine, PARTY, URL, bob.cookie, answer, bob.here)
    question = coming_in.ask_for_passkey(engine, PARTY, ada.cookie, ada.here)
    answer = ada.device.sign(question.options)
    assert coming_in.by_passkey(engine, PARTY, URL, ada.cookie, answer, HERE) is None
    assert coming_in.prove_by_passkey(engine, PARTY, URL, ada.cookie, answer, ada.here)
    assert ada.here.proven_at is not None
    assert bob.here.proven_at is not None
    assert ada.here.proven_at - bob.here.proven_at > timedelta(hours=23)


def test_a_password_proves_only_its_own_session(ada: Person, engine: sa.Engine) -> None:
    bob = Person(engine, ada.tenant_id, "bob@acme.example")
    said = Credentials("", PASSWORD, ada.code(ada.later()))
    assert not coming_in.prove_by_password(engine, lambda: VAULT, bob.here, said, ada.later())
    assert coming_in.prove_by_password(engine, lambda: VAULT, ada.here, said, ada.later())
    assert not coming_in.prove_by_password(engine, lambda: VAULT, ada.here, said, ada.later())


def test_a_set_up_link_begins_a_session_that_ends_with_it(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    _, link = set_up_links.make(engine, tenant.id, "scim", okta.id, "Acme's IT", 2, OWNER)
    with reading(engine) as conn:
        found = console_links.find(conn, link.secret)
    assert found is not None
    assert coming_in.by_invitation(engine, found, HERE) is None
    begun = coming_in.by_set_up_link(engine, found, HERE)
    assert begun is not None
    assert coming_in.by_set_up_link(engine, found, HERE) is None
    with reading(engine) as conn:
        session = console_sessions.find(conn, begun.secret)
    assert session is not None
    assert session.link is not None
    assert (session.role, session.link.source_id, session.link.connection_id) == (None, okta.id, None)
    assert begun.expires_at < found.expires_at  # the tenant's hours are fewer
    assert set_up_links.revoke(engine, tenant.id, link.id, OWNER)
    with reading(engine) as conn:
        assert console_sessions.find(conn, begun.secret) is None


def test_a_set_up_session_is_no_longer_than_its_link(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    _, link = set_up_links.make(engine, tenant.id, "scim", okta.id, "Acme's IT", 1, OWNER)
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE console_links SET expires_at = now() + interval '1 hour'"))
        found = console_links.find(conn, link.secret)
    assert found is not None
    begun = coming_in.by_set_up_link(engine, found, HERE)
    assert begun is not None
    assert begun.expires_at == found.expires_at


def test_a_set_up_link_is_no_invitation(ada: Person, engine: sa.Engine) -> None:
    with reading(engine) as conn:
        link = console_links.find(conn, ada.invited.link.secret)
    assert link is not None
    assert coming_in.by_set_up_link(engine, link, HERE) is None
