"""What was found: one `Finding` a check, and the report of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final, Literal

Outcome = Literal["passed", "warning", "failed", "skipped"]

LONGEST: Final = 300
_TITLES: Final = {
    "failed": "What failed",
    "warning": "Warnings: allowed, or wanted by somebody only; worth a look",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one suite. `resource` is what it is about: User, Group, a list, the discovery.

    What was sent, expected and got, the section of the RFC and what to do are filled in where they are known.
    """

    suite: str
    resource: str
    check: str
    outcome: Outcome
    sent: str = ""
    expected: str = ""
    got: str = ""
    section: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one server."""

    url: str
    findings: Sequence[Finding]

    @property
    def passed(self) -> bool:
        """Nothing failed. Warnings do not count."""
        return self._counts()["failed"] == 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "result": "passed" if self.passed else "failed",
            "counts": self._counts(),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def lines(self) -> Iterator[str]:
        """The report for people: what failed, apart from it the warnings, then the sums."""
        yield self.url
        for outcome, title in _TITLES.items():
            found = [finding for finding in self.findings if finding.outcome == outcome]
            if found:
                yield from ("", title, "=" * len(title))
                yield from _grouped(found)
        yield ""
        yield from self._sums()

    def _sums(self) -> Iterator[str]:
        for suite, found in groupby(self.findings, lambda finding: finding.suite):
            yield f"{suite:14}{_sum(_count(found))}"
        yield f"Result: {'passed' if self.passed else 'FAILED'}"

    def _counts(self) -> dict[str, int]:
        return _count(self.findings)


def short(text: object, limit: int = LONGEST) -> str:
    """One line of `text` that a terminal can show: what a server answered is not to be trusted."""
    line = " ".join("".join(one if one.isprintable() else " " for one in str(text)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _grouped(findings: Iterable[Finding]) -> Iterator[str]:
    for (suite, resource), found in groupby(findings, lambda finding: (finding.suite, finding.resource)):
        yield from ("", f"{suite}: {resource}")
        for finding in found:
            yield f"  {finding.check}"
            yield from _details(finding)


def _details(finding: Finding) -> Iterator[str]:
    told = {
        "sent": finding.sent,
        "expected": finding.expected,
        "got": finding.got,
        "see": finding.section,
        "remedy": finding.remedy,
    }
    yield from (f"    {name:10}{text}" for name, text in told.items() if text)


def _count(findings: Iterable[Finding]) -> dict[str, int]:
    counted = Counter(finding.outcome for finding in findings)
    return {outcome: counted[outcome] for outcome in ("passed", "failed", "warning", "skipped")}


def _sum(counts: dict[str, int]) -> str:
    told = [f"{counts['passed']} passed", f"{counts['failed']} failed", f"{counts['warning']} warnings"]
    return ", ".join(told + ([f"{counts['skipped']} not applicable"] if counts["skipped"] else []))
