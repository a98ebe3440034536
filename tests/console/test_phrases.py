"""How moments, numbers and differences are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.console.phrases import ago, changes, counted, exact, iso, many, owners

NOW = datetime(2026, 11, 30, 5, 32, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=50), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(minutes=61), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1, hours=2), "1 day ago"),
        (timedelta(days=44), "44 days ago"),
        (timedelta(days=46), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(seconds=-3), "in a moment"),
        (timedelta(days=-2), "in 2 days"),
    ],
)
def test_how_long_ago(gone: timedelta, said: str) -> None:
    assert ago(NOW - gone, NOW) == said


def test_a_moment_is_said_in_utc() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=2)))
    assert exact(here) == "30 Nov 2026, 05:32:28 UTC"
    assert iso(here) == "2026-11-30T05:32:28Z"


def test_counts_are_read_no_further_than_a_thousand() -> None:
    assert [counted(number) for number in (0, 1_000, 1_001)] == ["0", "1,000", "1,000+"]
    assert counted(12_345, 1_000_000) == "12,345"


def test_one_thing_is_not_several() -> None:
    assert [many(number, "record") for number in (0, 1, 1_204)] == ["0 records", "1 record", "1,204 records"]


def test_what_changed_comes_first_and_by_its_whole_name() -> None:
    before = {"name": {"given": "Ada", "family": "Byron"}, "title": "Countess"}
    after = {"name": {"given": "Ada", "family": "Lovelace"}, "active": True}
    assert [(change.name, change.kind) for change in changes(before, after)] == [
        ("active", "added"),
        ("name.family", "changed"),
        ("title", "removed"),
        ("name.given", "same"),
    ]
    assert [change.kind for change in changes(None, {"name": "Ada"})] == ["added"]
    assert changes(None, None) == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("owner hris", "owner the HR system"),
        ("idp comes after hris", "the identity provider comes after the HR system"),
        ("a login owns nothing", "the sign-in owns nothing"),
        ("by hand", "by hand"),
    ],
)
def test_kinds_of_sources_are_named_in_words(rule: str, words: str) -> None:
    assert owners(rule) == words
