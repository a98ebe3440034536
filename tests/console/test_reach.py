"""Nobody comes by a road of the console to a place in it above their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app import console as rooms
from app.identity.model import Account
from app.store import people
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync import mappings
from app.sync.mapping_changes import Change
from tests.console.conftest import Console
from tests.console.test_people import say

Enter = Callable[..., Console]


def place(engine: sa.Engine, role: str, console: str) -> None:
    with writing(engine) as conn:
        conn.execute(
            sa.text("UPDATE roles SET console = :console WHERE name = :role"), {"console": console, "role": role}
        )


def mapped(engine: sa.Engine, tenant: Tenant, *changes: Change) -> None:
    preview = mappings.preview(engine, tenant.id, changes)
    mappings.save(engine, tenant.id, changes, actor="test", expected_hash=preview.hash)


def account(engine: sa.Engine, tenant: Tenant, id: str) -> Account:
    with reading(engine) as conn:
        return people.accounts(conn, tenant.id, [id], lock=False)[id]


TITLE = Change("set", "attribute", "Chief", "admin", attribute="title")


@pytest.mark.parametrize(
    "change", [TITLE, Change("set", "role", "boss", "admin"), Change("set", "entitlement", "boss", "admin")]
)
def test_the_help_desk_provisions_nobody_into_a_place_above_its_own(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, change: Change
) -> None:
    place(engine, "admin", "owner")
    mapped(engine, tenant, change)
    document = {
        "userName": "mallory@acme.example",
        "active": True,
        "title": "Chief",
        "roles": [{"value": "boss"}],
        "entitlements": [{"value": "boss"}],
    }
    sent = {"source": okta.id, "document": json.dumps(document), "carry_out": "yes"}
    seen = console("help_desk").post("/admin/try", **sent)
    with reading(engine) as conn:
        held = conn.execute(sa.text("SELECT role FROM grants")).scalars().all()
    assert (seen.status, held) == (403, [])
    assert console("owner").post("/admin/try", **sent).status == 200
    with reading(engine) as conn:
        assert conn.execute(sa.text("SELECT role FROM grants")).scalars().all() == ["admin"]


def test_no_value_by_hand_leads_to_a_place_above_one_s_own(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    place(engine, "admin", "owner")
    mapped(engine, tenant, TITLE)
    mallory = say(engine, tenant, okta, "mallory", title="Trainer")
    seen = console("admin").post(f"/admin/people/{mallory}/value", attribute="title", value="Chief")
    assert (seen.status, account(engine, tenant, mallory).roles) == (403, ())
    assert account(engine, tenant, mallory).attributes["title"] == "Trainer"
    console("owner").post(f"/admin/people/{mallory}/value", attribute="title", value="Chief")
    assert account(engine, tenant, mallory).roles == ("admin",)


def test_whoever_left_with_a_place_is_merged_into_nobody_below_it(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow
) -> None:
    """Inactive, their roles are not effective; merged with somebody active they would be."""
    place(engine, "admin", "owner")
    mapped(engine, tenant, TITLE)
    olivia = say(engine, tenant, okta, "olivia", active=False, title="Chief")
    mallory = say(engine, tenant, hr, "mallory", givenName="Mallory")
    assert account(engine, tenant, olivia).roles == ()
    road = f"/admin/people/{mallory}/merge"
    seen = console("admin").post(road, other=olivia, keep=mallory, reason="the same", administrator="yes")
    assert (seen.status, account(engine, tenant, mallory).roles) == (403, ())


ORIGINS = [route for route in rooms.routes() if route.origins]
# Each is judged by what it concerns, takes something away, or only shows what would come.
JUDGED = (
    r"/admin/(people|groups|duplicates|runs/<run_id>/reject|provisioning/(new|schemas|receivers)|sources)\b"
    r"|/(revoke|remove|discard|disable|end|forget|test|understand)$|/provider$|/new$|/platforms/"
)


def test_an_administrator_cannot_decide_who_is_who_where_a_role_makes_owners(
    console: Enter, engine: sa.Engine, tenant: Tenant
) -> None:
    place(engine, "admin", "owner")
    admin, wrong = console("admin"), {}
    for route in ORIGINS:
        seen = admin.post(re.sub(r"<[^>]+>", lambda _: str(uuid4()), route.rule))
        if seen.status != 403 or "this decides who is who" not in seen.text:
            wrong[route.rule] = seen.status
    assert wrong == {}


def test_where_no_role_makes_owners_it_is_an_administrators_work(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    place(engine, "admin", "admin")
    seen = console("admin").post(f"/admin/provisioning/{okta.id}/tokens", name="Okta", lives="90")
    assert (seen.status, "Bearer" in seen.text or "token" in seen.text) == (200, True)


def test_every_act_of_administrators_says_whether_it_decides_who_is_who() -> None:
    acts = [route for route in rooms.routes() if route.method == "POST" and route.needs == "admin"]
    undecided = [route.rule for route in acts if not route.origins and not re.search(JUDGED, route.rule)]
    assert undecided == []


def test_an_address_alone_leads_to_nobody_with_a_place_in_the_console(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow
) -> None:
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE roles SET console = 'owner', administrator = false WHERE name = 'admin'"))
    mapped(engine, tenant, TITLE)
    address = {"emails.work": "olivia@acme.example"}
    olivia = say(engine, tenant, okta, "olivia", title="Chief", **address)
    assert say(engine, tenant, hr, "mallory", **address) != olivia


def test_an_administrator_saves_no_plan_of_the_organisations_settings(
    console: Enter, engine: sa.Engine, tenant: Tenant
) -> None:
    run = console("owner").post("/admin/settings/highest-role", wins="true").at
    assert console("admin").post(f"{run}/save", reason="so").status == 403
    assert console("owner").post(f"{run}/save", reason="so").status == 200
