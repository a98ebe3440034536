"""Requests as they may be kept: no password, no token, and never longer than an administrator would read.

    body ─▶ parsed ─▶ values of secret names and token-like texts become "***" ─▶ long lists and texts cut ─▶ JSON
              └─ a small one, none of whose names and texts could be changed by that, is kept as it came

What cannot be parsed is not kept at all: nobody could say where a secret stands in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import orjson

MASK: Final = "***"
LONGEST_TEXT: Final = 512  # characters
LONGEST_LIST: Final = 50
LARGEST_PAYLOAD: Final = 16_384  # bytes of JSON
LARGEST_LOOKED_AT: Final = 4_096  # bytes; a user has about 1,000
LARGEST_PARSED: Final = 262_144  # bytes; only a Bulk body, or a group of thousands, is larger
DEEPEST: Final = 12
LONGEST_KEPT: Final = 100  # characters of a name whose answer is remembered
SHORT: Final = 40  # characters: nothing shorter is taken for a token by its looks alone

_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|passcode|secret(?!ar)|token|credential|authorization|assertion|cookie|private.?key|api.?key"
    r"|(?:^|[.:_\-])(?:pwd|pin|otp|pass)(?:$|[.:_\-\[])",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(
    r"rc_(?:scim|key|client|at)_[\w\-]*|eyJ[\w\-]+\.[\w\-.]*|\b(?:Bearer|Basic)\s+[\w\-.~+/=]{12,}|-----BEGIN[^-]*-----.*"
    r"|(?<![\w\-+=.])(?=[\w\-+=.]*\d)(?=[\w\-+=.]*[A-Za-z])[\w\-+=.]{40,}",
    re.DOTALL,
)
# An escape hides what follows, and JSON inside a text is a document of its own: both are worth the walk.
_UNCLEAR: Final = ("\\", '"{', '"[', "rc_", "eyJ", "Bearer", "Basic", "-----")
_SUSPECT: Final = re.compile(r"rc_|eyJ|Bearer|Basic|-----")
_URN: Final = "urn:ietf:params:scim:"
_HIDDEN: Final[ContextVar[frozenset[str]]] = ContextVar("masked_names", default=frozenset())
_PARTS: Final = re.compile(r"[^\s:.\[\]\"]+")
_LITERAL: Final = re.compile(r'"(?:[^"\\]|\\.)*"?')


def payload(body: bytes, *, refused: bool = False) -> str | None:
    """The body as it may be kept, as JSON text; None for an empty one.

    `refused`: its shape may be the reason, and a key that stands twice would hide what the first one names.
    """
    if not body:
        return None
    if len(body) > LARGEST_PARSED:
        return f'{{"cut":"a body of {len(body)} bytes"}}'
    try:
        if refused:
            json.loads(body, object_pairs_hook=_once)
        parsed = orjson.loads(body)
        if len(body) <= LARGEST_LOOKED_AT and _is_plain(came := body.decode(), parsed):
            return came
        masked = orjson.dumps(value(parsed))
    except (ValueError, TypeError, RecursionError):
        return f'{{"unreadable":"{len(body)} bytes that are not JSON"}}'
    if len(masked) > LARGEST_PAYLOAD:
        return f'{{"cut":"a body of {len(body)} bytes"}}'
    return masked.decode().replace("\\u0000", "")


def value(found: Any, depth: int = 0) -> Any:
    """A JSON value without secrets, with long lists and texts cut."""
    if isinstance(found, str):
        return text(found)
    if isinstance(found, dict):
        if depth == DEEPEST:
            return "…"
        return _object(found, depth + 1)
    if isinstance(found, list):
        if depth == DEEPEST:
            return "…"
        kept = [value(one, depth + 1) for one in found[:LONGEST_LIST]]
        return kept if len(found) <= LONGEST_LIST else [*kept, f"… {len(found) - LONGEST_LIST} more"]
    return found


def text(found: str, longest: int = LONGEST_TEXT) -> str:
    """A text without token-like parts, cut. JSON inside a text (Entra's roles) is masked like JSON."""
    if len(found) < SHORT and found[:1] not in ("{", "[") and not _SUSPECT.search(found):
        return found.replace("\x00", "") if "\x00" in found else found
    if found[:1] in ("{", "["):
        found = _inner(found)
    found = _TOKEN.sub(MASK, found).replace("\x00", "")
    return found if len(found) <= longest else found[: longest - 1] + "…"


def filter_text(found: str) -> str:
    """The shape of a filter: its values are left out."""
    shape = _LITERAL.sub("…", found)
    return text(re.sub(r"\b(eq|ne|co|sw|ew|gt|ge|lt|le)\s+(?!…)[^\s()\[\]]+", r"\1 …", shape, flags=re.IGNORECASE))


@contextmanager
def hiding(names: frozenset[str]) -> Iterator[None]:
    """Meanwhile values of these names (in lower case) are secrets too: attributes that a tenant's schemas hide."""
    before = _HIDDEN.set(names)
    try:
        yield
    finally:
        _HIDDEN.reset(before)


def is_secret(name: str) -> bool:
    """Whether a value of this name (an attribute, a path, a URN) is nobody's business."""
    hidden = _HIDDEN.get()
    if hidden and not hidden.isdisjoint(_PARTS.findall(name.lower())):
        return True
    return _known(name) if len(name) <= LONGEST_KEPT else _SECRET_NAME.search(name) is not None


@lru_cache(maxsize=4_096)
def _known(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _is_plain(body: str, parsed: Any) -> bool:
    """Whether `value` would change nothing in this JSON text, by a look at its names and texts; False when in doubt."""
    if _HIDDEN.get() or any(map(body.__contains__, _UNCLEAR)) or body.count(",") >= LONGEST_LIST:
        return False
    parts = body.split('"')  # there is no escape: texts, and what stands between them, in turns
    texts = parts[1::2]
    names = {one for one, after in zip(texts, parts[2::2], strict=True) if ":" in after}
    if not all(map(_is_plain_name, names)) or not all(_is_plain_text(one) for one in texts if len(one) >= SHORT):
        return False
    if "path" in names and any(is_secret(path) for name, path in pairwise(texts) if name == "path"):
        return False
    return body.count("{") + body.count("[") <= DEEPEST or not _is_deep(parsed)


@lru_cache(maxsize=4_096)
def _is_plain_name(name: str) -> bool:
    if len(name) > LONGEST_KEPT or _SECRET_NAME.search(name) or text(name) != name:
        return False
    return name == "path" or name.lower() not in ("path", "filter")


def _is_plain_text(found: str) -> bool:
    return _is_plain_name(found) if found.startswith(_URN) else text(found) == found


def _is_deep(found: Any) -> bool:
    level = [found]
    for _ in range(DEEPEST):
        inside = [one for holder in level for one in (holder.values() if isinstance(holder, dict) else holder)]
        level = [one for one in inside if isinstance(one, (dict, list))]
    return bool(level)


def _object(found: Mapping[str, Any], depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    hidden = any(len(key) == 4 and key.lower() == "path" and _names_secret(one) for key, one in found.items())
    for key, one in found.items():
        name = key if len(key) < SHORT else text(key)
        if one is not None and (is_secret(key) or (hidden and key.lower() == "value")):
            shown[name] = MASK
        elif isinstance(one, str) and (key.lower() == "filter" or (hidden and key.lower() == "path")):
            shown[name] = filter_text(one)
        else:
            shown[name] = value(one, depth)
    return shown


def _names_secret(path: Any) -> bool:
    """Of a PATCH operation."""
    return isinstance(path, str) and is_secret(path)


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key.lower() for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")


def _inner(found: str) -> str:
    try:
        return orjson.dumps(value(orjson.loads(found))).decode()
    except (ValueError, RecursionError):
        return MASK if is_secret(found) else found
