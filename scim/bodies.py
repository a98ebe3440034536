"""Request bodies: bytes in, one JSON object out, or the precise error before anything else looks at it."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge, UnsupportedMediaType
from scim.store import Limits

_MEDIA_TYPES = ("application/scim+json", "application/json", "")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_media_type(content_type: str | None) -> None:
    """`UnsupportedMediaType` unless it is SCIM, JSON, or unnamed (RFC 7644 §8.1)."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise UnsupportedMediaType(f"Send application/scim+json or application/json, not {media_type[:100]!r}.")


def parse(data: bytes, limits: Limits) -> dict[str, Any]:
    """The JSON object in `data`.

    Errors: `PayloadTooLarge`; `InvalidSyntax` for anything that is not one object of plain JSON in UTF-8, is nested
    too deeply, names a key twice or in other letters than ASCII; `InvalidValue` for a text with a NUL character, which
    no database keeps.
    """
    check_size(len(data), limits)
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidSyntax("The body is not valid JSON in UTF-8.") from error
    if not isinstance(body, dict):
        raise InvalidSyntax("The body must be one JSON object.")
    _check_depth(body, limits.json_depth)
    json.loads(data, object_pairs_hook=_once)  # orjson takes the last of two equal keys in silence
    if b"\\u0000" in data and _NUL.search(data):
        raise InvalidValue("A text in the body holds the character U+0000.")
    return body


def check_size(size: int, limits: Limits) -> None:
    if size > limits.body:
        raise PayloadTooLarge(f"A body has at most {limits.body} bytes.")


def _check_depth(body: Any, limit: int) -> None:
    level = [body]
    for _ in range(limit):
        level = [
            child
            for holder in level
            for child in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise InvalidSyntax(f"The body nests more than {limit} levels deep.")


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise InvalidSyntax("The body names one key twice in the same object.")
    if not all(key.isascii() for key, _ in pairs):  # RFC 7643 §2.1; the sign for Kelvin is a `k` in lower case
        raise InvalidSyntax("A name of an attribute has a character that is not ASCII.")
