"""A mapping of a large group, through the console's own pages: drafted, watched until ready, saved, watched again.

POST new ─▶ GET the draft, again and again: "12,000 of 20,000" ─▶ ready ─▶ POST save ─▶ GET … ─▶ the run is complete
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

import requests
import sqlalchemy as sa

from app.console.visit import csrf_of
from app.store.engine import reading
from benchmarks.console_pages import Visitor

PAUSE = 0.05  # seconds between two looks
LONGEST = 300.0


@dataclass(slots=True)
class Previewed:
    """Seconds until it was ready, and from the save until the run was complete; `seen` is the progress on the page."""

    people: int
    ready: float = 0.0
    saved: float = 0.0
    complete: float = 0.0
    seen: list[int] = field(default_factory=list)


def preview(engine: sa.Engine, base: str, visitor: Visitor, group: str, source: str) -> Previewed:
    """Give the group's members a role, from the form to the last account."""
    browser = requests.Session()
    browser.cookies.set(*visitor.cookie)
    token = {"csrf": csrf_of(visitor.cookie[1])}
    said = {"kind": "group", "match": group, "source": source, "role": "manager", "scope": "tenant", "priority": "0"}
    began = time.perf_counter()
    answer = browser.post(f"{base}/admin/groups/new", data=token | said | {"group": group}, allow_redirects=False)
    assert answer.status_code == 303, f"{answer.status_code}: {re.sub(r'<[^>]+>', ' ', answer.text)[-600:]}"
    here = base + answer.headers["Location"]
    draft_id = here.rstrip("/").rpartition("/")[2]
    found = Previewed(0)
    while (state := _state(engine, visitor, draft_id))[0] in ("waiting", "working"):
        page = browser.get(here)
        assert page.status_code == 200
        shown = re.search(r"([\d,]+)\s+of\s+([\d,]+)", re.sub(r"<[^>]+>", " ", page.text))
        if shown:
            found.seen.append(int(shown[1].replace(",", "")))
        assert time.perf_counter() - began < LONGEST, state
        time.sleep(PAUSE)
    assert state[0] == "ready", state
    assert browser.get(here).status_code == 200
    found.ready, found.people = time.perf_counter() - began, state[1]
    began = time.perf_counter()
    answer = browser.post(f"{here}/save", data=token, allow_redirects=False)
    assert answer.status_code == 303, answer.text[-500:]
    found.saved = time.perf_counter() - began
    while (run := _run(engine, visitor, draft_id)) != "complete":
        assert browser.get(here).status_code == 200
        assert time.perf_counter() - began < LONGEST, run
        time.sleep(PAUSE)
    found.complete = time.perf_counter() - began
    return found


def _state(engine: sa.Engine, visitor: Visitor, draft_id: str) -> tuple[str, int]:
    asked = sa.text("SELECT state, total FROM mapping_drafts WHERE tenant_id = :tenant AND id = CAST(:id AS uuid)")
    with reading(engine) as conn:
        row = conn.execute(asked, {"tenant": visitor.tenant_id, "id": draft_id}).one()
    return str(row.state), int(row.total)


def _run(engine: sa.Engine, visitor: Visitor, draft_id: str) -> str | None:
    asked = sa.text("""SELECT r.state FROM mapping_drafts d JOIN runs r ON r.tenant_id = d.tenant_id AND r.id = d.run_id
        WHERE d.tenant_id = :tenant AND d.id = CAST(:id AS uuid)""")
    with reading(engine) as conn:
        return conn.execute(asked, {"tenant": visitor.tenant_id, "id": draft_id}).scalar()
