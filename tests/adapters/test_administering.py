"""Administrators: who may make, change and remove whom, and what of it stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.adapters import administering
from app.adapters.administering import Doer, NoAdministratorError, NotDoneError
from app.store import audit, console_links, tenants
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.adapters.administrators import DAY, OWNER, Person

ADMIN = Doer("administrator alan@acme.example", "admin")


def actions(engine: sa.Engine, tenant: Tenant) -> list[str]:
    with reading(engine) as conn:
        assert audit.verify(conn, tenant.id)[1] is None
        rows = conn.execute(sa.text("SELECT action FROM audit ORDER BY number"))
        return [row.action for row in rows]


def state(engine: sa.Engine, secret: str) -> str | None:
    with reading(engine) as conn:
        found = console_links.find(conn, secret)
    return found.state if found else None


def test_an_invitation_is_good_once_and_audited(engine: sa.Engine, tenant: Tenant) -> None:
    ada = Person(engine, tenant.id)
    assert ada.here.role == "owner"
    assert not ada.here.has_way_back
    assert ada.open(ada.invited) is None
    assert actions(engine, tenant) == ["administrator.invited", "console.signed_in"]
    with reading(engine) as conn:
        facts = str(conn.execute(sa.text("SELECT array_agg(facts) FROM audit")).scalar_one())
    assert ada.invited.link.secret not in facts
    assert "ada@" not in facts


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": "ada@acme.example\nBcc: x"}, "email"),
        ({"email": "a b@acme.example"}, "email"),
        ({"name": "x" * 101}, "name"),
        ({"role": "king"}, "role"),
        ({"lifetime": timedelta(minutes=1)}, "days"),
        ({"lifetime": timedelta(days=31)}, "days"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(engine: sa.Engine, tenant: Tenant, said: dict, field: str) -> None:
    right = {"email": "ada@acme.example", "name": "Ada", "role": "auditor", "lifetime": DAY}
    with pytest.raises(NotDoneError) as caught:
        administering.invite(engine, tenant.id, **{**right, **said}, doer=OWNER)
    assert caught.value.field == field
    assert actions(engine, tenant) == []


def test_an_address_is_taken(engine: sa.Engine, tenant: Tenant) -> None:
    Person(engine, tenant.id)
    with pytest.raises(NotDoneError, match="already"):
        administering.invite(engine, tenant.id, "ADA@acme.example", "", "auditor", DAY, OWNER)


def test_nobody_gives_takes_or_touches_a_role_above_their_own(engine: sa.Engine, tenant: Tenant) -> None:
    ada, bob = Person(engine, tenant.id), Person(engine, tenant.id, "bob@acme.example", "auditor")
    with pytest.raises(NotDoneError, match="above their own"):
        administering.invite(engine, tenant.id, "eve@acme.example", "", "owner", DAY, ADMIN)
    with pytest.raises(NotDoneError, match="above their own"):
        administering.change_role(engine, tenant.id, bob.id, "owner", ADMIN)
    for act in (
        lambda: administering.change_role(engine, tenant.id, ada.id, "auditor", ADMIN),
        lambda: administering.remove(engine, tenant.id, ada.id, ADMIN),
        lambda: administering.invite_again(engine, tenant.id, ada.id, DAY, ADMIN, start_over=True),
        lambda: administering.revoke_invitation(engine, tenant.id, ada.id, ADMIN),
    ):
        with pytest.raises(NotDoneError, match="above yours"):
            act()
    assert ada.here.role == "owner"


def test_the_last_owner_who_can_come_in_stays(engine: sa.Engine, tenant: Tenant) -> None:
    ada = Person(engine, tenant.id).with_password()
    bob = Person(engine, tenant.id, "bob@acme.example")  # owner too, but cannot come in again yet
    for act in (
        lambda: administering.remove(engine, tenant.id, ada.id, OWNER),
        lambda: administering.change_role(engine, tenant.id, ada.id, "admin", OWNER),
        lambda: administering.invite_again(engine, tenant.id, ada.id, DAY, OWNER, start_over=True),
    ):
        with pytest.raises(NotDoneError, match="last owner"):
            act()
    bob.with_password()
    assert administering.change_role(engine, tenant.id, ada.id, "admin", OWNER).role == "owner"
    assert ada.here.role == "admin"
    with pytest.raises(NotDoneError, match="last owner"):
        administering.remove(engine, tenant.id, bob.id, OWNER)


def test_a_role_changes_in_sessions_that_are_under_way(engine: sa.Engine, tenant: Tenant) -> None:
    bob = Person(engine, tenant.id, "bob@acme.example", "admin")
    administering.change_role(engine, tenant.id, bob.id, "auditor", OWNER)
    administering.change_role(engine, tenant.id, bob.id, "auditor", OWNER)
    assert bob.here.role == "auditor"
    assert actions(engine, tenant).count("administrator.role_changed") == 1


def test_whoever_is_removed_is_out_at_once(engine: sa.Engine, tenant: Tenant) -> None:
    Person(engine, tenant.id).with_password()
    bob = Person(engine, tenant.id, "bob@acme.example").with_password()
    bob.with_passkey()
    again = administering.invite_again(engine, tenant.id, bob.id, DAY, OWNER)
    administering.remove(engine, tenant.id, bob.id, OWNER)
    assert bob.session() is None
    assert bob.sign_in(bob.later()) is None
    assert bob.sign_in_by_passkey() is None
    assert bob.open(again) is None
    with pytest.raises(NoAdministratorError):
        administering.remove(engine, tenant.id, bob.id, OWNER)
    assert actions(engine, tenant)[-1] == "administrator.removed"


def test_a_further_invitation_ends_the_one_before(engine: sa.Engine, tenant: Tenant) -> None:
    first = administering.invite(engine, tenant.id, "ada@acme.example", "", "auditor", DAY, OWNER)
    second = administering.invite_again(engine, tenant.id, first.administrator_id, DAY, OWNER)
    assert [state(engine, one.link.secret) for one in (first, second)] == ["revoked", "open"]
    assert administering.revoke_invitation(engine, tenant.id, first.administrator_id, OWNER) == 1
    assert administering.revoke_invitation(engine, tenant.id, first.administrator_id, OWNER) == 0
    assert state(engine, second.link.secret) == "revoked"


def test_starting_over_forgets_what_somebody_signs_in_with(engine: sa.Engine, tenant: Tenant) -> None:
    bob = Person(engine, tenant.id, "bob@acme.example", "admin").with_password()
    bob.with_passkey()
    invited = administering.invite_again(engine, tenant.id, bob.id, DAY, OWNER, start_over=True)
    assert bob.session() is None
    assert bob.sign_in(bob.later()) is None
    assert bob.sign_in_by_passkey() is None
    assert bob.open(invited) is not None


def test_another_tenants_administrator_is_nobody(engine: sa.Engine, tenant: Tenant) -> None:
    ada = Person(engine, tenant.id)
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    for act in (
        lambda: administering.change_role(engine, other.id, ada.id, "auditor", OWNER),
        lambda: administering.remove(engine, other.id, ada.id, OWNER),
        lambda: administering.invite_again(engine, other.id, ada.id, DAY, OWNER),
        lambda: administering.revoke_invitation(engine, other.id, ada.id, OWNER),
    ):
        with pytest.raises(NoAdministratorError):
            act()
    assert ada.here.role == "owner"
