"""JSON as the API takes it: each mistake is named."""

from __future__ import annotations

import pytest

from app.api import bodies
from app.api.problems import Problem


def test_what_is_json_is_read() -> None:
    assert bodies.parse('{"name": "Zoë \\ud83d\\ude00", "list": [1, 2.5, null, true]}'.encode()) == {
        "name": "Zoë 😀",
        "list": [1, 2.5, None, True],
    }
    assert bodies.parse(b"[" * bodies.DEEPEST + b"]" * bodies.DEEPEST)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "not JSON"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1} x', "Extra data"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' is there more than once"),
        (b"\xff", "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": 9223372036854775808}', "63 bits"),
        (b'{"a": "\\u0000"}', "U+0000"),
        (b'{"\\u0000": 1}', "U+0000"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 17 + b"]" * 17, "nested"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
    ],
)
def test_what_is_not_is_named(body: bytes, detail: str) -> None:
    with pytest.raises(Problem) as refused:
        bodies.parse(body)
    assert refused.value.kind.name == "invalid-json"
    assert detail in refused.value.detail
