"""Filters and sorting by declared attributes: PostgreSQL finds and orders as `scim.matching` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from app.adapters.filter_sql import where
from app.adapters.search_document import search_document
from app.adapters.sort_sql import order_by
from app.store.tables import Id, records
from scim.documents import normalise
from scim.filters import parse
from scim.matching import comparable, matches, values
from scim.paths import Path, resolve
from scim.store import Limits
from tests.scim.declared import LEARNER, REGISTRY

TENANT = "0190a000-0000-7000-8000-000000000001"
SOURCE = "0190a000-0000-7000-8000-000000000002"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

TEXTS = st.sampled_from(["a", "A", "ab", "É", "é", "ß", "ss", "_", "50%", 'q"', "b\\", "😀"])
WHOLE = st.sampled_from([0, 1, -1, 9, 10, 2**53 - 1])
REAL = WHOLE | st.sampled_from([0.5, -0.5, 1.0, 1e15, 2.25])
DATES = st.builds(
    lambda hours, zone: (NOON + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=zone))).isoformat(),
    st.integers(-2, 2),
    st.sampled_from([0, 2, -7]),
)
BINARY = st.sampled_from(["aGk=", "AGk=", "aG"])
OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS, "integer": WHOLE, "decimal": REAL, "boolean": st.booleans(), "dateTime": DATES,
    "reference": TEXTS, "binary": BINARY,
}  # fmt: skip
ORDERED = ("eq", "ne", "gt", "ge", "lt", "le")
OPERATORS = {
    "string": (*ORDERED, "co", "sw", "ew"), "reference": (*ORDERED, "co", "sw", "ew"), "integer": ORDERED,
    "decimal": ORDERED, "boolean": ("eq", "ne"), "dateTime": ORDERED, "binary": ("eq", "ne", "co", "sw", "ew"),
}  # fmt: skip
SHOWN = [place for place in REGISTRY.user.places() if place.schema == LEARNER and place.target.kept]
PLACES = [place for place in SHOWN if not place.target.hidden and place.target.type != "complex"]


def _value(attribute: Any) -> st.SearchStrategy[Any]:
    if attribute.type == "complex":
        one = st.fixed_dictionaries({}, optional={sub.name: _value(sub) for sub in attribute.sub_attributes})
    else:
        one = OF_TYPE[attribute.type]
    return st.lists(one, max_size=3) if attribute.multi_valued else one


EXTENSION = REGISTRY.user.extension(LEARNER)
assert EXTENSION is not None
HELD = st.fixed_dictionaries({}, optional={one.name: _value(one) for one in EXTENSION.attributes if not one.hidden})
BODIES = st.builds(lambda held: {"userName": "ada", LEARNER: held}, HELD)


@st.composite
def terms(draw: st.DrawFn) -> str:
    place = draw(st.sampled_from(PLACES))
    operator = draw(st.sampled_from([*OPERATORS[place.target.type], "pr"]))
    spelled = draw(st.sampled_from([str, str.upper]))(place.name)
    if operator == "pr":
        return f"{spelled} pr"
    literal = draw(OF_TYPE[place.target.type] | st.none() if operator in ("eq", "ne") else OF_TYPE[place.target.type])
    term = f"{operator} {json.dumps(literal)}"
    if place.sub is not None and place.attribute and place.attribute.multi_valued and draw(st.booleans()):
        other = draw(st.sampled_from(['type eq "a"', 'value co "A"', "points ge 1"]))
        return f"{LEARNER}:{place.attribute.name}[{place.sub.name} {term} and {other}]"
    return f"{spelled} {term}"


@st.composite
def filters(draw: st.DrawFn) -> str:
    some = draw(st.lists(terms(), min_size=1, max_size=3))
    joined = draw(st.sampled_from([" and ", " or "])).join(some)
    return draw(st.sampled_from(["{}", "not ({})"])).format(joined)


@pytest.fixture(scope="module")
def connection(shared_engine: sa.Engine) -> Iterator[sa.Connection]:
    with shared_engine.connect() as connection:
        yield connection


def _rows(people: list[dict[str, Any]]) -> Any:
    """The people as rows that stand in the query itself."""
    rows = [
        {
            "place": place,
            "search": search_document("User", one, tenant_id=TENANT, source_id=SOURCE, registry=REGISTRY),
            "created_at": place,
            "id": f"0190a000-0000-7000-8000-{place:012}",
        }
        for place, one in enumerate(people)
    ]
    columns = (sa.column("place", sa.Integer), sa.column("id", Id), sa.column("search", JSONB))
    more = (sa.column("user_name", sa.Text), sa.column("created_at", sa.Integer))
    made = sa.func.jsonb_to_recordset(sa.literal(rows, JSONB)).table_valued(*columns, *more)
    return made.render_derived(with_types=True)


def _found(connection: sa.Connection, people: list[dict[str, Any]], text: str) -> set[int]:
    wanted = parse(["User"], text, Limits(), registry=REGISTRY)
    table = _rows(people)
    condition = where(wanted, kind="User", tenant_id=TENANT, source_id=SOURCE, columns=table.c)
    return set(connection.scalars(sa.select(table.c.place).where(condition)))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(bodies=st.lists(BODIES, min_size=3, max_size=6), texts=st.lists(filters(), min_size=2, max_size=5))
def test_the_database_finds_whom_the_definition_finds(
    connection: sa.Connection, bodies: list[dict[str, Any]], texts: list[str]
) -> None:
    people = [normalise("User", body, REGISTRY).document for body in bodies]
    for text in texts:
        wanted = parse(["User"], text, Limits(), registry=REGISTRY)
        expected = {place for place, document in enumerate(people) if matches(wanted, document)}
        assert _found(connection, people, text) == expected, text


@st.composite
def sorted_by(draw: st.DrawFn) -> tuple[Any, list[dict[str, Any]]]:
    """A place, and people of whom most have a value there."""
    place = draw(st.sampled_from(PLACES))
    held = _value(place.attribute).filter(lambda value: value not in ([], {}))
    extensions = st.lists(st.fixed_dictionaries({}, optional={place.attribute.name: held}), min_size=3, max_size=6)
    return place, [{"userName": "ada", LEARNER: one} for one in draw(extensions)]


@settings(max_examples=200, deadline=None)
@given(asked=sorted_by(), descending=st.booleans())
def test_the_database_orders_as_the_definition_does(
    connection: sa.Connection, asked: tuple[Any, list[dict[str, Any]]], descending: bool
) -> None:
    place, bodies = asked
    path = resolve("User", place.name, REGISTRY)
    assert path is not None
    people = [normalise("User", body, REGISTRY).document for body in bodies]
    table = _rows(people)
    order = order_by(path, columns=table.c, descending=descending)
    keys = [_key(path, people[number]) for number in connection.scalars(sa.select(table.c.place).order_by(*order))]
    there = [key for key in keys if key is not None]
    assert there == sorted(there, reverse=descending)
    missing = [key is None for key in keys]
    assert missing == sorted(missing, reverse=descending)


def _key(path: Path, document: dict[str, Any]) -> Any:
    """What a person is sorted by: of a list the first element, whether it has this part or not."""
    assert path.attribute is not None
    assert path.target is not None
    held = document.get(LEARNER, {}).get(path.attribute.name)
    if isinstance(held, list):
        held = held[:1]
    found = values(path, {LEARNER: {path.attribute.name: held}})
    return comparable(path.target, found[0]) if found else None


@pytest.mark.parametrize(
    ("term", "literal"),
    [("track", '"Sales"'), ("level", "3"), ("score", "2.5"), ("mentor", '"True"'), ("tags", '"x"'), ("years", "2"),
     ("hiredAt", '"2026-03-01T09:00:00+02:00"'), ("site.floor", "3"), ("badges.points", "7"), ("badges", '"x"')],
)  # fmt: skip
def test_equality_is_one_containment_that_names_tenant_and_source(term: str, literal: str) -> None:
    wanted = parse(["User"], f"{LEARNER}:{term} eq {literal}", Limits(), registry=REGISTRY)
    made = where(wanted, kind="User", tenant_id=TENANT, source_id=SOURCE, columns=records.c)
    compiled = made.compile(dialect=postgresql.dialect())
    assert str(compiled) == "records.search @> %(param_1)s::JSONB"
    [document] = compiled.params.values()
    assert (document["$t"], document["$s"]) == (TENANT, SOURCE)
    assert LEARNER.lower() in document
