"""The report, for people and as JSON."""

from __future__ import annotations

from app.checking.report import Finding, Report, short

FINDINGS = [
    Finding("field", "User", "It works", "passed"),
    Finding("field", "User", "It breaks", "failed", "PATCH /Users/1", "200", "500", "RFC 7644 §3.5.2", "Repair it."),
    Finding("field", "Group", "It is odd", "warning", got="odd"),
    Finding("other", "list", "Not here", "skipped"),
]


def test_failures_stand_apart_from_warnings_and_say_what_to_do() -> None:
    lines = list(Report("https://x/scim", FINDINGS).lines())
    text = "\n".join(lines)
    assert text.index("What failed") < text.index("It breaks") < text.index("Warnings") < text.index("It is odd")
    assert [line.split(None, 1) for line in lines if line.startswith("    ")][:5] == [
        ["sent", "PATCH /Users/1"],
        ["expected", "200"],
        ["got", "500"],
        ["see", "RFC 7644 §3.5.2"],
        ["remedy", "Repair it."],
    ]
    assert "It works" not in text
    assert lines[-3:] == [
        "field         1 passed, 1 failed, 1 warnings",
        "other         0 passed, 0 failed, 0 warnings, 1 not applicable",
        "Result: FAILED",
    ]


def test_warnings_do_not_fail_and_json_tells_everything() -> None:
    report = Report("https://x/scim", [FINDINGS[0], *FINDINGS[2:]])
    assert report.passed
    told = report.as_dict()
    assert (told["result"], told["counts"]) == ("passed", {"passed": 1, "failed": 0, "warning": 1, "skipped": 1})
    assert told["findings"][1] == {
        "suite": "field",
        "resource": "Group",
        "check": "It is odd",
        "outcome": "warning",
        "sent": "",
        "expected": "",
        "got": "odd",
        "section": "",
        "remedy": "",
    }


def test_what_a_server_says_cannot_steer_the_terminal() -> None:
    assert short("a\x1b[31mb\r\n c\x00") == "a [31mb c"
    assert short("x" * 400) == "x" * 299 + "…"
