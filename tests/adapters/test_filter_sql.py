"""Filters in PostgreSQL find exactly what `scim.matching` says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import JSONB

from app.adapters.filter_sql import where
from app.adapters.search_document import search_document
from app.adapters.sort_sql import order_by
from app.identity.folding import fold
from app.store.tables import Id, accounts, groups, members, records, tenants
from scim.errors import InvalidFilter
from scim.filters import And, Compare, Filter, Not, Or, ValuePath, parse
from scim.matching import matches
from scim.paths import Path, resolve
from scim.schemas import ENTERPRISE_USER, LMS_USER, SCHEMAS
from scim.store import Limits

TENANT = "0190a000-0000-7000-8000-000000000001"
SOURCE = "0190a000-0000-7000-8000-000000000002"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def number(value: int) -> str:
    return str(UUID(int=(0x0190A000 << 96) + value))


# --- against the definition -----------------------------------------------------------------------------------------

COMMON = st.sampled_from(["a", "A", "ab"])  # few, so that equality is often met, and met twice
TEXTS = COMMON | st.sampled_from(["Ab%", "_", "%", "b\\", 'q"', "É", "é", "ß", "ss", "ω", "😀"])
PLAIN = ("title", "nickName", "externalId", "profileUrl", "displayName")
PARTS = ("value", "type", "display")


def _elements() -> st.SearchStrategy[list[dict[str, Any]]]:
    texts = dict.fromkeys(PARTS, TEXTS)
    element = st.fixed_dictionaries({}, optional=texts | {"primary": st.booleans()}).filter(bool)
    return st.lists(element, min_size=1, max_size=3)


def documents() -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(PLAIN, TEXTS)
    optional |= {
        "active": st.booleans(),
        "name": st.dictionaries(st.sampled_from(["givenName", "familyName"]), TEXTS, min_size=1),
        "emails": _elements(),
        "phoneNumbers": _elements(),
        ENTERPRISE_USER: st.fixed_dictionaries(
            {}, optional={"department": TEXTS, "manager": st.fixed_dictionaries({"value": TEXTS})}
        ).filter(bool),
    }
    return st.fixed_dictionaries({"userName": TEXTS}, optional=optional)


def path(name: str) -> Path:
    found = resolve("User", name)
    assert found is not None
    return found


TEXT_PATHS = [
    *(path(name) for name in (*PLAIN, "userName", "name.givenName", "name.familyName")),
    *(path(f"{name}.{part}") for name in ("emails", "phoneNumbers") for part in PARTS),
    path(f"{ENTERPRISE_USER}:department"),
    path(f"{ENTERPRISE_USER}:manager.value"),
]
FLAG_PATHS = [path("active"), path("emails.primary")]
OPERATORS = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
WHOLE = [path(name) for name in ("name", "emails", f"{ENTERPRISE_USER}:manager", "active")]
SUBS = SCHEMAS.user.attribute("emails").sub_attributes  # type: ignore[union-attr]
SUB_TEXTS = [Path(None, sub) for sub in SUBS if sub.type == "string"]
SUB_FLAGS = [Path(None, sub) for sub in SUBS if sub.type == "boolean"]


def _comparisons(texts: list[Path], flags: list[Path]) -> st.SearchStrategy[Filter]:
    return st.one_of(
        st.builds(Compare, st.sampled_from(texts), OPERATORS, TEXTS),
        st.builds(Compare, st.sampled_from(texts), st.just("eq"), TEXTS),
        st.builds(Compare, st.sampled_from(flags), st.sampled_from(["eq", "ne"]), st.booleans()),
        st.builds(Compare, st.sampled_from([*texts, *flags]), st.sampled_from(["eq", "ne"]), st.none()),
        st.builds(Compare, st.sampled_from([*texts, *flags]), st.just("pr")),
    )


def _all_of(terms: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.builds(And, st.lists(terms, min_size=2, max_size=3).map(tuple))


def _joined(terms: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    some = st.lists(terms, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, some), st.builds(Or, some), st.builds(Not, terms))


SUB_TERMS = _comparisons(SUB_TEXTS, SUB_FLAGS)
BRACKETS = st.builds(
    ValuePath,
    st.sampled_from([path("emails"), path("phoneNumbers")]),
    _all_of(SUB_TERMS) | st.recursive(SUB_TERMS, _joined, max_leaves=4),
)
LEAVES = st.one_of(
    _comparisons(TEXT_PATHS, FLAG_PATHS), BRACKETS, st.builds(Compare, st.sampled_from(WHOLE), st.just("pr"))
)
FILTERS = _all_of(LEAVES) | st.recursive(LEAVES, _joined, max_leaves=6)


@pytest.fixture(scope="module")
def connection(shared_engine: sa.Engine) -> Iterator[sa.Connection]:
    with shared_engine.connect() as connection:
        yield connection


def found(connection: sa.Connection, people: list[dict[str, Any]], wanted: Filter) -> set[int]:
    """The places of the people whom PostgreSQL finds; the rows stand in the query itself."""
    rows = [
        {
            "place": place,
            "search": search_document("User", document, tenant_id=TENANT, source_id=SOURCE),
            "user_name": fold(document["userName"]),
        }
        for place, document in enumerate(people)
    ]
    table = (
        sa.func.jsonb_to_recordset(sa.literal(rows, JSONB))
        .table_valued(
            sa.column("place", sa.Integer),
            sa.column("id", Id),
            sa.column("search", JSONB),
            sa.column("user_name", sa.Text),
        )
        .render_derived(with_types=True)
    )
    condition = where(wanted, kind="User", tenant_id=TENANT, source_id=SOURCE, columns=table.c)
    return set(connection.scalars(sa.select(table.c.place).where(condition)))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(people=st.lists(documents(), min_size=3, max_size=6), filters=st.lists(FILTERS, min_size=2, max_size=6))
def test_the_database_finds_whom_the_definition_finds(
    connection: sa.Connection, people: list[dict[str, Any]], filters: list[Filter]
) -> None:
    for wanted in filters:
        expected = {place for place, document in enumerate(people) if matches(wanted, document)}
        assert found(connection, people, wanted) == expected


ADA = {
    "userName": "ada",
    "title": "50% off_\\",
    "emails": [{"type": "work", "value": "w@x.org"}, {"type": "home", "value": "h@x.org"}],
}


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ('emails[type eq "work" and value eq "h@x.org"]', False),
        ('emails.type eq "work" and emails.value eq "h@x.org"', True),
        ('emails[type eq "work"].value eq "W@X.ORG"', True),
        ('emails[type eq "work" and not (value co "h@")]', True),
        ('title co "0% off_"', True),
        ('title co "0%off"', False),
        ('title ew "\\\\"', True),
        ('nickName ne "x"', True),
        ('not (nickName eq "x")', True),
        ("nickName eq null", True),
        ("nickName pr", False),
        ('not (userName eq "ada")', False),
        ('userName ne "ADA"', False),
        ('userName eq "ADA" and title pr or title eq "x" and nickName pr', True),
        ('emails.value eq "w@x.org" and emails.value eq "h@x.org"', True),
        ('title eq "50% off_\\\\" and title eq "b"', False),
        ('title eq "b" and title eq "50% off_\\\\"', False),
        ('emails[type eq "work" and type eq "home"]', False),
        ('emails[type eq "work" and value co "h@"]', False),
        ('name.givenName gt "a"', False),
    ],
)
def test_one_person(connection: sa.Connection, text: str, hit: bool) -> None:
    assert found(connection, [ADA], parse(["User"], text, Limits())) == ({0} if hit else set())


@pytest.mark.parametrize(
    "text", ['title co "a\\u0000"', 'title eq "\\ud800"', 'meta.location co "x"', 'groups.$ref eq "x"']
)
def test_what_cannot_be_searched_is_refused(connection: sa.Connection, text: str) -> None:
    with pytest.raises(InvalidFilter):
        found(connection, [ADA], parse(["User"], text, Limits()))


# --- on the tables --------------------------------------------------------------------------------------------------


@pytest.fixture
def town(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Three people, two groups, an account, and a stranger's copy; rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.insert(tenants), [{"id": TENANT, "name": "town"}])
        connection.execute(sa.insert(records), [_person(place) for place in range(3)])
        connection.execute(sa.insert(groups), [_group(place, name) for place, name in ((10, "Crew"), (11, "Éclair"))])
        connection.execute(
            sa.insert(members),
            [
                _member(10, 0, "User", "Person Zero"),
                _member(10, 1, "User", None),
                _member(11, 1, "User", None),
                _member(11, 10, "Group", None),
            ],
        )
        connection.execute(sa.insert(accounts), [_account(100, ["Instructor", "Author"])])
        yield connection
        transaction.rollback()


def _person(place: int) -> dict[str, Any]:
    document = {"userName": f"P{place}", "title": f"T{place % 2}", "emails": [{"value": f"{9 - place}@x.org"}]}
    if place == 2:
        document["emails"] = [{"value": "b@x.org"}, {"value": "0@x.org", "primary": True}]
        del document["title"]
    return {
        "tenant_id": TENANT,
        "id": number(place),
        "source_id": SOURCE,
        "user_name": fold(document["userName"]),
        "account_id": number(100) if place == 0 else None,
        "active": True,
        "search": search_document("User", document, tenant_id=TENANT, source_id=SOURCE),
        "created_at": START + timedelta(hours=place),
        "updated_at": START + timedelta(days=place),
    }


def _group(place: int, name: str) -> dict[str, Any]:
    search = search_document("Group", {"displayName": name}, tenant_id=TENANT, source_id=SOURCE)
    times = {"created_at": START + timedelta(minutes=place), "updated_at": START}
    return {
        "tenant_id": TENANT,
        "id": number(place),
        "source_id": SOURCE,
        "display_name": name,
        "search": search,
    } | times


def _member(group: int, member: int, kind: str, display: str | None) -> dict[str, Any]:
    row = {"tenant_id": TENANT, "group_id": number(group), "member_id": number(member)}
    return row | {"kind": kind, "display": display}


def _account(place: int, roles: list[str]) -> dict[str, Any]:
    row = {"tenant_id": TENANT, "id": number(place), "status": "active", "affiliation": "employee", "roles": roles}
    return row | {"version": 1, "revision": 1, "created_at": START, "updated_at": START}


def _search(
    connection: sa.Connection, kind: str, text: str, sort: str | None = None, descending: bool = False
) -> list[int]:
    table = records if kind == "User" else groups
    wanted = parse([kind], text, Limits())
    condition = where(wanted, kind=kind, tenant_id=TENANT, source_id=SOURCE, columns=table.c)
    order = order_by(resolve(kind, sort) if sort else None, columns=table.c, descending=descending)
    query = sa.select(table.c.id).where(table.c.tenant_id == TENANT, condition).order_by(*order)
    return [UUID(found).int & 0xFFFF for found in connection.scalars(query)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'id eq "{number(1)}"', [1]),
        (f'id eq "{number(1).upper()}"', []),
        ('id eq "no id"', []),
        ('id ne "no id"', [0, 1, 2]),
        (f'not (id eq "{number(1)}")', [0, 2]),
        ("id pr", [0, 1, 2]),
        (f'id ew "{number(2)[-4:]}"', [2]),
        ('meta.created gt "2026-03-01T12:30:00Z"', [1, 2]),
        ('meta.created le "2026-03-01T15:00:00+02:00"', [0, 1]),
        ('meta.lastModified eq "2026-03-02T12:00:00Z"', [1]),
        ('meta.resourceType eq "User"', [0, 1, 2]),
        ('meta.resourceType eq "Group"', []),
        (f'groups.value eq "{number(10)}"', [0, 1]),
        (f'groups eq "{number(11)}"', [1]),
        (f'not (groups.value eq "{number(10)}")', [2]),
        ("groups pr", [0, 1]),
        ("groups eq null", [2]),
        ('groups.display eq "CREW"', [0, 1]),
        ('groups.display eq "Éclair"', [1]),
        ('groups.display eq "éCLAIR"', [1]),
        ('groups[display sw "cr" and type eq "direct"]', [0, 1]),
        (f'groups[value eq "{number(10)}" and display eq "Éclair"]', []),
        (f'{LMS_USER}:accountId eq "{number(100)}"', [0]),
        (f'{LMS_USER}:accountId eq "x"', []),
        (f"{LMS_USER}:accountId eq null", [1, 2]),
        (f'{LMS_USER}:roles eq "instructor"', [0]),
        (f'{LMS_USER}:roles ne "instructor"', [0, 1, 2]),
        (f'not ({LMS_USER}:roles eq "Author")', [1, 2]),
        (f"{LMS_USER}:roles pr", [0]),
        (f'{LMS_USER}:status eq "active" and title eq "t0"', [0]),
        (f'{LMS_USER}:status eq "active" or title eq "t1"', [0, 1]),
    ],
)
def test_people_by_what_is_not_in_their_document(town: sa.Connection, text: str, expected: list[int]) -> None:
    assert _search(town, "User", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('displayName eq "crew"', [10]),
        (f'members.value eq "{number(1)}"', [10, 11]),
        (f'members[value eq "{number(10)}" and type eq "group"]', [11]),
        (f'members eq "{number(0)}" and displayName eq "crew"', [10]),
        ('members.value eq "nobody"', []),
        ('members.display eq "person ZERO"', [10]),
        ('members.type ge "ß"', [10, 11]),
        ('members[display sw "per" and type eq "User"]', [10]),
        ('not (members.type eq "Group")', [10]),
    ],
)
def test_groups_by_their_members(town: sa.Connection, text: str, expected: list[int]) -> None:
    assert _search(town, "Group", text) == expected


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("userName", False, [0, 1, 2]),
        ("userName", True, [2, 1, 0]),
        ("title", False, [0, 1, 2]),
        ("title", True, [2, 1, 0]),
        ("emails", False, [2, 1, 0]),
        ("emails.value", True, [0, 1, 2]),
        ("meta.lastModified", True, [2, 1, 0]),
        ("id", True, [2, 1, 0]),
        ("name", False, [0, 1, 2]),
        ("groups", False, [0, 1, 2]),
    ],
)
def test_order(town: sa.Connection, sort: str, descending: bool, expected: list[int]) -> None:
    assert _search(town, "User", "id pr", sort, descending) == expected
