"""The ownership table: read by everybody, one line of it reordered, shown before it is saved."""

from __future__ import annotations

import re

import pytest

from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import rules as rulebook
from app.store import tenants
from app.store.engine import reading, writing


def owners(engine, tenant, attribute: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    with reading(engine) as conn:
        rule = rulebook.current(conn, tenant.id).ownership[attribute]
    return rule.owners, rule.create_only


def listed(html: str) -> list[str]:
    return re.findall(r'name="owner" value="([^"]*)"', html)


@pytest.fixture
def ada(engine, tenant, okta, hr) -> None:
    mail = {"emails.work": "ada@x.org"}
    said = RecordWrite(okta.id, Spoken(True, {**mail, "title": "Coder"}), {}, user_name="ada@x.org")
    more = RecordWrite(hr.id, Spoken(True, {**mail, "title": "Engineer"}), {}, source_key="1")
    provision(engine, tenant.id, [said], actor="test")
    provision(engine, tenant.id, [more], actor="test")


def test_the_table_says_each_source_s_place(console, ada) -> None:
    seen = console("auditor").get("/admin/sources/ownership")
    assert "title hris, then idp, then crm, then login 1st 2nd" in seen.text
    assert "displayName idp, then hris, then crm, then login 2nd 1st" in seen.text


def test_an_order_is_shown_then_saved_then_taken_back(console, engine, tenant, ada) -> None:
    admin = console("admin")
    form = admin.get("/admin/sources/ownership/title")
    assert listed(form.html) == ["hris", "idp", "crm", "login", "hr", "okta"]
    fields = {"owner": ["okta", "hris", "crm"], "mode-okta": "update", "mode-hris": "update", "mode-crm": "create"}
    plan = admin.post("/admin/sources/ownership/title", **fields)
    assert "title Engineer → Coder" in plan.text
    assert owners(engine, tenant, "title")[0] == ("hris", "idp", "crm", "login")
    admin.post(f"{plan.at}/save")
    assert owners(engine, tenant, "title") == (("okta", "hris"), ("crm",))
    assert "Yours" in admin.get("/admin/sources/ownership").text
    back = admin.post("/admin/sources/ownership/title", reset="yes")
    admin.post(f"{back.at}/save")
    assert owners(engine, tenant, "title")[0] == ("hris", "idp", "crm", "login")


def test_without_scripts_a_button_moves_a_row_and_nothing_is_saved(console, engine, tenant, ada) -> None:
    admin = console("admin")
    sent = {"owner": ["hris", "idp", "crm"], "mode-hris": "update", "mode-idp": "create", "mode-crm": "none"}
    seen = admin.post("/admin/sources/ownership/title", **sent, move="up:idp")
    assert listed(seen.html)[:3] == ["idp", "hris", "crm"]
    assert '<option value="create" selected>' in seen.html
    assert listed(admin.post("/admin/sources/ownership/title", **sent, move="up:hris").html)[:2] == ["hris", "idp"]
    assert owners(engine, tenant, "title")[0] == ("hris", "idp", "crm", "login")


def test_somebody_must_be_allowed_to_speak(console, ada) -> None:
    seen = console("admin").post("/admin/sources/ownership/title", owner=["hris"], **{"mode-hris": "none"})
    assert seen.status == 422
    assert "At least one" in seen.text


def test_one_type_of_address_has_a_line_of_its_own(console, engine, tenant, ada) -> None:
    admin = console("admin")
    seen = admin.get("/admin/sources/ownership/type?family=emails&type=home")
    assert seen.at == "/admin/sources/ownership/emails.home"
    plan = admin.post(seen.at, owner=["hris"], **{"mode-hris": "update"})
    admin.post(f"{plan.at}/save")
    assert owners(engine, tenant, "emails.home")[0] == ("hris",)
    assert "in one word" in admin.get("/admin/sources/ownership/type?family=emails&type=a/b").text


def test_what_no_account_has_is_not_there(console) -> None:
    assert console("admin").get("/admin/sources/ownership/shoe").status == 404
    assert console("admin").post("/admin/sources/ownership/shoe", owner=["idp"]).status == 404


def test_an_owner_of_another_organisation_is_no_owner(console, engine, tenant, ada) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
        tenants.create_source(conn, other.id, "theirs", kind="hris", system="adp")
    sent = {"owner": ["theirs"], "mode-theirs": "update"}
    assert console("admin").post("/admin/sources/ownership/title", **sent).status == 422


def test_an_auditor_reads_and_changes_nothing(console, engine, tenant, ada) -> None:
    auditor = console("auditor")
    form = auditor.get("/admin/sources/ownership/title")
    assert form.status == 200
    assert "data-move" not in form.html
    assert auditor.post("/admin/sources/ownership/title", owner=["idp"], **{"mode-idp": "update"}).status == 403
