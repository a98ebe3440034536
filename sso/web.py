"""The way out to addresses that a connection or an issuer names: guarded and bounded by whoever provides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from sso.strict_json import read_object

LARGEST: Final = 262_144  # bytes of a document or a key set


class NoAnswerError(Exception):
    """No answer came in time, or the address may not be asked. The message quotes nothing that was sent."""


class Reply(Protocol):
    """What came back. Header names are in lower case; `whole` is whether `body` was within the limit."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...

    @property
    def whole(self) -> bool: ...


class Web(Protocol):
    """One bounded exchange. Redirects are not followed, addresses in private networks are not asked.

    Raises:
        NoAnswerError: see there.
    """

    def get(self, url: str, headers: Mapping[str, str], limit: int) -> Reply: ...

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limit: int) -> Reply: ...


def json_object(reply: Reply) -> dict[str, object]:
    """The JSON object that a reply is.

    Raises:
        ValueError: it is none, or was too long.
    """
    if not reply.whole:
        raise ValueError("the answer is too long")
    return read_object(reply.body)
