"""A body that is kept as it came is one in which masking changes nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters import masking

USER = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "ada@example.org",
    "name": {"givenName": "Ädä", "familyName": "Lovelace"},
    "emails": [{"value": "ada@example.org", "type": "work", "primary": True}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Research", "manager": {"value": "7"}},
}
LONG = "a" * 39 + "1"

_NAMES = st.sampled_from(
    [
        "title",
        "path",
        "Path",
        "value",
        "filter",
        "password",
        "pa\u017f\u017fword",
        "otp",
        "x:pin",
        LONG,
        "{}",
        "a,b",
        ":token",
        "op",
    ]
)
_TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "A",
            "password",
            "[secret]",
            '{"token": "x"}',
            "rc_scim_x",
            "a eyJ.b",
            "Basic abcdefghijkl",
            "-----BEGIN x",
            LONG,
            f"x {LONG}",
            "a b " * 20,
            "a b " * 200,
            'emails[type eq "work"]',
            "urn:ietf:params:scim:" + LONG,
            ":",
            "\\",
        ]
    ),
    st.text(max_size=50),
)
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), _TEXTS)


def _inside(one: Any) -> Any:
    return st.lists(one, max_size=4) | st.dictionaries(_NAMES | _TEXTS, one, max_size=4)


_BODIES = st.recursive(_LEAVES, _inside, max_leaves=30)


@given(_BODIES, st.sampled_from([0, orjson.OPT_INDENT_2]))
def test_a_body_is_kept_as_it_is_masked(found: Any, option: int) -> None:
    body = orjson.dumps(found, option=option)
    kept = masking.payload(body)
    assert kept is not None
    assert orjson.loads(kept) == orjson.loads(orjson.dumps(masking.value(found)).replace(b"\\u0000", b""))


def test_a_plain_body_is_kept_as_it_came() -> None:
    body = orjson.dumps(USER, option=orjson.OPT_INDENT_2)
    assert masking.payload(body) == body.decode()


@pytest.mark.parametrize(
    "bent",
    [
        {"password": "S3cret"},
        {":password": "S3cret"},
        {"a": ":", "pwd": "S3cret"},
        {"Operations": [{"op": "add", "path": "password", "value": "S3cret"}]},
        {"Operations": [{"value": "S3cret", "PATH": "password"}]},
        {"filter": 'title eq "S3cret"'},
        {"filter": "title eq S3cret"},
        {"title": "Bearer S3cretS3cretS3cret"},
        {"title": "S3cret" * 7},
        {"title": "urn:ietf:params:scim:" + "S3cret" * 7},
        {"S3cret" * 7: 1},
        {"title": '{"token":"S3cret"}'},
        {"title": "[token S3cret]"},
    ],
)
def test_a_secret_sends_a_body_through_the_mask(bent: dict[str, Any]) -> None:
    assert "S3cret" not in str(masking.payload(orjson.dumps({**USER, **bent})))


def test_an_escaped_name_is_a_name_all_the_same() -> None:
    assert "S3cret" not in str(masking.payload(b'{"p\\u0061ssword":"S3cret"}'))


def test_what_a_tenant_hides_is_no_plain_name() -> None:
    with masking.hiding(frozenset({"department"})):
        assert "Research" not in str(masking.payload(orjson.dumps(USER)))


@pytest.mark.parametrize("depth", [masking.DEEPEST - 1, masking.DEEPEST, masking.DEEPEST + 1])
def test_depth_is_cut_in_a_plain_body_too(depth: int) -> None:
    nested: Any = 1
    for _ in range(depth):
        nested = {"a": nested}
    wide = {"a": nested, "b": [{}] * masking.DEEPEST}
    for found in (nested, wide):
        assert orjson.loads(masking.payload(orjson.dumps(found)) or "") == masking.value(found)
