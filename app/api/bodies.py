"""A JSON body, read strictly: once each key, not too deep, nothing that PostgreSQL cannot keep."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from flask import request

from app.api.problems import INVALID_JSON, TOO_LARGE, UNSUPPORTED, Problem

LARGEST: Final = 5 * 1024 * 1024
DEEPEST: Final = 16


def read_json(largest: int = LARGEST) -> Any:
    """The value in the request's body.

    Raises:
        Problem: another media type (415), more than `largest` bytes (413), or not JSON as this API takes it (400).
    """
    if not request.is_json:
        said = request.mimetype or "nothing"
        raise Problem(UNSUPPORTED, f"Send the body as application/json; its Content-Type says {said[:100]}.")
    return parse(read_bytes(largest))


def read_bytes(largest: int) -> bytes:
    """The request's body, if it is not larger than `largest` bytes (413)."""
    too_large = Problem(TOO_LARGE, f"The body is larger than {largest} bytes.")
    if request.content_length is not None and request.content_length > largest:
        raise too_large
    # Without a length (chunked) one byte more than allowed is read, to know.
    request.max_content_length = None
    body = request.stream.read(largest + 1)
    if len(body) > largest:
        raise too_large
    return body


def parse(body: bytes) -> Any:
    """The JSON value of these bytes.

    Raises:
        Problem: invalid-json, which says what is wrong and where.
    """
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise _bad(f"The body is not UTF-8 (at byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise _bad(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _bad(f"The body is nested more than {DEEPEST} deep.") from None
    except ValueError:
        raise _bad("A number in the body has too many digits.") from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _bad(f"The key {key[:100]!r} is there more than once in one object.")
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise _bad(f"{name} is not JSON.")


def _check(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += [*one, *one.values()]
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, str):
                _check_text(one)
            elif isinstance(one, float) and one in (float("inf"), float("-inf")):
                raise _bad("A number in the body is too large.")
            elif isinstance(one, int) and abs(one) >= 2**63:
                raise _bad("A whole number in the body has more than 63 bits.")
        if not inner:
            return
        level = inner
    raise _bad(f"The body is nested more than {DEEPEST} deep.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise _bad("A text in the body holds the character U+0000.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _bad("A text in the body holds half of a surrogate pair.") from None


def _bad(detail: str) -> Problem:
    return Problem(INVALID_JSON, detail)
