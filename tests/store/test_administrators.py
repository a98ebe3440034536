"""Administrators as they are kept: who is found, who waits, whose code is spent."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import administrators, console_links, passkeys, tenants
from app.store.administrators import EmailTakenError
from app.store.engine import reading, writing
from app.store.tenants import Tenant

SECRET = b"sealed"


def made(engine: sa.Engine, tenant: Tenant, email: str = "Ada@Acme.example", role: str = "owner") -> str:
    with writing(engine) as conn:
        return administrators.create(conn, tenant.id, email, "Ada", role, "test")  # type: ignore[arg-type]


def with_password(engine: sa.Engine, tenant: Tenant, email: str = "ada@acme.example") -> str:
    id = made(engine, tenant, email)
    with writing(engine) as conn:
        administrators.set_password(conn, tenant.id, id, "hash")
        administrators.set_totp(conn, tenant.id, id, SECRET, 10)
    return id


def test_one_is_found_by_address_whatever_its_case_and_in_its_tenant(engine: sa.Engine, tenant: Tenant) -> None:
    id = made(engine, tenant)
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    with reading(engine) as conn:
        found = administrators.by_email(conn, tenant.id, " ADA@acme.EXAMPLE")
        assert found is not None
        assert (found.id, found.tenant_name, found.has_way_back) == (id, "acme", False)
        assert administrators.by_email(conn, other.id, "ada@acme.example") is None
        assert administrators.find(conn, other.id, id) is None


def test_an_address_is_taken_until_its_administrator_is_removed(engine: sa.Engine, tenant: Tenant) -> None:
    id = with_password(engine, tenant)
    with pytest.raises(EmailTakenError), writing(engine) as conn:
        administrators.create(conn, tenant.id, "ada@acme.example", "Another", "auditor", "test")
    with writing(engine) as conn:
        administrators.remove(conn, tenant.id, id)
    with reading(engine) as conn:
        assert administrators.find(conn, tenant.id, id) is None
        left = conn.execute(sa.text("SELECT password, totp FROM administrators")).one()
    assert tuple(left) == (None, None)
    assert made(engine, tenant) != id


def test_a_code_lets_in_once(engine: sa.Engine, tenant: Tenant) -> None:
    id = with_password(engine, tenant)
    with writing(engine) as conn:
        assert not administrators.came_in(conn, tenant.id, id, "hash", 10)
        assert not administrators.came_in(conn, tenant.id, id, "another hash", 11)
        assert administrators.came_in(conn, tenant.id, id, "hash", 11)
        assert not administrators.came_in(conn, tenant.id, id, "hash", 11)


def test_the_fifth_wrong_try_makes_wait_and_more_tries_do_not_prolong_it(engine: sa.Engine, tenant: Tenant) -> None:
    id = with_password(engine, tenant)

    def fail() -> administrators.Administrator:
        with writing(engine) as conn:
            administrators.failed(conn, tenant.id, id)
        with reading(engine) as conn:
            found = administrators.find(conn, tenant.id, id)
        assert found is not None
        return found

    assert [fail().locked_until for _ in range(4)] == [None] * 4
    locked = fail()
    assert (locked.failures, locked.locked_until is not None) == (5, True)
    assert fail() == locked
    with writing(engine) as conn:
        assert not administrators.came_in(conn, tenant.id, id, "hash", 11)
        conn.execute(sa.text("UPDATE administrators SET locked_until = now() - interval '1 second'"))
        assert administrators.came_in(conn, tenant.id, id, "hash", 11)
        found = administrators.find(conn, tenant.id, id)
        assert found is not None
        assert (found.failures, found.locked_until) == (0, None)
        administrators.failed(conn, tenant.id, None)


def test_an_owner_counts_who_can_come_in_again(engine: sa.Engine, tenant: Tenant) -> None:
    ada, bob = with_password(engine, tenant), made(engine, tenant, "bob@acme.example")
    with writing(engine) as conn:
        assert administrators.other_owners(conn, tenant.id, ada) == 0
        passkeys.add(conn, tenant.id, bob, b"credential", b"key", 0, [], "Laptop")
        assert administrators.other_owners(conn, tenant.id, ada) == 1
        assert administrators.other_owners(conn, tenant.id, bob) == 1


def test_the_list_goes_on_by_address(engine: sa.Engine, tenant: Tenant) -> None:
    ids = [made(engine, tenant, f"{name}@acme.example", "auditor") for name in ("cleo", "ada", "bob")]
    with writing(engine) as conn:
        console_links.issue(
            conn, tenant.id, "invitation", "test", console_links.timedelta(days=1), administrator_id=ids[0]
        )
        first = administrators.listing(conn, tenant.id, limit=2)
        rest = administrators.listing(conn, tenant.id, after=first[-1].email)
    assert [one.email[:3] for one in [*first, *rest]] == ["ada", "bob", "cle"]
    assert [one.invited_until is not None for one in [*first, *rest]] == [False, False, True]
