"""Walking by cursor on the real store: the same pages as one ordered list, whoever comes and goes, at any depth."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.scim_cursor import cursor_key, walked
from app.adapters.scim_reads import Reads
from app.adapters.search_document import search_document
from app.identity.folding import fold
from app.store import tenants
from app.store.engine import reading, writing
from app.store.tables import groups, records
from scim.ordering import in_order
from scim.paths import Path, resolve
from scim.store import Kind, Mark, Query, Walk

BASE = "/scim/v2"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
VALUES = st.sampled_from(["a", "B", "b", "ab", "é", "ω", "😀", "z" * 300, "z" * 300 + "a", None])


def number(value: int) -> str:
    return str(UUID(int=(0x0190A000 << 96) + value))


def path(kind: str, name: str) -> Path:
    found = resolve(kind, name)
    assert found is not None
    return found


# --- against one ordered list ----------------------------------------------------------------------------------------


@pytest.fixture
def fill(engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow) -> Any:
    """Writes rows of (title or displayName, minutes) and answers with the ids."""

    def write(kind: Kind, values: Sequence[tuple[str | None, int]]) -> list[str]:
        ids = [number(n + (5_000 if kind == "Group" else 0)) for n in range(len(values))]
        rows = [_row(kind, tenant.id, okta.id, id, *value) for id, value in zip(ids, values, strict=True)]
        table = records if kind == "User" else groups
        with writing(engine) as conn:
            conn.execute(sa.delete(table))
            if rows:
                conn.execute(sa.insert(table), rows)
        return ids

    return write


def _row(kind: str, tenant: str, source: str, id: str, value: str | None, minutes: int) -> dict[str, Any]:
    name = {"title": value} if kind == "User" else {"displayName": value}
    document = {"schemas": [], **({} if value is None else name)}
    at = START + timedelta(minutes=minutes)
    row = {"tenant_id": tenant, "id": id, "source_id": source, "document": document, "created_at": at}
    row |= {"updated_at": at, "search": search_document(kind, document, tenant_id=tenant, source_id=source)}
    if kind == "Group":
        return row | {"display_name": value or ""}
    return row | {"active": True, "voice": {}, "user_name": fold(f"user {id}"), "version": 1}


def pages(conn: sa.Connection, reads: Reads, kinds: Sequence[Kind], query: Query) -> Iterator[list[str]]:
    """All pages there, and on each the way back is checked."""
    walk, before = Walk(), []
    while True:
        found = walked(conn, reads, kinds, query, walk)
        ids = [one.id for one in found.resources]
        yield ids
        back = walked(conn, reads, kinds, query, Walk(found.first, True))
        assert [one.id for one in back.resources] == before[-query.count :] if found.first else True
        assert back.more == (len(before) > query.count) if found.first else True
        before += ids
        if not found.more:
            return
        walk = Walk(found.last)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.tuples(VALUES, st.integers(0, 3)), max_size=9),
    count=st.integers(1, 4),
    descending=st.booleans(),
    by=st.sampled_from(["title", "meta.lastModified", "id", "userName", None]),
)
def test_pages_are_the_list(shared: Any, values: list[Any], count: int, descending: bool, by: str | None) -> None:
    engine, reads, fill = shared
    ids = fill("User", values)
    places: dict[str, Any] = dict.fromkeys(ids)
    for id, (title, minutes) in zip(ids, values, strict=True):
        shown = {
            "title": title and title.casefold()[:256],
            "meta.lastModified": minutes,
            "id": id,
            "userName": id,
            None: None,
        }
        places[id] = shown[by]
    query = Query(sort_by=path("User", by) if by else None, descending=descending, count=count)
    with reading(engine) as conn:
        found = list(pages(conn, reads, ("User",), query))
    assert [id for page in found for id in page] == in_order(places, descending)
    assert all(len(page) == count for page in found[:-1])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    titles=st.lists(VALUES, max_size=5),
    names=st.lists(VALUES, max_size=5),
    count=st.integers(1, 3),
    descending=st.booleans(),
    by=st.sampled_from(["title", "displayName", "userName", None]),
)
def test_pages_at_the_root_are_one_list(
    shared: Any, titles: list[str | None], names: list[str | None], count: int, descending: bool, by: str | None
) -> None:
    engine, reads, fill = shared
    users = dict(zip(fill("User", [(title, 0) for title in titles]), titles, strict=True))
    crews = dict(zip(fill("Group", [(name, 0) for name in names]), names, strict=True))
    held = {"title": users, "displayName": crews, "userName": {id: f"user {id}" for id in users}, None: {}}[by]
    places = {id: (held.get(id) or "").casefold()[:256] or None for id in (*users, *crews)}
    query = Query(sort_by=path("User", by) if by else None, descending=descending, count=count)
    with reading(engine) as conn:
        found = list(pages(conn, reads, ("User", "Group"), query))
    assert [id for page in found for id in page] == in_order(places, descending)


@pytest.fixture
def shared(engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow, fill: Any) -> Any:
    return engine, Reads(tenant.id, okta.id), fill


# --- depth -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "userName"])
def test_a_deep_page_reads_no_more_than_the_first(
    engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow, fill: Any, by: str | None
) -> None:
    ids = fill("User", [("t", 0)] * 3_000)
    reads = Reads(tenant.id, okta.id)
    query = Query(sort_by=path("User", by) if by else None, count=10)
    deep = Walk(Mark(fold(f"user {ids[2_900]}") if by else None, ids[2_900]))

    def touched(walk: Walk) -> int:
        with engine.begin() as conn:
            conn.exec_driver_sql("ANALYZE records")
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            before = _rows_read(conn)
            assert len(walked(conn, reads, ("User",), query, walk).resources) == 10
            return _rows_read(conn) - before

    first, last = touched(Walk()), touched(deep)
    assert last <= first + 2
    assert last < 100


def _rows_read(conn: sa.Connection) -> int:
    """Rows of `records` that this transaction has fetched by index."""
    read = "SELECT coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) FROM pg_stat_xact_user_tables"
    return int(conn.exec_driver_sql(f"{read} WHERE relname = 'records'").scalar_one())


# --- over HTTP -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["", "&sortBy=title", "&sortBy=title&sortOrder=descending", "&sortBy=userName"])
def test_nobody_who_stays_is_skipped_or_doubled_while_others_come_and_go(
    connect: Any, tenant: tenants.Tenant, okta: tenants.SourceRow, sort: str
) -> None:
    client: FlaskClient = connect(tenant, okta)
    other: FlaskClient = connect(tenant, okta)

    def make(name: str, title: str | None) -> str:
        answer = other.post(f"{BASE}/Users", json={"userName": name, "title": title})
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["id"])

    going: list[str] = []
    for n in range(24):
        make(f"stay{n}", f"t{n % 5}" if n % 4 else None)
        going.append(make(f"go{n}", f"t{n % 6}"))
    done = threading.Event()

    def meddle() -> None:
        for n, id in enumerate(going):
            if done.is_set():
                return
            assert other.delete(f"{BASE}/Users/{id}").status_code == 204
            make(f"new{n}", f"t{n % 7}")

    meddler = threading.Thread(target=meddle)
    meddler.start()
    seen, cursor = [], ""
    while cursor is not None:
        shown = client.get(f"{BASE}/Users?count=3{sort}&cursor={cursor}").get_json()
        seen += [found["userName"] for found in shown["Resources"]]
        cursor = shown.get("nextCursor")
    done.set()
    meddler.join()
    assert sorted(name for name in seen if name.startswith("stay")) == sorted(f"stay{n}" for n in range(24))
    assert len(seen) == len(set(seen))


def test_a_cursor_is_its_sources_own(connect: Any, tenant: tenants.Tenant, okta: Any, entra: Any) -> None:
    mine, theirs = connect(tenant, okta), connect(tenant, entra)
    for n in range(3):
        assert mine.post(f"{BASE}/Users", json={"userName": f"u{n}"}).status_code == 201
    cursor = mine.get(f"{BASE}/Users?cursor&count=2").get_json()["nextCursor"]
    again = connect(tenant, okta).get(f"{BASE}/Users?count=2&cursor={cursor}")  # another token of the same source
    assert [found["userName"] for found in again.get_json()["Resources"]] == ["u2"]
    answer = theirs.get(f"{BASE}/Users?count=2&cursor={cursor}")
    assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidCursor")


def test_each_tenant_has_a_key_of_its_own(engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    keys = {cursor_key(engine, one, okta.id) for one in (tenant.id, other.id)}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {32}
    assert cursor_key(engine, tenant.id, number(1)) not in keys


def test_a_cursor_walk_makes_no_more_statements_than_a_page_by_index(
    engine: sa.Engine, connect: Any, tenant: tenants.Tenant, okta: tenants.SourceRow
) -> None:
    client = connect(tenant, okta)
    client.get(f"{BASE}/Users?cursor")  # the process learns the key
    counted: list[str] = []

    def count(*args: Any) -> None:
        counted.append(args[2])

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        client.get(f"{BASE}/Users?cursor&sortBy=title")
        by_cursor = len(counted)
        client.get(f"{BASE}/Users?sortBy=title")
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    assert by_cursor == len(counted) - by_cursor
