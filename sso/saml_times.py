"""SAML's points in time, against our clock and an allowance for the other's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from sso.errors import SignInError

_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?\Z", re.ASCII
)


def instant(value: str, what: str) -> datetime:
    """An xs:dateTime, in UTC: with any fraction, and with `Z`, an offset, or no zone, which SAML reads as UTC.

    Raises:
        SignInError: `malformed`, naming `what`.
    """
    found = _INSTANT.match(value)
    if found is None:
        raise _malformed(value, what)
    seconds, fraction, zone = found.groups()
    try:
        read = datetime.fromisoformat(f"{seconds}.{(fraction or '0')[:6]:0<6}{zone or 'Z'}")
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _malformed(value, what) from None


def written(moment: datetime) -> str:
    """As we write it: whole seconds and `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begun(start: datetime, now: datetime, skew: timedelta, what: str) -> None:
    """Raises:
    SignInError: `not_yet_valid`, `start` is ahead of us by more than the skew.
    """
    if ahead(start, now, skew):
        raise SignInError("not_yet_valid", f"{what}: {written(start)} is ahead of our clock, {written(now)}")


def not_over(end: datetime, now: datetime, skew: timedelta, what: str) -> None:
    """Raises:
    SignInError: `expired`, `end` was longer ago than the skew.
    """
    if past(end, now, skew):
        raise SignInError("expired", f"{what}: {written(end)} is past, our clock says {written(now)}")


def ahead(start: datetime, now: datetime, skew: timedelta) -> bool:
    """Whether `start` is still to come, the skew allowed for."""
    return start - now > skew


def past(end: datetime, now: datetime, skew: timedelta) -> bool:
    """Whether `end` is over, the skew allowed for."""
    return now - end >= skew


def _malformed(value: str, what: str) -> SignInError:
    return SignInError("malformed", f"{what}: expected a point in time, found {value[:60] or 'nothing'}")
