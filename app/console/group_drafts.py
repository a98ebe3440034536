"""A draft of the role table: who gains, who loses, before anything is saved; then saved, stopped, worked out anew."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.groups import HERE, demand_below
from app.console.rendering import arg, back, download, page, whole
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.writes import BusyError
from app.store import groups, runs
from app.store.engine import reading
from app.sync import drafts
from app.sync.mapping_changes import MappingError

PAGE: Final = 100
KINDS: Final = (("gain", "Gain", "gains"), ("loss", "Lose", "losses"), ("kept", "Keep by another line", "kept"))


def show(desk: Desk, visit: Visit, draft_id: str) -> Response:
    """The draft as it stands, with a page of those who gain, lose or keep a role."""
    draft = drafts.find(desk.engine, visit.tenant_id, draft_id)
    first = next((kind for kind, _, count in KINDS if draft.counts.get(count)), "gain")
    kind = arg("kind") if arg("kind") in ("gain", "loss", "kept") else first
    after = whole(arg("after")) or 0
    lines = drafts.lines(desk.engine, visit.tenant_id, draft_id, kind, after, PAGE + 1) if not draft.is_open else []
    changes = drafts.changes_of(draft)
    with reading(desk.engine) as conn:
        run = runs.find(conn, visit.tenant_id, draft.run_id) if draft.run_id else None
        called = groups.names(conn, visit.tenant_id, [each.match for each in changes if each.kind == "group"])
    here = f"{HERE}/drafts/{draft_id}"
    return page(
        "groups/draft.html",
        title="Before it is saved" if draft.state != "saved" else "Saved",
        draft=draft,
        run=run,
        kind=kind,
        kinds=KINDS,
        lines=lines[:PAGE],
        changes=changes,
        called=called,
        next=f"{here}?kind={kind}&after={lines[PAGE - 1].number}" if len(lines) > PAGE else "",
        first_page=f"{here}?kind={kind}" if after else "",
    )


def save(desk: Desk, visit: Visit, draft_id: str) -> Response:
    """Save what was shown, or nothing."""
    here = f"{HERE}/drafts/{draft_id}"
    demand_below(desk, visit, drafts.changes_of(drafts.find(desk.engine, visit.tenant_id, draft_id)))
    try:
        saved = drafts.save(desk.engine, visit.tenant_id, draft_id, visit.actor)
    except BusyError:
        raise
    except MappingError as error:
        return back(here, str(error), "warning")
    if saved.state == "queued":
        return back(here, "Saved. A run gives and takes the roles now; it can be watched here.")
    return back(here, "Saved, and everybody's roles follow it.")


def again(desk: Desk, visit: Visit, draft_id: str) -> Response:
    """Work it out anew, as things are now."""
    here = f"{HERE}/drafts/{draft_id}"
    drafts.find(desk.engine, visit.tenant_id, draft_id)
    try:
        drafts.again(desk.engine, visit.tenant_id, draft_id)
    except MappingError as error:
        return back(here, str(error), "warning")
    return back(here)


def stop(desk: Desk, visit: Visit, draft_id: str) -> Response:
    """Work it out no further."""
    drafts.find(desk.engine, visit.tenant_id, draft_id)
    stopped = drafts.stop(desk.engine, visit.tenant_id, draft_id)
    return back(
        f"{HERE}/drafts/{draft_id}", "Stopped. Nothing was saved." if stopped else "It was over already.", "info"
    )


def to_csv(desk: Desk, visit: Visit, draft_id: str) -> Response:
    """Everybody whom it concerns, as a file."""
    drafts.find(desk.engine, visit.tenant_id, draft_id)
    return download("preview.csv", drafts.to_csv(desk.engine, visit.tenant_id, draft_id))


ROUTES: Final = (
    Route("GET", f"{HERE}/drafts/<uuid:draft_id>", show),
    Route("GET", f"{HERE}/drafts/<uuid:draft_id>/preview.csv", to_csv),
    Route("POST", f"{HERE}/drafts/<uuid:draft_id>/save", save, "admin"),
    Route("POST", f"{HERE}/drafts/<uuid:draft_id>/again", again, "admin"),
    Route("POST", f"{HERE}/drafts/<uuid:draft_id>/stop", stop, "admin"),
)
