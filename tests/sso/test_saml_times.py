"""Points in time as identity providers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sso.errors import SignInError
from sso.saml_times import ahead, instant, past, written

MOMENT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2026-03-01T12:30:15Z", 0),
        ("2026-03-01T12:30:15", 0),
        ("2026-03-01T12:30:15.5Z", 500_000),
        ("2026-03-01T12:30:15.1234567Z", 123_456),
        ("2026-03-01T12:30:15+00:00", 0),
        ("2026-03-01T14:30:15+02:00", 0),
        ("2026-03-01T07:00:15.001-05:30", 1_000),
    ],
)
def test_a_point_in_time_is_read(text: str, microseconds: int) -> None:
    assert instant(text, "x") == MOMENT.replace(microsecond=microseconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-03-01",
        "2026-03-01 12:30:15Z",
        "2026-02-30T12:30:15Z",
        "2026-03-01T25:30:15Z",
        "2026-03-01T12:30:15Z\n",
        "٢٠٢٦-03-01T12:30:15Z",
        "0001-01-01T00:00:00+14:00",
        "2026-03-01T12:30:15.1234567890123Z",
        "-2026-03-01T12:30:15Z",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(SignInError) as refused:
        instant(text, "NotBefore")
    assert refused.value.code == "malformed"
    assert refused.value.detail.startswith("NotBefore")


def test_the_skew_is_allowed_for_on_both_sides() -> None:
    skew = timedelta(seconds=120)
    assert not ahead(MOMENT + skew, MOMENT, skew)
    assert ahead(MOMENT + skew + timedelta(seconds=1), MOMENT, skew)
    assert not past(MOMENT - skew + timedelta(seconds=1), MOMENT, skew)
    assert past(MOMENT - skew, MOMENT, skew)


def test_what_is_written_is_read_again() -> None:
    assert instant(written(MOMENT), "x") == MOMENT
