"""The suites of others, in our words."""

from __future__ import annotations

import pytest

from app.checking import sanity, suites, tester
from app.checking.remedies import about, section_of
from app.checking.report import Report
from app.checking.target import Target, UnreachableError
from scim.memory import MemoryStore
from scim.schemas import LMS_USER
from scim.store import Query


def checked(url: str, *names: str) -> Report:
    target = Target(url, "token")
    try:
        return suites.run(target, names, lambda name: None)
    finally:
        target.close()


def test_a_read_only_extension_that_is_patched_is_a_warning(good: str, store: MemoryStore) -> None:
    report = checked(good, tester.NAME)
    odd = [finding for finding in report.findings if finding.outcome != "passed"]
    assert report.passed
    assert [(one.outcome, one.resource) for one in odd] == [("warning", "User")] * 3
    assert all(LMS_USER in one.check and one.sent.startswith("PATCH ") for one in odd)
    assert [one.section for one in odd] == [f"RFC 7644 §3.5.2.{part}" for part in (1, 2, 3)]
    assert odd[0].expected == "Attribute successfully added"
    assert store.search(["User", "Group"], Query()).total == 0


def test_scim_sanitys_stranger_is_a_warning(good: str, store: MemoryStore) -> None:
    report = checked(good, sanity.NAME)
    [odd] = [finding for finding in report.findings if finding.outcome not in ("passed", "skipped")]
    assert (odd.outcome, odd.resource, odd.check) == ("warning", "Group", "PATCH /Groups/{id} add member")
    assert (odd.expected, odd.got, odd.section) == ("200", "400", "RFC 7644 §3.5.2")
    assert {one.resource for one in report.findings} >= {"User", "Group", "list", "error", "discovery"}
    assert store.search(["User", "Group"], Query()).total == 0


def test_a_suite_that_breaks_off_is_a_failure_of_it_alone(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(_target: Target) -> None:
        raise KeyError("token")

    broken = suites.Suite(breaking, "")  # type: ignore[arg-type]
    monkeypatch.setitem(suites.SUITES, tester.NAME, broken)
    report = checked(good, tester.NAME, sanity.NAME)
    assert [one.got for one in report.findings if one.outcome == "failed"] == ["KeyError: '(token)'"]
    assert len(report.findings) > 20


def test_a_refused_token_stops_it_before_anything_is_made(good: str) -> None:
    target = Target(good, "other")
    with pytest.raises(UnreachableError, match="refuses the token"):
        suites.run(target, list(suites.SUITES), lambda name: None)
    target.close()


@pytest.mark.parametrize(
    ("words", "section", "allowed"),
    [
        ("PATCH /Users/{id} Expected HTTP 200, got 204 (RFC 7644 §3.3)", "RFC 7644 §3.5.2", True),
        ("PATCH /Groups/{id} add member Expected 200, got 400", "RFC 7644 §3.5.2", True),
        ("PATCH /Groups/{id} add member Expected 200, got 500", "RFC 7644 §3.5.2", False),
        ("DELETE /Users/{id} Expected 204, got 200", "RFC 7644 §3.6", False),
        ("POST /Users Location header should be present", "RFC 7644 §3.3", False),
        ("GET /Users/nonexistent (expect 404) missing required attribute 'status'", "RFC 7644 §3.12", False),
        ("random_url nothing", "RFC 7644 §3.12", False),
        ("something else", "", False),
    ],
)
def test_advice_is_found_by_the_suites_words(words: str, section: str, allowed: bool) -> None:
    assert (about(words).section, about(words).allowed) == (section, allowed)


def test_a_section_is_read_of_documentation() -> None:
    assert section_of(":rfc:`RFC 7644 Section 3.5.2.1 - Add <7644#x>`") == "RFC 7644 §3.5.2.1"
    assert section_of("nothing") == ""
