"""What needs attention, as a list for people: each with one sentence and the page where something is done about it.

app.store.overview ─▶ items ─▶ the gravest first; what is alike is listed up to a few, and then counted
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeVar
from urllib.parse import urlencode

from app.console.phrases import ago
from app.store.overview import Count, Expiring, Overview, Refusals
from app.store.runs import Run

Tone = Literal["danger", "warning", "info"]
T = TypeVar("T")

EACH: Final = 3  # of a kind that are listed by themselves
GRAVEST_FIRST: Final[tuple[Tone, ...]] = ("danger", "warning", "info")
CREDENTIALS: Final = {
    "scim_token": "SCIM token",
    "api_key": "API key",
    "client": "client",
    "client_secret": "secret of the client",
}
RUNS: Final = {
    "import": "import",
    "mapping": "change of a mapping",
    "group": "change of a group",
    "rules": "change of rules",
    "retirement": "retirement of a source",
}


@dataclass(frozen=True, slots=True)
class Item:
    """`action` is what the link to `href` says. `at` is when it happened or will, where that matters."""

    tone: Tone
    icon: str
    title: str
    text: str
    href: str
    action: str
    at: datetime | None = None


def items(found: Overview, now: datetime) -> list[Item]:
    """All of them, the gravest first."""
    made = [*_runs(found), *_failures(found), *_expiring(found, now), *_refusals(found), *_waiting(found)]
    return sorted(made, key=lambda item: GRAVEST_FIRST.index(item.tone))


def said(count: Count) -> str:
    """A number that may have stopped at its limit."""
    return f"{count.number:,}{'+' if count.at_least else ''}"


def _runs(found: Overview) -> Iterator[Item]:
    for run in found.held_runs[:EACH]:
        text = "It would take access from more people than the guard lets pass. Nothing happens until somebody decides."
        title = f"A plan is held: {_kind(run)}"
        yield Item("warning", "hand-stop", title, text, f"/admin/runs/{run.id}", "Decide", run.created_at)
    yield from _more(
        found.held_runs, "warning", "hand-stop", "more plans are held", "/admin/runs?state=held", "Show them"
    )
    for run in found.failed_runs[:EACH]:
        text = f"It stopped after {run.position:,} of {run.total:,} changes."
        title = f"A run failed: {_kind(run)}"
        yield Item("danger", "alert-circle", title, text, f"/admin/runs/{run.id}", "See why", run.updated_at)
    yield from _more(
        found.failed_runs, "danger", "alert-circle", "more runs failed", "/admin/runs?state=failed", "Show them"
    )


def _failures(found: Overview) -> Iterator[Item]:
    for one in found.metadata[:EACH]:
        text = (
            f"{one.failure or 'It does not answer'}. People sign in with what was read before, until its keys change."
        )
        href = f"/admin/sign-in-connections/{one.id}"
        yield Item(
            "danger", "certificate", f"Metadata of {one.name} cannot be read", text, href, "Look at it", one.since
        )
    for one in found.receivers[:EACH]:
        text = f"{one.failure or 'It does not answer'}. Events wait and are sent again; none is lost."
        href = "/admin/provisioning/receivers"
        yield Item("danger", "webhook", f"{one.name} does not take events", text, href, "Look at it", one.since)
    for one in found.logouts[:EACH]:
        title = f"Sign-out did not reach {one.name or 'a learning platform'}"
        text = f"{said(one.times)} times; {one.failure or 'it does not answer'}. Its sessions end with their tokens."
        yield Item("warning", "logout", title, text, "/admin/health", "Look at it")


def _expiring(found: Overview, now: datetime) -> Iterator[Item]:
    left = [one for one in found.expiring if not one.replaced]
    for one in left[:EACH]:
        over = one.expires_at <= now
        verb = "ended" if over else "ends"
        title = f"The {CREDENTIALS.get(one.kind, one.kind)} {_named(one)} {verb} {ago(one.expires_at, now)}"
        text = (
            "Whoever uses it is turned away."
            if over
            else "Rotate it: the old one goes on for a while beside the new one."
        )
        href = "/admin/provisioning/api-keys" if one.kind == "api_key" else "/admin/provisioning"
        yield Item("danger" if over else "warning", "key", title, text, href, "Rotate it")
    yield from _more(left, "warning", "key", "more tokens and secrets end soon", "/admin/provisioning", "Show them")


def _refusals(found: Overview) -> Iterator[Item]:
    if found.refused_sign_ins:
        title = _refused(found.refused_sign_ins, found.refused_sign_ins_at_least, "sign-in")
        href = f"/admin/sign-in-connections/log?{urlencode({'outcome': 'refused'})}"
        yield Item("warning", "login-2", title, _reasons(found.refused_sign_ins), href, "See why")
    if found.refused_requests:
        title = _refused(found.refused_requests, found.refused_requests_at_least, "SCIM request")
        href = f"/admin/provisioning/requests?{urlencode({'status': '4xx', 'since': '24'})}"
        yield Item("warning", "cloud-upload", title, _reasons(found.refused_requests), href, "See why")


def _waiting(found: Overview) -> Iterator[Item]:
    if found.duplicates.number:
        text = "Two accounts that may be one person. Nothing is merged until somebody looks."
        title = _many(found.duplicates, "possible duplicate")
        yield Item("info", "arrow-merge", title, text, "/admin/duplicates", "Compare")
    if found.unmapped_groups.number:
        text = "What is not mapped grants nothing."
        verb = "has" if found.unmapped_groups.number == 1 else "have"
        title = f"{_many(found.unmapped_groups, 'group')} {verb} no role yet"
        yield Item("info", "users-group", title, text, "/admin/groups/unmapped", "Map them")
    if found.drift.number:
        text = "They are kept with the record, and otherwise ignored."
        verb = "arrives" if found.drift.number == 1 else "arrive"
        title = f"{_many(found.drift, 'field')} {verb} that nobody understands"
        yield Item("info", "zoom-question", title, text, "/admin/provisioning/drift", "See which")


def _more(all_: Sequence[T], tone: Tone, icon: str, title: str, href: str, action: str) -> Iterator[Item]:
    if len(all_) > EACH:
        yield Item(tone, icon, f"{len(all_) - EACH} {title}", "", href, action)


def _kind(run: Run) -> str:
    return RUNS.get(run.kind, run.kind)


def _named(one: Expiring) -> str:
    return f"“{one.name}”" + (f" of {one.source}" if one.source else "")


def _many(count: Count, thing: str) -> str:
    return f"{said(count)} {thing}{'' if count.number == 1 else 's'}"


def _refused(refused: Sequence[Refusals], at_least: bool, thing: str) -> str:
    count = Count(sum(one.times for one in refused), at_least)
    return f"{_many(count, thing)} {'was' if count.number == 1 else 'were'} refused within a day"


def _reasons(refused: Sequence[Refusals]) -> str:
    listed = ", ".join(f"{one.reason.replace('_', ' ') or 'no reason noted'} ({one.times:,})" for one in refused[:EACH])
    return f"Most often: {listed}."
