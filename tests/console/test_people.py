"""People in the console: found, explained, and acted upon."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.identity.model import Account
from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import people, sessions, tenants
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import Console
from tests.signed_in import sign_in

Enter = Callable[..., Console]
ADA = {"displayName": "Ada Lovelace", "familyName": "Lovelace", "emails.work": "ada@acme.example", "title": "Analyst"}


def say(engine: sa.Engine, tenant: Tenant, source: SourceRow, key: str, active: bool = True, **values: str) -> str:
    """A record of this source; the account's id."""
    write = RecordWrite(source.id, Spoken(active, values), {"userName": key}, source_key=key)
    [outcome] = provision(engine, tenant.id, [write], actor="test")
    return outcome.after.id


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> str:
    say(engine, tenant, hr, "p1", **{"emails.work": "ada@acme.example", "title": "Countess", "employeeNumber": "7"})
    return say(engine, tenant, okta, "ada", **ADA, employeeNumber="7")


def account(engine: sa.Engine, tenant: Tenant, id: str) -> Account:
    with reading(engine) as conn:
        return people.accounts(conn, tenant.id, [id], lock=False)[id]


def test_an_empty_tenant_says_the_next_step(console: Enter) -> None:
    seen = console("auditor").get("/admin/people")
    assert "Nobody is here yet" in seen.text
    assert "/admin/provisioning" in seen.links


@pytest.mark.parametrize("text", ["ada", "Lovelace", "lovelace ada", "ada@acme.example", "7"])
def test_somebody_is_found_by_anything(console: Enter, ada: str, text: str) -> None:
    seen = console("auditor").get(f"/admin/people?q={text}")
    assert f"/admin/people/{ada}" in seen.links


def test_nobody_of_another_tenant_is_found(console: Enter, engine: sa.Engine, ada: str) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    stranger = console("owner", tenant_id=other.id)
    assert "Lovelace" not in stranger.get("/admin/people?q=ada").text
    for view in ("", "/roles", "/sessions", "/records", "/timeline", "/steps"):
        assert stranger.get(f"/admin/people/{ada}{view}").status == 404
    assert stranger.post(f"/admin/people/{ada}/suspend", suspended="yes").status == 404


def test_each_value_says_whose_it_is_and_what_lost(console: Enter, ada: str) -> None:
    text = console("auditor").get(f"/admin/people/{ada}").text
    assert (
        "title Countess okta said Analyst: the identity provider comes after the HR system hr owner: HR system" in text
    )


@pytest.mark.parametrize("view", ["", "/roles", "/sessions", "/records", "/timeline", "/steps"])
def test_every_view_of_a_person_shows_who_it_is(console: Enter, ada: str, view: str) -> None:
    seen = console("auditor").get(f"/admin/people/{ada}{view}")
    assert (seen.status, "Ada Lovelace" in seen.text) == (200, True)


def test_whoever_is_suspended_is_out_until_reinstated(
    console: Enter, engine: sa.Engine, tenant: Tenant, ada: str
) -> None:
    desk = console("help_desk")
    desk.post(f"/admin/people/{ada}/suspend", suspended="yes", note="asked by HR")
    assert account(engine, tenant, ada).status == "inactive"
    assert "Suspended" in desk.get(f"/admin/people/{ada}").text
    desk.post(f"/admin/people/{ada}/suspend", suspended="no")
    assert account(engine, tenant, ada).status == "active"


def test_a_value_by_hand_stays_until_it_is_taken_back(
    console: Enter, engine: sa.Engine, tenant: Tenant, hr: SourceRow, ada: str
) -> None:
    admin = console("admin")
    assert "Changed: title" in admin.post(f"/admin/people/{ada}/value", attribute="title", value="Dame").text
    say(engine, tenant, hr, "p1", title="Baroness", employeeNumber="7")
    assert account(engine, tenant, ada).attributes["title"] == "Dame"
    admin.post(f"/admin/people/{ada}/value", attribute="title", take_back="yes")
    assert account(engine, tenant, ada).attributes["title"] == "Baroness"


def test_what_the_write_door_refuses_is_said(console: Enter, ada: str) -> None:
    seen = console("admin").post(f"/admin/people/{ada}/value", attribute="shoeSize", value="38")
    assert seen.said == ["No account has an attribute shoeSize."]


def test_a_role_by_hand_comes_and_goes(console: Enter, engine: sa.Engine, tenant: Tenant, ada: str) -> None:
    admin = console("admin")
    admin.post(f"/admin/people/{ada}/role", role="instructor", scope="tenant")
    assert account(engine, tenant, ada).roles == ("instructor",)
    admin.post(f"/admin/people/{ada}/role", role="instructor", scope="tenant", take="yes")
    assert account(engine, tenant, ada).roles == ()


def test_nobody_gives_a_role_that_reaches_further_than_theirs(
    console: Enter, engine: sa.Engine, tenant: Tenant, ada: str
) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE roles SET console = 'owner' WHERE name = 'admin'")
    seen = console("admin").post(f"/admin/people/{ada}/role", role="admin", scope="tenant")
    assert (seen.status, "above your role" in seen.text) == (403, True)
    assert account(engine, tenant, ada).roles == ()
    assert console("owner").post(f"/admin/people/{ada}/role", role="admin", scope="tenant").status == 200
    assert account(engine, tenant, ada).roles == ("admin",)


def test_a_session_of_the_person_is_ended_and_no_other(
    console: Enter, engine: sa.Engine, tenant: Tenant, ada: str
) -> None:
    mine, kept = sign_in(engine, tenant.id, ada), sign_in(engine, tenant.id, ada)
    stranger = sign_in(engine, tenant.id)
    ids = [mine.session_id, stranger.session_id, str(uuid4()), "nonsense"]
    seen = console("help_desk").post(f"/admin/people/{ada}/sessions", session=ids)
    assert seen.said == ["1 session ended. It shows everywhere at once."]
    with reading(engine) as conn:
        assert sessions.find(conn, tenant.id, mine.secret) is None
        assert sessions.find(conn, tenant.id, kept.secret) is not None
        assert sessions.find(conn, tenant.id, stranger.secret) is not None


def test_somebody_is_signed_out_everywhere(console: Enter, engine: sa.Engine, tenant: Tenant, ada: str) -> None:
    both = [sign_in(engine, tenant.id, ada) for _ in range(2)]
    console("help_desk").post(f"/admin/people/{ada}/sessions", everywhere="yes")
    with reading(engine) as conn:
        assert [sessions.find(conn, tenant.id, one.secret) for one in both] == [None, None]


def test_the_timeline_tells_who_did_what(console: Enter, ada: str) -> None:
    desk = console("help_desk")
    desk.post(f"/admin/people/{ada}/suspend", suspended="yes", note="asked by HR")
    text = desk.get(f"/admin/people/{ada}/timeline").text
    assert text.index("Account suspended") < text.index("Account created")
    assert "administrator help_desk-" in text
    assert "asked by HR" in text
