"""What may be done with a run: apply a plan, save a rule, allow or reject what is held."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.rendering import Refused, back, field
from app.console.runs.pages import shown
from app.console.visit import Visit
from app.store import runs as store
from app.store.engine import reading
from app.sync import imports, rules, uploads
from app.sync.rule_changes import HighestRole

LONGEST_REASON: Final = 500
SAID: Final = {
    "held": ("The guard holds it: read who would lose what, then allow or reject it.", "warning"),
    "queued": ("It waits for a worker.", "info"),
    "complete": ("Done.", "success"),
}


def apply(desk: Desk, visit: Visit, run_id: str) -> Response:
    """Do what the plan of a file shows."""
    try:
        state = uploads.apply(desk.engine, visit.tenant_id, run_id, visit.actor)
    except (imports.NotHeldError, imports.ClosedSourceError) as error:
        raise Refused(409, str(error)) from error
    return _told(run_id, state)


def save(desk: Desk, visit: Visit, run_id: str) -> Response:
    """Save the rule that a plan shows."""
    with reading(desk.engine) as conn:
        summary = store.find(conn, visit.tenant_id, run_id).summary
    if summary.get("change", {}).get("what") == HighestRole.what and not visit.may("owner"):
        raise Refused(403, "It changes a setting of the organisation: an owner saves it.", "Not for your role")
    holds = bool(summary.get("holds"))
    reason, wrong = _reason(needed=holds)
    if wrong:
        return shown(desk, visit, run_id, 422, {"save": wrong})
    try:
        state = rules.save(desk.engine, visit.tenant_id, run_id, visit.actor, reason=reason)
    except rules.RulesMovedError as error:
        return back(f"/admin/runs/{run_id}", str(error), "warning")
    except (rules.NotPlannedError, rules.RuleError) as error:
        raise Refused(409, str(error)) from error
    return _told(run_id, state)


def allow(desk: Desk, visit: Visit, run_id: str) -> Response:
    """Let a held run go, with the reason of whoever allows it."""
    reason, wrong = _reason(needed=True)
    if wrong:
        return shown(desk, visit, run_id, 422, {"allow": wrong})
    try:
        done = imports.allow(desk.engine, visit.tenant_id, run_id, visit.actor, reason=reason)
    except imports.NotHeldError as error:
        raise Refused(409, "It is not held any more: somebody decided, or its time is over.") from error
    return _told(run_id, done.state)


def reject(desk: Desk, visit: Visit, run_id: str) -> Response:
    """Throw away a plan, while it is made too, or what is held."""
    reason, wrong = _reason(needed=False)
    if wrong:
        return shown(desk, visit, run_id, 422, {"reject": wrong})
    try:
        imports.reject(desk.engine, visit.tenant_id, run_id, visit.actor, reason=reason)
    except imports.NotHeldError as error:
        raise Refused(409, "It is neither a plan nor held any more: somebody decided, or its time is over.") from error
    return back(f"/admin/runs/{run_id}", "Thrown away. Nobody was changed.")


def _reason(*, needed: bool) -> tuple[str, str]:
    """The reason, and what is wrong with it."""
    reason = field("reason")
    if needed and not reason:
        return "", "Say why, in a few words: it is kept with the run and in the audit."
    if len(reason) > LONGEST_REASON:
        return "", f"Say it in {LONGEST_REASON} characters."
    return reason, ""


def _told(run_id: str, state: str) -> Response:
    said, kind = SAID[state]
    return back(f"/admin/runs/{run_id}", said, kind)  # type: ignore[arg-type]
