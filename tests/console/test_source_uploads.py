"""Files of people in the console: planned, looked at, applied, held, allowed or rejected."""

from __future__ import annotations

import io
import json

import pytest

from app.provisioning import CHUNK
from app.store import runs, tenants
from app.store.engine import reading, writing
from app.sync import imports, planning
from app.sync import runs as carrying
from tests.sync.people import hired, left, statuses


def file(*records: dict, name: str = "people.json") -> dict:
    return {"file": (io.BytesIO(json.dumps(list(records)).encode()), name)}


@pytest.fixture
def ten(engine, tenant, hr) -> None:
    imports.submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")


def state(engine, tenant, at: str) -> str:
    with reading(engine) as conn:
        return runs.find(conn, tenant.id, at.rsplit("/", 1)[1]).state


def test_a_file_s_plan_is_seen_filtered_saved_as_csv_and_applied(console, engine, tenant, hr, ten) -> None:
    admin = console("admin")
    plan = admin.post(f"/admin/sources/{hr.id}/upload", files=file(left(0), hired(1, title="Coach"), hired(12)))
    assert "Import of people.json" in plan.text
    assert "title Trainer → Coach" in plan.text
    assert "status active → inactive" in plan.text
    assert set(statuses(engine).values()) == {"active"}
    only = admin.get(f"{plan.at}?effect=deactivated")
    assert "status active → inactive" in only.text
    assert "Coach" not in only.text
    lines = admin.get(f"{plan.at}/lines.csv").html.splitlines()
    assert lines[0] == "key,account,name,effect,attribute,before,after,outcome"
    assert any("title,Trainer,Coach" in line for line in lines)
    done = admin.post(f"{plan.at}/apply")
    assert done.said == ["Done."]
    assert statuses(engine)["1000"] == "inactive"
    assert admin.post(f"{plan.at}/apply").status == 409


def test_a_held_plan_is_read_and_allowed_with_a_reason(console, engine, tenant, hr, ten) -> None:
    admin = console("admin")
    plan = admin.post(f"/admin/sources/{hr.id}/upload", files=file(*(left(number) for number in range(7))))
    assert "7 of 10 people would be deactivated or lose a role" in plan.text
    held = admin.post(f"{plan.at}/apply")
    assert state(engine, tenant, plan.at) == "held"
    assert "Person 0003" in held.text
    assert "Waits until" in held.text
    unsaid = admin.post(f"{plan.at}/allow", reason=" ")
    assert unsaid.status == 422
    assert state(engine, tenant, plan.at) == "held"
    done = admin.post(f"{plan.at}/allow", reason="The site in Basel is closed.")
    assert "The site in Basel is closed." in done.text
    assert state(engine, tenant, plan.at) == "complete"
    assert list(statuses(engine).values()).count("inactive") == 7


def test_a_held_plan_is_rejected(console, engine, tenant, hr, ten) -> None:
    admin = console("admin")
    plan = admin.post(f"/admin/sources/{hr.id}/upload", files=file(*(left(number) for number in range(7))))
    admin.post(f"{plan.at}/apply")
    done = admin.post(f"{plan.at}/reject", reason="A broken export.")
    assert "Rejected by" in done.text
    assert set(statuses(engine).values()) == {"active"}
    assert admin.post(f"{plan.at}/allow", reason="late").status == 409


def test_an_auditor_reads_the_list_and_decides_nothing(console, engine, tenant, hr, ten) -> None:
    plan = console("admin").post(f"/admin/sources/{hr.id}/upload", files=file(left(0)))
    auditor = console("auditor")
    seen = auditor.get(plan.at)
    assert "Person 0000" in seen.text
    assert "/apply" not in seen.html
    for act in ("apply", "allow", "reject", "save"):
        assert auditor.post(f"{plan.at}/{act}", reason="x").status == 403
    assert state(engine, tenant, plan.at) == "planned"


def test_another_organisation_s_run_is_not_there(console, engine, tenant, hr, ten) -> None:
    plan = console("admin").post(f"/admin/sources/{hr.id}/upload", files=file(left(0)))
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    stranger = console("owner", tenant_id=other.id)
    assert stranger.get(plan.at).status == 404
    assert stranger.get(f"{plan.at}/lines.csv").status == 404
    for act in ("apply", "allow", "reject", "save"):
        assert stranger.post(f"{plan.at}/{act}", reason="x").status == 404
    assert state(engine, tenant, plan.at) == "planned"
    assert "people.json" not in stranger.get("/admin/runs").text


