"""Files that are uploaded: planned before anything happens, applied as shown, held where the guard says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from app.provisioning import CHUNK
from app.sources.csv_file import FileError
from app.sources.hr import Invalid
from app.store import audit, plans
from app.store import runs as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.runs import Run
from app.store.tenants import SourceRow, Tenant
from app.sync import imports, planning, source_changes, sweep, upload_files, uploads
from tests.sync.people import change, count, hired, left, statuses


def as_json(*records: dict[str, Any]) -> bytes:
    return json.dumps(list(records)).encode()


def upload(engine: sa.Engine, hr: SourceRow, *records: dict[str, Any]) -> str:
    return uploads.upload(engine, hr.tenant_id, hr, as_json(*records), name="people.json", actor="ada")


def run_of(engine: sa.Engine, tenant: Tenant, run_id: str) -> Run:
    with reading(engine) as conn:
        return store.find(conn, tenant.id, run_id)


def lines(engine: sa.Engine, tenant: Tenant, run_id: str, effect: str | None = None) -> list[plans.PlanLine]:
    with reading(engine) as conn:
        return plans.page(conn, tenant.id, run_id, effect=effect)


@pytest.fixture
def ten(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    done = imports.submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")
    assert done.state == "complete"


def test_a_small_file_is_planned_at_once_and_changes_nobody(engine, tenant, hr, ten) -> None:
    run_id = upload(engine, hr, left(0), hired(1, title="Coach"), hired(2), hired(11))
    run = run_of(engine, tenant, run_id)
    assert (run.state, run.total) == ("planned", 4)
    counts = {effect: number for effect, number in run.summary["counts"].items() if number}
    assert counts == {"created": 1, "updated": 1, "deactivated": 1, "unchanged": 1}
    assert run.summary["holds"] is False
    (line,) = lines(engine, tenant, run_id, "updated")
    assert line.payload["changes"] == [["title", "Trainer", "Coach"]]
    assert set(statuses(engine).values()) == {"active"}
    assert len(statuses(engine)) == 10


def test_what_was_shown_is_applied(engine, tenant, hr, ten) -> None:
    run_id = upload(engine, hr, left(0), hired(1), hired(11))
    assert uploads.apply(engine, tenant.id, run_id, "ada") == "complete"
    assert statuses(engine)["1000"] == "inactive"
    assert "1011" in statuses(engine)
    with pytest.raises(imports.NotHeldError):
        uploads.apply(engine, tenant.id, run_id, "ada")
    with reading(engine) as conn:
        assert audit.verify(conn, tenant.id)[1] is None


def test_the_guard_holds_it_until_somebody_says_why(engine, tenant, hr, ten) -> None:
    run_id = upload(engine, hr, *(left(number) for number in range(7)), hired(7))
    assert run_of(engine, tenant, run_id).summary["holds"] is True
    assert uploads.apply(engine, tenant.id, run_id, "ada") == "held"
    assert set(statuses(engine).values()) == {"active"}
    assert len(lines(engine, tenant, run_id)) == 7  # who stays as he is, is no line of what is held
    done = imports.allow(engine, tenant.id, run_id, "bea", reason="The site is closed.")
    assert done.state == "complete"
    assert list(statuses(engine).values()).count("inactive") == 7
    assert run_of(engine, tenant, run_id).summary["reason"] == "The site is closed."
    with reading(engine) as conn:
        facts = sa.select(t.audit.c.facts).where(t.audit.c.action == "run.allowed")
        assert conn.execute(facts).scalar_one()["reason"] == "The site is closed."


def test_a_later_file_speaks_for_the_same_people(engine, tenant, hr, ten) -> None:
    older = upload(engine, hr, hired(0, title="Old"), hired(1, title="Old"))
    newer = upload(engine, hr, hired(0, title="New"))
    uploads.apply(engine, tenant.id, newer, "ada")
    uploads.apply(engine, tenant.id, older, "ada")
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.accounts.c.attributes)).scalars()
        assert {row["employeeNumber"]: row["title"] for row in rows if row["title"] != "Trainer"} == {
            "1000": "New",
            "1001": "Old",
        }


def test_an_older_file_applied_first_leaves_a_later_one_as_it_is(engine, tenant, hr, ten) -> None:
    older, newer = upload(engine, hr, hired(0, title="Old")), upload(engine, hr, hired(0, title="New"))
    uploads.apply(engine, tenant.id, older, "ada")
    uploads.apply(engine, tenant.id, newer, "ada")
    with reading(engine) as conn:
        titles = {row["title"] for row in conn.execute(sa.select(t.accounts.c.attributes)).scalars()}
    assert titles == {"New", "Trainer"}


def test_a_large_file_is_left_to_a_worker(engine, tenant, hr) -> None:
    run_id = upload(engine, hr, *(hired(number) for number in range(CHUNK + 20)))
    waiting = run_of(engine, tenant, run_id)
    assert (waiting.state, waiting.position, waiting.total) == ("planning", 0, CHUNK + 20)
    assert planning.drain(engine) == 1
    planned = run_of(engine, tenant, run_id)
    assert (planned.state, planned.position) == ("planned", CHUNK + 20)
    assert planned.summary["counts"]["created"] == CHUNK + 20
    assert count(engine, t.accounts) == 0


def test_a_killed_worker_s_plan_goes_on(engine, tenant, hr, monkeypatch) -> None:
    run_id = upload(engine, hr, *(hired(number) for number in range(CHUNK + 20)))
    real, times = plans.put, []

    def dies(*args: Any) -> bool:
        times.append(1)
        if len(times) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr("app.sync.planning.store.put", dies)
    with pytest.raises(KeyboardInterrupt):
        planning.drain(engine)
    monkeypatch.undo()
    assert run_of(engine, tenant, run_id).position == CHUNK
    sweep.sweep(engine)
    assert run_of(engine, tenant, run_id).summary["counts"]["created"] == CHUNK + 20


def test_a_wrong_record_in_a_large_file_fails_the_plan_and_is_named(engine, tenant, hr) -> None:
    people = [hired(number) for number in range(CHUNK + 1)]
    people[3]["startDate"] = "soon"
    run_id = upload(engine, hr, *people)
    planning.drain(engine)
    run = run_of(engine, tenant, run_id)
    assert (run.state, run.summary["wrong"]) == ("failed", 1)
    (line,) = lines(engine, tenant, run_id)
    assert line.payload["key"] == "p-3"
    assert "startDate" in (line.outcome or "")
    assert "record" not in line.payload


def test_a_wrong_record_in_a_small_file_is_said_at_once(engine, tenant, hr) -> None:
    with pytest.raises(Invalid, match="startDate"):
        upload(engine, hr, hired(1, startDate="soon"))
    assert count(engine, t.runs) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,title\n1,\xff", "UTF-8"),
        (b"id,shoe\n1,43", "no field for the column 'shoe'"),
        (b"id,title\n1,a\n1,b", "line 3"),
        (b"id,title\n1", "line 2"),
        (b"id,title\n1,a\x00", "NUL"),
        (b"", "empty"),
        (b"[]", "no record"),
        (b'{"people": []}', "list of records"),
        (b'[{"id": "1"}, {"id": "1"}]', "record 2"),
        (b'[{"id": 1}]', "record 1"),
        (b'[{"id": "1"', "line 1"),
        (b'[{"id": "\\ud800"}]', "text"),
        (b'[{"id": "1", "title": "a\\u0000"}]', "NUL"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing(engine, tenant, hr, content: bytes, said: str) -> None:
    with pytest.raises(FileError, match=said):
        uploads.upload(engine, tenant.id, hr, content, name="x", actor="ada")
    assert count(engine, t.runs) == 0
    assert count(engine, t.run_changes) == 0


def test_what_is_wrong_with_the_lines_of_a_large_file_is_said_by_its_run(engine, tenant, hr, monkeypatch) -> None:
    lines = [f"p-{number}" for number in range(CHUNK + 6)]
    run_id = uploads.upload(engine, tenant.id, hr, "\n".join(["id", *lines, "p-1"]).encode(), name="x.csv", actor="ada")
    planning.drain(engine)
    assert run_of(engine, tenant, run_id).state == "failed"
    (told,) = lines_left(engine, tenant, run_id)
    assert "the id 'p-1' is in line 3 already" in told
    monkeypatch.setattr(upload_files, "MOST_RECORDS", CHUNK + 5)
    run_id = uploads.upload(engine, tenant.id, hr, "\n".join(["id", *lines]).encode(), name="x.csv", actor="ada")
    planning.drain(engine)
    (told,) = lines_left(engine, tenant, run_id)
    assert "split it" in told


def test_a_large_file_that_was_not_read_yet_gives_way_to_a_newer_import(engine, tenant, hr) -> None:
    older = upload(engine, hr, *(hired(number, title="Old") for number in range(CHUNK + 1)))
    imports.submit(engine, tenant.id, hr, [hired(1, title="New")], actor="test")
    planning.drain(engine)
    assert run_of(engine, tenant, older).state == "failed"
    assert "upload it again" in lines_left(engine, tenant, older)[0]


def lines_left(engine: sa.Engine, tenant: Tenant, run_id: str) -> list[str]:
    return [line.outcome or "" for line in lines(engine, tenant, run_id)]


def test_a_header_that_is_wrong_is_said_at_once_however_large_the_file(engine, tenant, hr) -> None:
    with pytest.raises(FileError, match="no field"):
        uploads.upload(engine, tenant.id, hr, ("id,shoe\n" + "1,2\n" * 600).encode(), name="x", actor="ada")
    assert count(engine, t.runs) == 0


def test_nothing_is_taken_from_a_paused_source(engine, tenant, hr) -> None:
    source_changes.pause(engine, tenant.id, hr, actor="ada")
    with reading(engine) as conn:
        from app.store.tenants import find_source

        paused = find_source(conn, tenant.id, "hr")
    with pytest.raises(imports.ClosedSourceError, match="paused"):
        upload(engine, paused, hired(1))


def test_a_plan_is_thrown_away_or_expires(engine, tenant, hr) -> None:
    run_id, other = upload(engine, hr, hired(1)), upload(engine, hr, hired(2))
    imports.reject(engine, tenant.id, run_id, "ada")
    assert run_of(engine, tenant, run_id).state == "rejected"
    change(engine, t.runs, expires_at=sa.text("now() - interval '1 second'"))
    with pytest.raises(imports.NotHeldError):
        uploads.apply(engine, tenant.id, other, "ada")
    sweep.sweep(engine)
    assert run_of(engine, tenant, other).state == "expired"
    assert count(engine, t.run_changes) == 0


def test_a_plan_thrown_away_while_it_is_made_is_left_alone(engine, tenant, hr) -> None:
    run_id = upload(engine, hr, *(hired(number) for number in range(CHUNK + 1)))
    imports.reject(engine, tenant.id, run_id, "ada")
    assert planning.drain(engine) == 0
    assert run_of(engine, tenant, run_id).state == "rejected"


def test_losses_count_from_when_a_plan_is_applied(engine, tenant, hr, ten) -> None:
    first = upload(engine, hr, *(left(number) for number in range(4)))
    change(engine, t.runs, created_at=sa.text("now() - interval '2 days'"))
    assert uploads.apply(engine, tenant.id, first, "ada") == "complete"
    second = upload(engine, hr, *(left(number) for number in range(4, 7)))
    assert uploads.apply(engine, tenant.id, second, "ada") == "held"


def test_of_another_tenant_nothing_is_found(engine, tenant, hr) -> None:
    from app.store import tenants

    run_id = upload(engine, hr, hired(1))
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    with pytest.raises(tenants.NotFoundError):
        uploads.apply(engine, other.id, run_id, "eve")
    assert run_of(engine, tenant, run_id).state == "planned"
