"""Filters find exactly whom the RFC's text selects: parsed, made SQL and run on PostgreSQL, among random resources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.adapters.filter_sql import where
from app.store import tables as t
from app.store.engine import reading
from scim.filters import parse
from scim.store import Limits
from tests import databases
from tests.proofs import SEED, TIMES
from tests.proofs import definition as d
from tests.proofs.terms import filters, settled
from tests.proofs.town import BASE, Town, client_of, service, settle

# The message names the one filter that differs: shrinking twenty of them together would take minutes.
QUICK = (Phase.explicit, Phase.generate)
TABLES = {"User": t.records, "Group": t.groups}
LIMITS = Limits(filter_length=100_000, filter_clauses=1_000, filter_depth=100)


@pytest.fixture(scope="module")
def town(shared_engine: sa.Engine) -> Iterator[Town]:
    """A town, and another one with the same people that must never be seen from it."""
    databases.empty(shared_engine)
    app = service(shared_engine)
    for name in ("strangers", "town"):
        made = client_of(shared_engine, app, name)
        settle(made, shared_engine, Random(SEED), people=60, groups=14)
    with reading(shared_engine) as conn:
        conn.exec_driver_sql("ANALYZE")
    yield made
    databases.empty(shared_engine)


def _found(conn: sa.Connection, town: Town, kind: str, texts: Sequence[str]) -> list[set[str]]:
    """What each filter finds: one statement for all of them."""
    table = TABLES[kind]
    mine = (table.c.tenant_id == town.tenant, table.c.source_id == town.source, table.c.deleted_at.is_(None))
    owner = {"kind": kind, "tenant_id": town.tenant, "source_id": town.source, "columns": table.c}
    parts = [
        sa.select(sa.literal(number, sa.Integer).label("number"), table.c.id).where(
            *mine, where(parse([kind], text, LIMITS), **owner)
        )
        for number, text in enumerate(texts)
    ]
    found: list[set[str]] = [set() for _ in texts]
    for number, id in conn.execute(sa.union_all(*parts)):
        found[number].add(str(id))
    return found


def _difference(text: str, wrong: set[str], resources: dict[str, dict[str, Any]]) -> str:
    return f"{text}\n{min((json.dumps(resources[id], ensure_ascii=False) for id in wrong), key=len)}"


@pytest.mark.parametrize("kind", ["User", "Group"])
def test_a_filter_selects_whom_the_rfc_says(shared_engine: sa.Engine, town: Town, kind: str) -> None:
    resources = town.shown[kind]
    told = []

    @settings(max_examples=(80 if kind == "User" else 25) * TIMES, phases=QUICK)
    @given(st.lists(filters(kind), min_size=20, max_size=20))
    def compare(chosen: list[Any]) -> None:
        terms = [settled(term, kind, town) for term in chosen]
        texts = [d.written(term) for term in terms]
        for term, text, found in zip(terms, texts, _found(conn, town, kind, texts), strict=True):
            expected = {id for id, resource in resources.items() if d.holds(kind, term, resource)}
            told.append(0 < len(expected) < len(resources))
            assert found == expected, _difference(text, expected ^ found, resources)

    with reading(shared_engine) as conn:
        compare()
    assert sum(told) > len(told) / 6, "most filters select nobody or everybody: they prove little"


def test_the_door_answers_the_same(town: Town) -> None:
    @settings(max_examples=40 * TIMES)
    @given(filters("User"), st.booleans())
    def ask(chosen: Any, in_body: bool) -> None:
        term = settled(chosen, "User", town)
        request = {"filter": d.written(term), "attributes": "id", "count": 200}
        if in_body:
            answer = town.client.post(f"{BASE}/Users/.search", json=request)
        else:
            answer = town.client.get(f"{BASE}/Users", query_string=request)
        assert answer.status_code == 200, answer.text
        expected = {id for id, resource in town.shown["User"].items() if d.holds("User", term, resource)}
        assert {one["id"] for one in answer.get_json()["Resources"]} == expected
        assert answer.get_json()["totalResults"] == len(expected)

    ask()
