"""scim2-tester: what is published is compared with what is done, on each attribute of each schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from app.checking.remedies import Advice, about, section_of
from app.checking.report import Finding, Outcome, short
from app.checking.target import Target

if TYPE_CHECKING:
    from scim2_tester import CheckResult

NAME: Final = "scim2-tester"
_OUTCOMES: Final[dict[str, Outcome]] = {
    "ERROR": "failed",
    "CRITICAL": "failed",
    "DEVIATION": "warning",
    "SKIPPED": "skipped",
}
_SUCCESS: Final = re.compile(r"SUCCESS`: (.+(?:\n +[^-\s:].*)*)")
_READ_ONLY: Final = (
    "The suite takes every extension for writable. All attributes of this one are published as readOnly, so refusing "
    "the change, or showing other values than were sent, is right. Nothing to do."
)


def run(target: Target) -> Iterator[Finding]:
    """Its checks; the suite deletes what it made."""
    from scim2_client.engines.wsgi import WSGISCIMClient
    from scim2_tester import check_server

    read_only = _read_only_schemas(target)
    client = WSGISCIMClient(target.passed_on, base_url=target.base_url)
    for result in check_server(client):
        yield _finding(target, result, read_only)


def _finding(target: Target, result: CheckResult, read_only: frozenset[str]) -> Finding:
    data: dict[str, Any] = result.data if isinstance(result.data, dict) else {}
    urn, title, description = str(data.get("urn", "")), result.title or "check", result.description or ""
    outcome = _OUTCOMES.get(result.status.name, "passed")
    check = f"{title.removeprefix('check_').replace('_', ' ')}{': ' + urn if urn else ''}"
    resource = result.resource_type or "discovery"
    if outcome in ("passed", "skipped"):
        return Finding(NAME, resource, check, outcome, got=short(result.reason or "") if outcome == "skipped" else "")
    reason = target.masked(result.reason or "")
    advice = about(f"{title} {reason}")
    if urn in read_only and title.endswith("_attribute"):
        advice = Advice(advice.section, _READ_ONLY, allowed=True)
    return Finding(
        NAME,
        resource,
        check,
        "warning" if advice.allowed else outcome,
        sent=_sent(title, urn, data),
        expected=_expected(description),
        got=short(reason),
        section=section_of(description) or advice.section,
        remedy=advice.remedy,
    )


def _expected(description: str) -> str:
    """What the check's documentation says of a success."""
    found = _SUCCESS.search(description)
    return short(found[1]) if found else ""


def _sent(title: str, urn: str, data: dict[str, Any]) -> str:
    """The suite keeps no requests; of a PATCH it tells enough to write it down again."""
    if not urn:
        return ""
    op = title.removeprefix("check_").removesuffix("_attribute")
    value = data.get("patch_value", data.get("expected"))
    return short(f"PATCH {op} {urn}{'' if value is None else f' = {value}'}", 200)


def _read_only_schemas(target: Target) -> frozenset[str]:
    answer = target.ask("GET", "/Schemas").body
    listed = answer.get("Resources") if isinstance(answer, dict) else None
    schemas = [one for one in listed or [] if isinstance(one, dict)]
    return frozenset(str(schema.get("id")) for schema in schemas if _is_read_only(schema))


def _is_read_only(schema: dict[str, Any]) -> bool:
    attributes = schema.get("attributes") or []
    return bool(attributes) and all(one.get("mutability") == "readOnly" for one in attributes)
