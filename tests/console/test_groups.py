"""Groups & roles in the console: every change is a draft first, and nothing is saved that was not shown."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.grouping import Grouping, Membership
from app.store import mappings, tenants
from app.store.engine import reading, writing
from app.store.mappings import MappingRow
from app.store.tenants import SourceRow, Tenant
from app.sync import draft_saving, draft_working, drafts
from tests.console.conftest import Console, Seen
from tests.sync.groups import grouped, pushed

Enter = Callable[..., Console]
DRAFT = re.compile(r"/admin/groups/drafts/[0-9a-f-]{36}")
CREW = {"kind": "group", "match": "Crew", "source": "okta", "role": "instructor", "scope": "tenant", "priority": "0"}


@pytest.fixture
def users(engine: sa.Engine, okta: SourceRow) -> dict[str, str]:
    return pushed(engine, okta, "ann", "bob", "cleo")


@pytest.fixture
def crew(engine: sa.Engine, okta: SourceRow, users: dict[str, str]) -> str:
    return grouped(engine, okta, "Crew", [users["ann"], users["bob"]])


def table(engine: sa.Engine, tenant: Tenant) -> list[MappingRow]:
    with reading(engine) as conn:
        return mappings.listing(conn, tenant.id)


def drafted(admin: Console, **fields: str) -> Seen:
    seen = admin.post("/admin/groups/new", **{**CREW, **fields})
    assert DRAFT.fullmatch(seen.at), seen.text
    return seen


def test_an_unmapped_group_is_shown_until_a_line_names_it(
    console: Enter, engine: sa.Engine, tenant: Tenant, crew: str
) -> None:
    admin = console("admin")
    unmapped = admin.get("/admin/groups/unmapped")
    assert "Crew okta 2" in unmapped.text
    [form] = [href for href in unmapped.links if href.startswith("/admin/groups/new?group=")]
    assert 'value="Crew"' in admin.get(form).html
    shown = drafted(admin, group=crew)
    assert "Gain a role 2" in shown.text
    assert "group Crew of okta" in shown.text
    assert table(engine, tenant) == []
    saved = admin.post(f"{shown.at}/save")
    assert saved.said == ["Saved, and everybody's roles follow it."]
    assert [(row.match, row.role) for row in table(engine, tenant)] == [("Crew", "instructor")]
    assert "Every group that was pushed is mapped" in admin.get("/admin/groups/unmapped").text
    assert "Crew" in admin.get("/admin/groups?q=crew").text
    assert "No line fits this" in admin.get("/admin/groups?q=nothing").text


@pytest.mark.usefixtures("crew")
def test_no_role_is_chosen_for_anybody(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    admin = console("admin")
    assert '<option value="" selected>Choose a role</option>' in admin.get("/admin/groups/new").html
    seen = admin.post("/admin/groups/new", **{**CREW, "role": ""})
    assert (seen.status, "Choose the role that it gives." in seen.text) == (422, True)
    assert drafts.listing(engine, tenant.id, limit=5) == []


def test_a_save_is_taken_back_from_the_history(console: Enter, engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    admin = console("admin")
    admin.post(f"{drafted(admin, note='term begins').at}/save")
    history = admin.get("/admin/groups/history")
    assert "term begins" in history.text
    [revision] = [href for href in history.links if re.fullmatch(r"/admin/groups/history/[0-9a-f-]{36}", href)]
    assert "added" in admin.get(revision).text
    draft = admin.post(f"{revision}/revert")
    assert "Lose a role 2" in draft.text
    admin.post(f"{draft.at}/save")
    assert table(engine, tenant) == []
    assert "takes one back" in admin.get("/admin/groups/history").text


def test_a_list_that_differs_by_now_is_not_saved(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str], crew: str
) -> None:
    admin = console("admin")
    shown = drafted(admin)
    Grouping(engine, tenant.id, okta.id, "test").write(crew, None, Membership(remove=frozenset({users["bob"]})), None)
    refused = admin.post(f"{shown.at}/save")
    assert table(engine, tenant) == []
    assert "may be another by now" in refused.text
    again = admin.post(f"{shown.at}/again")
    assert "Gain a role 1" in again.text
    admin.post(f"{shown.at}/save")
    assert [row.match for row in table(engine, tenant)] == ["Crew"]


def test_a_large_draft_shows_how_far_it_is_and_can_be_stopped(
    console: Enter, crew: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (drafts, draft_saving):
        monkeypatch.setattr(module, "CHUNK", 1)
    monkeypatch.setattr(draft_working, "PAGE", 1)
    admin = console("admin")
    shown = drafted(admin)
    assert "Working out who gains and who loses" in shown.text
    assert 'hx-trigger="every 1s"' in shown.html
    stopped = admin.post(f"{shown.at}/stop")
    assert "Nothing was saved" in stopped.text
    assert "hx-trigger" not in stopped.html.partition('id="draft"')[2].partition(">")[0]


def test_lines_are_changed_and_taken_out(console: Enter, engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    admin = console("admin")
    admin.post(f"{drafted(admin).at}/save")
    [line] = table(engine, tenant)
    changed = drafted(admin, line=line.id, group=crew, role="manager")
    assert "Lose a role 2" in changed.text
    admin.post(f"{changed.at}/save")
    [line] = table(engine, tenant)
    assert line.role == "manager"
    gone = admin.post("/admin/groups/remove", line=line.id)
    admin.post(f"{gone.at}/save")
    assert table(engine, tenant) == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("role", "", "Choose the role that it gives"),
        ("role", "wizard", "There is no role"),
        ("scope", "galaxy", "is no scope"),
        ("source", "", "belongs to a source"),
        ("priority", "high", "whole number"),
    ],
)
def test_a_line_that_cannot_be_comes_back_with_the_reason(
    console: Enter, engine: sa.Engine, tenant: Tenant, crew: str, field: str, value: str, sentence: str
) -> None:
    seen = console("admin").post("/admin/groups/new", **{**CREW, field: value})
    assert (seen.status, sentence in seen.text, 'value="Crew"' in seen.html) == (422, True, True)


def test_a_file_goes_out_and_comes_in_through_a_draft(
    console: Enter, engine: sa.Engine, tenant: Tenant, crew: str
) -> None:
    admin = console("admin")
    admin.post(f"{drafted(admin).at}/save")
    text = admin.get("/admin/groups/roles.csv").html
    assert text.splitlines()[1] == "group,okta,,Crew,instructor,tenant,0"
    other = text.replace("instructor", "manager").encode()
    draft = admin.post("/admin/groups/import", files={"file": (io.BytesIO(other), "roles.csv")})
    assert "Gain a role 2" in draft.text
    csv = admin.get(f"{draft.at}/preview.csv").html
    assert csv.splitlines()[0] == "change,name,role,scope,account"
    admin.post(f"{draft.at}/save")
    assert [row.role for row in table(engine, tenant)] == ["manager"]
    for wrong in (b"", b"nonsense", b"\xff\xfe"):
        seen = admin.post("/admin/groups/import", files={"file": (io.BytesIO(wrong), "roles.csv")})
        assert (seen.status, "aria-invalid" in seen.html) == (422, True)


def test_nobody_maps_a_group_to_a_place_above_their_own(
    console: Enter, engine: sa.Engine, tenant: Tenant, crew: str
) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE roles SET console = 'owner' WHERE name = 'admin'")
        tenants.raise_revision(conn, tenant.id)
    seen = console("admin").post("/admin/groups/new", **{**CREW, "role": "admin"})
    assert (seen.status, "above your role" in seen.text) == (403, True)
    owner = console("owner")
    draft = drafted(owner, role="admin")
    assert console("admin").post(f"{draft.at}/save").status == 403
    assert table(engine, tenant) == []
    owner.post(f"{draft.at}/save")
    assert [row.role for row in table(engine, tenant)] == ["admin"]


def test_the_line_that_stands_higher_wins(console: Enter, engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    admin = console("admin")
    assert "No line competes" in admin.get("/admin/groups/order").text
    role = admin.post("/admin/groups/roles/new", name="mentor", rank="50", description="Helps", console="")
    [hash] = re.findall(r'name="hash" value="(\w+)"', role.html)
    made = admin.post("/admin/groups/roles/new", name="mentor", rank="50", description="Helps", console="", hash=hash)
    assert made.said == ["Saved the role mentor."]
    for line in ({"role": "instructor"}, {"role": "mentor"}):
        admin.post(f"{drafted(admin, **line).at}/save")
    lines = {row.role: row.id for row in table(engine, tenant)}
    order = [lines["mentor"], lines["instructor"]]
    draft = admin.post("/admin/groups/order", line=order)
    assert "Gain a role 2" in draft.text
    admin.post(f"{draft.at}/save")
    now = {row.role: row.priority for row in table(engine, tenant)}
    assert now["mentor"] > now["instructor"]
    moved = admin.post("/admin/groups/order", line=order, move=f"{lines['instructor']} -1")
    assert "Lose a role 2" in moved.text


def test_a_role_shows_whose_roles_turn_before_it_is_saved(
    console: Enter, engine: sa.Engine, tenant: Tenant, crew: str
) -> None:
    admin = console("admin")
    for role in ("instructor", "manager"):
        admin.post(f"{drafted(admin, role=role).at}/save")
    form = admin.post("/admin/groups/roles/named/instructor", rank="90", description="", console="")
    assert "Gain a role 2 Lose a role 2" in form.text
    with reading(engine) as conn:
        assert {one.name: one.rank for one in mappings.roles(conn, tenant.id)}["instructor"] == 50
    used = admin.post("/admin/groups/roles/named/instructor/remove")
    assert "given by the role table" in used.said[0]
    assert admin.post("/admin/groups/roles/new", name="", rank="x", console="").status == 422
    assert admin.post("/admin/groups/roles/new", name="boss", rank="1", console="owner").status == 403
