"""One Security Event Token to one receiver (RFC 8935): POST it, and understand the answer.

202 is the only yes (§2.2). 400 with {"err", "description"} says why not (§2.3); anything else is a failure as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import orjson

from app.outbound import Outbound, OutboundError, Reply
from scim.events import MEDIA_TYPE

# RFC 8935 §2.4; whatever else a receiver says is not repeated: it may quote the token.
ERRORS: Final = (
    "invalid_request",
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Whether it was taken. If not: `failure`, and `retry_after` in seconds when the receiver named a time."""

    taken: bool
    failure: str = ""
    retry_after: float | None = None


def push(outbound: Outbound, url: str, token: str, authorization: str | None) -> Delivered:
    """Send the token."""
    headers = {"Content-Type": MEDIA_TYPE, "Accept": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    try:
        reply = outbound.post(url, token.encode(), headers)
    except OutboundError as error:
        return Delivered(False, str(error))
    if reply.status == 202:
        return Delivered(True)
    return Delivered(False, _failure(reply), _retry_after(reply.headers))


def _failure(reply: Reply) -> str:
    said = f"status {reply.status} instead of 202"
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return said
    error = body.get("err") if isinstance(body, dict) else None
    return f"{said}: {error}" if error in ERRORS else said


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