def test_errors_name_their_lines_and_nothing_is_kept(console, engine, tenant, hr) -> None:
    admin = console("admin")
    csv = b"id,startDate,title\np-1,soon,Trainer\np-2,2026-01-01\n"
    seen = admin.post(f"/admin/sources/{hr.id}/upload", files={"file": (io.BytesIO(csv), "people.csv")})
    assert seen.status == 422
    assert "line 3: 2 cells, but the header has 3." in seen.text
    wrong = admin.post(f"/admin/sources/{hr.id}/upload", files=file(hired(1, startDate="soon")))
    assert "record 1 (p-1): startDate" in wrong.text
    assert "Choose a file first." in admin.post(f"/admin/sources/{hr.id}/upload").text
    assert "No runs here" in admin.get("/admin/runs").text


def test_a_paused_source_and_one_that_takes_no_files(console, engine, tenant, hr, okta) -> None:
    admin = console("admin")
    assert "Only HR systems" in admin.post(f"/admin/sources/{okta.id}/upload", files=file(hired(1))).text
    admin.post(f"/admin/sources/{hr.id}/pause")
    assert admin.post(f"/admin/sources/{hr.id}/upload", files=file(hired(1))).status == 422
    assert "It takes no files now" in admin.get(f"/admin/sources/{hr.id}/upload").text


def test_a_large_file_is_planned_by_a_worker_while_the_page_asks(console, engine, tenant, hr) -> None:
    admin = console("admin")
    people = [hired(number) for number in range(CHUNK + 10)]
    waiting = admin.post(f"/admin/sources/{hr.id}/upload", files=file(*people))
    assert f"0 of {CHUNK + 10}" in waiting.text
    assert 'hx-trigger="every 1s"' in waiting.html
    planning.drain(engine)
    planned = admin.get(waiting.at)
    assert 'hx-trigger="every 1s"' not in planned.html
    assert "Created 510" in planned.text
    (following,) = [link for link in planned.links if "after=" in link]
    assert "Person 0060" in admin.get(f"{waiting.at}{following}").text
    queued = admin.post(f"{waiting.at}/apply")
    assert "It waits for a worker." in queued.said
    assert "no stop" in queued.text
    carrying.drain(engine)
    assert "Complete" in admin.get(waiting.at).text
    assert len(statuses(engine)) == CHUNK + 10


def test_planning_is_stopped(console, engine, tenant, hr) -> None:
    admin = console("admin")
    waiting = admin.post(f"/admin/sources/{hr.id}/upload", files=file(*(hired(one) for one in range(CHUNK + 1))))
    assert admin.post(f"{waiting.at}/reject").said == ["Thrown away. Nobody was changed."]
    assert planning.drain(engine) == 0


def test_a_wrong_line_of_a_large_file_is_named(console, engine, tenant, hr) -> None:
    people = [hired(number) for number in range(CHUNK + 1)]
    people[7]["startDate"] = "soon"
    waiting = console("admin").post(f"/admin/sources/{hr.id}/upload", files=file(*people))
    planning.drain(engine)
    seen = console("auditor").get(waiting.at)
    assert "1 of 501 records are wrong" in seen.text
    assert "p-7" in seen.text
    assert "startDate: " in seen.text


def test_runs_are_listed_by_state_and_source_page_by_page(console, engine, tenant, hr, okta, monkeypatch) -> None:
    from app.console.runs import pages

    monkeypatch.setattr(pages, "SHOWN", 2)
    for number in range(3):
        imports.submit(engine, tenant.id, hr, [hired(number)], actor=f"test {number}")
    auditor = console("auditor")
    first = auditor.get("/admin/runs")
    assert "test 2" in first.text
    assert "test 0" not in first.text
    (following,) = [link for link in first.links if "after=0" in link or "after=2" in link]
    assert "test 0" in auditor.get(f"/admin/runs{following}").text
    assert "No runs here" in auditor.get("/admin/runs?state=held").text
    assert "No runs here" in auditor.get(f"/admin/runs?source={okta.id}").text
    assert "test 2" in auditor.get(f"/admin/runs?source={hr.id}&state=complete").text


def test_a_name_that_is_markup_is_only_text(console, engine, tenant, hr) -> None:
    evil = "<img src=x onerror=alert(1)>"
    plan = console("admin").post(
        f"/admin/sources/{hr.id}/upload",
        files=file(hired(1, givenName=evil, title="=HYPERLINK(1)"), name=f"{evil}.json"),
    )
    assert "<img src=x" not in plan.html
    assert "&lt;img src=x" in plan.html
    csv = console("auditor").get(f"{plan.at}/lines.csv").html
    assert ",=HYPERLINK" not in csv
    assert "'=HYPERLINK(1)" in csv
