"""Names, types and precedence of filters; the matching of documents comes with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.errors import InvalidFilter, InvalidPath, Sensitive
from scim.filters import And, Compare, Or, ValuePath, parse, parse_path
from scim.matching import matches
from scim.schemas import ENTERPRISE_USER
from scim.store import Limits

LIMITS = Limits()
ANN: dict[str, Any] = {
    "id": "A1",
    "userName": "Ann@Example.com",
    "active": False,
    "emails": [{"type": "work", "value": "a@x"}, {"type": "home", "value": "b@x", "primary": True}],
    "meta": {"created": "2026-01-01T00:00:00Z"},
    ENTERPRISE_USER: {"department": "Sales", "manager": {"value": "m1"}},
}


def holds(text: str) -> bool:
    return matches(parse(("User",), text, LIMITS), ANN)


@pytest.mark.parametrize(
    "text",
    [
        'USERNAME Eq "ann@example.COM"',
        'userName eq "ann@example.com" and active eq "False"',
        "active eq false",
        'emails[type eq "work"].value eq "A@X"',
        'emails[type eq "home" and primary eq "True"]',
        'emails.type eq "work" and emails.value eq "b@x"',
        'emails co "B@"',
        "emails pr and not (title pr)",
        "title eq null",
        'title ne "x"',
        'id eq "A1"',
        'meta.created lt "2026-01-01T01:00:00+00:30"',
        f'{ENTERPRISE_USER}:department sw "sal"',
        f'{ENTERPRISE_USER.lower()}.department ew "LES"',
        'manager eq "m1"',
        'title pr or active eq false and userName sw "ann"',
        'userName eq "\\u0041nn@example.com"',
    ],
)
def test_it_matches(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'id eq "a1"',
        'emails[type eq "work" and value eq "b@x"]',
        "addresses pr",
        'title gt "a"',
        'active eq true or title pr and userName sw "ann"',
        'not (userName co "ann")',
    ],
)
def test_it_does_not_match(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "a\tb"',
        'userName eq "0\t"',
        'roles[primary eq "a\n"]',
        "",
        "userName",
        'userName xx "a"',
        "userName eq jyoung",
        'foo eq "x"',
        'userName eq "a" or foo pr',
        'name eq "x"',
        "active gt true",
        'active eq "maybe"',
        "active co true",
        "userName eq 5",
        "title gt null",
        'meta.created gt "yesterday"',
        'userName[type eq "x"]',
        'emails[foo eq "x"]',
        'emails[type eq "work"] eq "x"',
        'emails[type eq "work"].foo eq "x"',
        f"{ENTERPRISE_USER} pr",
        'userName eq "\\ud800"',
        'userName eq "\\u0000"',
        "userName eq 5and active pr",
        "(userName pr",
        'userName eq "' + "x" * 2048 + '"',
        "(" * 11 + "userName pr" + ")" * 11,
        " or ".join(["userName pr"] * 51),
    ],
)
def test_what_is_no_filter_is_refused_and_never_ignored(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse(("User",), text, LIMITS)


def test_a_hidden_value_does_not_belong_in_a_uri() -> None:
    with pytest.raises(Sensitive):
        parse(("User",), 'password eq "x"', LIMITS)
    with pytest.raises(InvalidFilter):
        parse(("User",), 'password eq "x"', LIMITS, in_uri=False)


def test_the_tree_is_flat_resolved_and_typed() -> None:
    tree = parse(("User",), 'emails co "x" and active eq "true" and (title pr or nickName pr)', LIMITS)
    assert isinstance(tree, And)
    first, second, third = tree.terms
    assert isinstance(first, Compare)
    assert first.path.name == "emails.value"
    assert isinstance(second, Compare)
    assert second.value is True
    assert isinstance(third, Or)
    assert len(third.terms) == 2


def test_brackets_followed_by_a_sub_attribute_mean_one_element() -> None:
    tree = parse(("User",), 'emails[type eq "work"].value eq "a@x"', LIMITS)
    assert isinstance(tree, ValuePath)
    assert isinstance(tree.term, And)


def test_a_search_in_both_kinds_knows_the_names_of_both() -> None:
    tree = parse(("User", "Group"), 'userName eq "x" or members.value eq "y"', LIMITS)
    assert isinstance(tree, Or)


def test_paths() -> None:
    path = parse_path("User", 'Emails[Type eq "work"].Value', LIMITS)
    assert path is not None
    assert path.name == "emails.value"
    assert path.where is not None
    assert parse_path("User", "nothing", LIMITS) is None
    extension = parse_path("User", ENTERPRISE_USER.upper(), LIMITS)
    assert extension is not None
    assert extension.attribute is None
    assert extension.schema == ENTERPRISE_USER
    for text in ("emails[", "emails pr or title", "userName[value pr]", "a b", ""):
        with pytest.raises(InvalidPath):
            parse_path("User", text, LIMITS)


ATTRIBUTES = ("title", "nickName", "displayName", "locale")
LEAF = st.tuples(st.just("leaf"), st.sampled_from(ATTRIBUTES), st.sampled_from(["eq", "ne"]), st.sampled_from("ab"))
TREES = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    ),
    max_leaves=12,
)


def written(tree: Any, outer: str = "or") -> str:
    """The filter's text with no more parentheses than RFC 7644's precedence needs."""
    match tree:
        case ("leaf", name, operator, value):
            return f'{name} {operator} "{value}"'
        case ("not", term):
            return f"not ({written(term)})"
        case (operator, left, right):
            text = f"{written(left, operator)} {operator} {written(right, operator)}"
            return f"({text})" if outer == "and" and operator == "or" else text
    raise AssertionError(tree)


def direct(tree: Any, document: dict[str, str]) -> bool:
    match tree:
        case ("leaf", name, operator, value):
            return (document.get(name) == value) == (operator == "eq")
        case ("not", term):
            return not direct(term, document)
        case ("and", left, right):
            return direct(left, document) and direct(right, document)
        case (_, left, right):
            return direct(left, document) or direct(right, document)
    raise AssertionError(tree)


@given(TREES, st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from("ab")))
def test_precedence_is_that_of_the_rfc(tree: Any, document: dict[str, str]) -> None:
    roomy = Limits(filter_depth=40)
    assert matches(parse(("User",), written(tree), roomy), document) == direct(tree, document)
