"""JSON that can be read in one way only."""

from __future__ import annotations

import pytest

from sso.strict_json import read_object


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 6_000 + b"}",
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"[" * 100_000,
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "x\\u0000y"}',
        b'{"a": 1} x',
        b"{'a': 1}",
    ],
)
def test_what_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match="this "):
        read_object(data)


def test_what_is() -> None:
    said = ' {"a": "é\\u00e9\\ud83d\\ude00", "b": [1, 2.5, null, true], "c": {"a": 1}} '.encode()
    assert read_object(said) == {"a": "éé😀", "b": [1, 2.5, None, True], "c": {"a": 1}}
