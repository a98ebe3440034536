"""What the console's pages of people read, however many people the tenant has: rows and pages counted, not time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from app.store import people_search
from app.store.engine import reading
from tests import databases
from tests.proofs import crowd
from tests.proofs.plans import Sent, caught, connection, works
from tests.proofs.test_plans import SIZES, tenants

# A window of a family name's beginning, the laterals of a page of 51, and what a range needs to be found.
ROWS, PAGES = 2_500, 3_000


@pytest.fixture(scope="module")
def filled(shared_engine: sa.Engine) -> Iterator[sa.Engine]:
    databases.empty(shared_engine)
    crowd.fill(shared_engine, SIZES)
    yield shared_engine
    databases.empty(shared_engine)


def check(engine: sa.Engine, ask: Callable[[sa.Connection], object], rows: int = ROWS, pages: int = PAGES) -> None:
    with caught() as sent, reading(engine) as conn:
        ask(conn)
    large: list[Sent] = [one for one in sent if one.large]
    assert large
    with connection(engine) as plain:
        for one in large:
            for work in works(plain, one):
                said = f"{work.mode}: {work.rows} rows, {work.pages} pages\n{work.plan}\n{one.text}"
                assert not work.scanned, said
                assert work.rows <= rows, said
                assert work.pages <= pages, said


TEXTS = (
    "p7@example.com",
    "p",
    "given",
    "given 7 family 7",
    "family 7 given 7",
    "family given",
    "fam g",
    "nobody",
    "ext-7",
    "+49 30 7",
    "e7",
    crowd.person_id(7),
)


@tenants
@pytest.mark.parametrize("text", TEXTS)
def test_a_search_reads_few_rows(filled: sa.Engine, place: int, text: str) -> None:
    check(filled, lambda conn: people_search.search(conn, crowd.tenant_id(place), text))


@tenants
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"status": "active"},
        {"status": "inactive"},
        {"status": "suspended"},
        {"role": "instructor"},
        {"source_id": crowd.SOURCE},
        {"group_id": crowd.group_id(1)},
    ],
    ids=str,
)
def test_a_page_of_a_list_reads_what_it_shows(filled: sa.Engine, place: int, filters: dict[str, str]) -> None:
    tenant = crowd.tenant_id(place)
    with reading(filled) as conn:
        first = people_search.search(conn, tenant, "", limit=20, **filters)  # type: ignore[arg-type]
    assert first.rows or "status" in filters
    check(
        filled,
        lambda conn: people_search.search(conn, tenant, "", limit=20, after=first.after, **filters),  # type: ignore[arg-type]
        rows=500,
        pages=900,
    )


@tenants
def test_filters_that_fit_nobody_end_after_five_hundred(filled: sa.Engine, place: int) -> None:
    tenant = crowd.tenant_id(place)
    check(
        filled,
        lambda conn: people_search.search(conn, tenant, "", role="none", group_id=crowd.group_id(1)),
        rows=4_500,
        pages=9_000,
    )
