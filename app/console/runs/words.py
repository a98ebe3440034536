"""What runs, their states and their lines are called on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.store.plans import PlanLine
from app.store.runs import Run
from app.sync.effects import CREATED, DEACTIVATED, REFUSED, ROLE_LOSS, UNCHANGED, UPDATED

KINDS: Final = {
    "import": "Import",
    "mapping": "Roles after a mapping changed",
    "group": "Roles after a group changed",
    "rules": "Change of rules",
    "retirement": "Retiring a source",
}
# words, tone
STATES: Final = {
    "planning": ("Being planned", "info"),
    "planned": ("Planned", "accent"),
    "held": ("Held", "warning"),
    "queued": ("Waiting", "info"),
    "running": ("Running", "info"),
    "complete": ("Complete", "success"),
    "failed": ("Failed", "danger"),
    "rejected": ("Rejected", "neutral"),
    "expired": ("Expired", "neutral"),
}
EFFECTS: Final = {
    DEACTIVATED: ("Deactivated", "danger"),
    ROLE_LOSS: ("Loses a role", "warning"),
    CREATED: ("Created", "success"),
    UPDATED: ("Updated", "info"),
    REFUSED: ("Refused", "danger"),
    UNCHANGED: ("Unchanged", "neutral"),
}
AT_WORK: Final = ("planning", "queued", "running")
TO_DECIDE: Final = ("planned", "held")
NOBODY: Final = "nothing"
LED_BY: Final = ("manager", "managers")  # attributes that are ids of accounts


@dataclass(frozen=True, slots=True)
class LineSeen:
    """One line of a run, in words. `changes` are (name, before, after)."""

    number: int
    name: str
    account_id: str | None
    key: str
    effect: str | None
    changes: tuple[tuple[str, str, str], ...]
    outcome: str


def title(run: Run, source: str | None) -> str:
    """What the run is about, in a few words."""
    change = run.summary.get("change")
    if change:
        return _changed(change, source)
    if run.kind == "import" and run.summary.get("file"):
        return f"Import of {run.summary['file']}"
    return KINDS.get(run.kind, run.kind)


def _changed(change: Mapping[str, Any], source: str | None) -> str:
    what = change["what"]
    if what == "owners":
        if not change["owners"]:
            return f"{change['attribute']}: back to the built-in order"
        first = f", first value from {', '.join(change['create_only'])}" if change["create_only"] else ""
        return f"{change['attribute']}: {', then '.join(change['owners'])}{first}"
    if what == "meanings":
        number = sum(len(names) for names in change["names"].values())
        of = f" of {source}" if source else ""
        return f"{number} {'code' if number == 1 else 'codes'}{of}"
    if what == "highest role":
        return "Only the highest role counts" if change["wins"] else "All roles count"
    return f"Retire {source or 'a source'}"


def seen(line: PlanLine, names: Mapping[str, str], added: Mapping[str, tuple[str, Sequence[Any]]]) -> LineSeen:
    """The line as a page shows it. `names` are of accounts that it speaks of, `added` (effect, changes) of those whose
    line has none.
    """
    payload = line.payload
    account = payload.get("account")
    effect, changes = added.get(account or "", (line.effect, payload.get("changes", ())))
    key = payload.get("key") or ""
    name = names.get(account or "") or payload.get("name") or key or account or ""
    spelled = tuple((str(one), spell(before, names), spell(after, names)) for one, before, after in changes)
    return LineSeen(line.number, name, account, key, effect, spelled, line.outcome or "")


def people_in(line: PlanLine) -> set[str]:
    """The ids of accounts that the line speaks of: its own, where it has no name, and managers."""
    payload = line.payload
    own = {payload["account"]} if payload.get("account") and not payload.get("name") else set()
    told = [one for change in payload.get("changes", ()) if change[0] in LED_BY for one in change[1:]]
    return own | {one for value in told for one in _ids(value)}


def spell(value: Any, names: Mapping[str, str] | None = None) -> str:
    """A value of an account, to be read by people; ids that are in `names` by their names."""
    if value is None or value in ("", [], {}):
        return NOBODY
    if isinstance(value, Mapping):
        if set(value) == {"tenant"}:
            return spell(value["tenant"], names)
        return "; ".join(f"{name}: {spell(one, names)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(spell(one, names) for one in value)
    return (names or {}).get(str(value), str(value))


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _ids(one)
    elif value:
        yield str(value)
