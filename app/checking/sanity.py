"""scim-sanity: the life of a user and of a group, headers and errors included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from app.checking.remedies import about
from app.checking.report import Finding, Outcome, short
from app.checking.target import Target

NAME: Final = "scim-sanity"
_OUTCOMES: Final[dict[str, Outcome]] = {
    "pass": "passed",
    "warn": "warning",
    "skip": "skipped",
    "fail": "failed",
    "error": "failed",
}
_RESOURCES: Final = {"User": "User", "Group": "Group", "Search": "list", "Error": "error", "Discovery": "discovery"}


def run(target: Target) -> Iterator[Finding]:
    """Its seven phases; the suite deletes what it made."""
    from scim_sanity.probe.runner import run_probe_api

    found = run_probe_api(target.base_url, token=target.token, timeout=int(target.timeout))
    for result in found["results"]:
        yield _finding(target, result)


def _finding(target: Target, result: Mapping[str, str]) -> Finding:
    name, phase = result["name"], result.get("phase", "")
    said = target.masked(result.get("message", ""))
    resource = next((ours for theirs, ours in _RESOURCES.items() if theirs in phase), phase.rpartition("— ")[2] or name)
    outcome = _OUTCOMES[result["status"]]
    if outcome in ("passed", "skipped"):
        return Finding(NAME, resource, name, outcome, got=short(said) if outcome == "skipped" else "")
    advice = about(f"{name} {said}")
    expected, _, got = said.partition(", got ")
    return Finding(
        NAME,
        resource,
        name,
        "warning" if advice.allowed else outcome,
        expected=short(expected.removeprefix("Expected ")) if got else "",
        got=short(got or said),
        section=advice.section,
        remedy=advice.remedy,
    )
