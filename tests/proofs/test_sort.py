"""`sortBy` orders as RFC 7644 §3.4.2.3 says, and walking all pages, by index or by cursor, meets each resource once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests import databases
from tests.proofs import SEED, TIMES
from tests.proofs import definition as d
from tests.proofs.town import BASE, Town, client_of, service, settle

# What the keeper computes from other tables leaves the order of creation (app/adapters/sort_sql.py).
COMPUTED: Final = ("groups", "members", d.LMS)
PLACES: Final = {
    kind: [place for place in types if place != "schemas" and not place.startswith(COMPUTED)]
    for kind, types in d.TYPES.items()
}
WALKS: Final = st.sampled_from(["User"] * 4 + ["Group"]).flatmap(
    lambda kind: st.tuples(st.just(kind), st.sampled_from([None, *PLACES[kind], *PLACES[kind]]))
)


@pytest.fixture(scope="module")
def town(shared_engine: sa.Engine) -> Iterator[Town]:
    databases.empty(shared_engine)
    app = service(shared_engine)
    for name in ("strangers", "town"):
        made = client_of(shared_engine, app, name)
        settle(made, shared_engine, Random(SEED + 1), people=40, groups=9)
    yield made
    databases.empty(shared_engine)


def test_all_pages_are_in_the_rfcs_order(town: Town) -> None:
    @settings(max_examples=80 * TIMES, phases=(Phase.explicit, Phase.generate))
    @given(WALKS, st.booleans(), st.integers(9, 60), st.booleans())
    def walk(chosen: tuple[str, str | None], descending: bool, count: int, by_cursor: bool) -> None:
        kind, place = chosen
        query: dict[str, Any] = {"count": count, "attributes": "id"}
        if place:
            query |= {"sortBy": place, "sortOrder": "descending" if descending else "ascending"}
        expected = d.ordered(kind, place or "id", bool(place) and descending, town.shown[kind].values())
        pages = _by_cursor(town, kind, query) if by_cursor else town.pages(kind, **query)
        assert [one["id"] for one in pages] == expected, query

    walk()


def _by_cursor(town: Town, kind: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        answer = town.client.get(f"{BASE}/{kind}s", query_string={**query, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        page = answer.get_json()
        yield from page["Resources"]
        cursor = page.get("nextCursor")
