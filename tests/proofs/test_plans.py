"""Whatever the tenant's size and however unequal the others are, a request reads about as many rows as it shows.

Every statement is caught where the service sends it, and measured under custom and under generic plans. Rows and pages
are counted, not time. `make plans` does it with a million people.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.store import credentials
from app.store.engine import writing
from tests import databases
from tests.proofs import crowd
from tests.proofs import definition as d
from tests.proofs.plans import Sent, Work, caught, connection, works
from tests.proofs.town import BASE, service

SIZES: Final = tuple(int(size) for size in os.environ.get("PLANS_SIZES", "20000,2000,200").split(","))
NUMBER: Final = crowd.NEEDLES + 1  # a person who has everything, in every tenant
FEW_ROWS, FEW_PAGES = 500, 700  # of the smallest tenant the planner may well read all
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
tenants = pytest.mark.parametrize("place", range(1, len(SIZES) + 1), ids=lambda place: f"{SIZES[place - 1]} people")


@pytest.fixture(scope="module")
def clients(shared_engine: sa.Engine) -> Iterator[dict[int, FlaskClient]]:
    databases.empty(shared_engine)
    crowd.fill(shared_engine, SIZES)
    app = service(shared_engine)
    found: dict[int, FlaskClient] = {}
    for place in range(1, len(SIZES) + 1):
        with writing(shared_engine) as conn:
            issued = credentials.issue(conn, crowd.tenant_id(place), "scim_token", "plans", source_id=crowd.SOURCE)
        found[place] = app.test_client()
        found[place].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {issued.secret}"
    yield found
    databases.empty(shared_engine)


def _asked(client: FlaskClient, path: str, **query: Any) -> tuple[dict[str, Any], list[Sent]]:
    with caught() as sent:
        answer = client.get(f"{BASE}{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json(), [one for one in sent if one.large]


def _works(engine: sa.Engine, sent: list[Sent]) -> list[tuple[Sent, Work]]:
    with connection(engine) as conn:
        return [(one, work) for one in sent for work in works(conn, one)]


def _check(engine: sa.Engine, sent: list[Sent], *, rows: int = FEW_ROWS, pages: int = FEW_PAGES) -> None:
    assert sent
    for one, work in _works(engine, sent):
        said = f"{work.mode}: {work.rows} rows, {work.pages} pages\n{work.plan}\n{one.text}"
        assert not work.scanned, said
        assert work.rows <= rows, said
        assert work.pages <= pages, said


def _user_filters() -> dict[str, str]:
    """`eq` on every attribute that has a value of its own, and what identity providers combine."""
    found: dict[str, str] = {}
    for place, type_ in d.USER.items():
        if type_ != d.FLAG and not place.startswith(("groups", "meta", "schemas", "id", "userName", "ext", d.LMS)):
            found[place] = f'{place} eq "{crowd.needle(place, NUMBER)}"'
    person, value = crowd.person_id(7), crowd.needle("emails.value", NUMBER)
    return found | {
        "id": f'id eq "{person}"',
        "userName of everybody": 'userName eq "P7@example.com"',
        "userName and active": 'userName eq "P7@example.com" and active eq true',
        "externalId of everybody": 'externalId eq "ext-7"',
        "e-mail in brackets": f'emails[type eq "{crowd.needle("emails.type", NUMBER)}" and value eq "{value}"]',
        "work e-mail": 'emails[type eq "work" and value eq "p7@example.com"]',
        "work e-mail behind brackets": 'emails[type eq "work"].value eq "p7@example.com"',
        "either": 'externalId eq "ext-7" or emails.value eq "p8@example.com"',
        "shared and own": 'title eq "trainer" and externalId eq "ext-10"',
        "own and not": 'externalId eq "ext-7" and not (active eq false)',
        "id and manager": f'id eq "{person}" and manager eq "e0"',
        "account": f'{d.LMS}:accountId eq "{person}"',
        "small group": f'groups.value eq "{crowd.group_id(2)}"',
        "group by name": 'groups.display eq "crew 2"',
        "group in brackets": f'groups[value eq "{crowd.group_id(2)}"]',
        "nobody": 'userName eq "nobody@example.com"',
        "nobody's number": f'{d.ENTERPRISE}:employeeNumber eq "none"',
    }


GROUP_FILTERS: Final = {
    "id": f'id eq "{crowd.group_id(2)}"',
    "displayName": 'displayName eq "CREW 2"',
    "externalId": 'externalId eq "g-2"',
    "member": f'members.value eq "{crowd.person_id(75)}"',
    "member in brackets": f'members[value eq "{crowd.person_id(75)}"]',
    "both": f'displayName eq "crew 9" and members eq "{crowd.person_id(75)}"',
}


@tenants
def test_a_filter_by_a_value_of_its_own_reads_few_rows(
    shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int
) -> None:
    for name, text in _user_filters().items():
        answer, sent = _asked(clients[place], "/Users", filter=text, attributes="userName")
        assert 0 < answer["totalResults"] <= 60 or name.startswith("nobody"), (name, answer["totalResults"])
        found = answer["totalResults"]
        _check(shared_engine, sent, rows=FEW_ROWS + 12 * found, pages=FEW_PAGES + 20 * found)


@tenants
def test_a_group_is_found_by_any_of_its_attributes(
    shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int
) -> None:
    for name, text in GROUP_FILTERS.items():
        answer, sent = _asked(clients[place], "/Groups", filter=text, excludedAttributes="members")
        assert answer["totalResults"] == 1, name
        _check(shared_engine, sent)


@tenants
@pytest.mark.parametrize(
    "query",
    [{}, {"startIndex": 40}, {"cursor": ""}, {"sortBy": "id"}, {"sortBy": "id", "sortOrder": "descending"}],
    ids=str,
)
def test_a_page_reads_what_it_shows(
    shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int, query: dict[str, Any]
) -> None:
    for kind in ("Users", "Groups"):
        answer, sent = _asked(clients[place], f"/{kind}", count=20, excludedAttributes="members", **query)
        shown = len(answer["Resources"])
        _check(shared_engine, sent, rows=100 + 12 * shown, pages=100 + 25 * shown)


@tenants
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_users_sorted_by_user_name_are_read_in_the_order_of_its_index(
    shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int, order: str
) -> None:
    answer, sent = _asked(clients[place], "/Users", count=20, sortBy="userName", sortOrder=order)
    names = [one["userName"].casefold() for one in answer["Resources"]]
    assert names == sorted(names, reverse=order == "descending")
    _check(shared_engine, sent, rows=100 + 12 * len(names), pages=100 + 25 * len(names))


@tenants
@pytest.mark.parametrize("text", ['title eq "Trainer"', f'{d.ENTERPRISE}:department eq "d3"', "displayName pr"])
def test_a_value_that_many_share_reads_those_who_share_it(
    shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int, text: str
) -> None:
    """RFC 7644 §3.4.2 wants them counted: that is linear in the matches, whatever the size of the page.

    A tenant of some hundred may be read whole, twice: for the page and for the count.
    """
    answer, sent = _asked(clients[place], "/Users", filter=text, count=20)
    for one, work in _works(shared_engine, sent):
        assert work.rows <= 1_200 + 7 * answer["totalResults"], f"{work.rows} rows\n{work.plan}\n{one.text}"


@tenants
def test_a_full_page_of_a_named_cursor_does_not_count_again(
    shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int
) -> None:
    first, _ = _asked(clients[place], "/Users", count=5, cursor="")
    answer, sent = _asked(clients[place], "/Users", count=5, cursor=first["nextCursor"])
    assert [one["id"] for one in answer["Resources"]] == [crowd.person_id(number) for number in range(6, 11)]
    _check(shared_engine, sent)


@tenants
def test_a_write_reads_few_rows(shared_engine: sa.Engine, clients: dict[int, FlaskClient], place: int) -> None:
    client, group = clients[place], f"{BASE}/Groups/{crowd.group_id(1)}"

    def patch(path: str, *operations: dict[str, Any]) -> None:
        answer = client.patch(path, json={"schemas": [PATCH_OP], "Operations": list(operations)})
        assert answer.status_code in (200, 204), answer.text

    with caught() as sent:
        made = client.post(f"{BASE}/Users", json={"userName": "new", "emails": [{"value": "new@example.com"}]})
        assert made.status_code == 201, made.text
        user = made.get_json()["id"]
        patch(f"{BASE}/Users/{user}", {"op": "replace", "path": "active", "value": False})
        patch(f"{BASE}/Users/{user}", {"op": "replace", "path": "title", "value": "Trainer"})
        patch(group, {"op": "add", "path": "members", "value": [{"value": user}]})
        patch(group, {"op": "remove", "path": f'members[value eq "{user}"]'})
        assert client.get(f"{BASE}/Users/{user}").status_code == 200
        assert client.delete(f"{BASE}/Users/{user}").status_code == 204
    _check(shared_engine, [one for one in sent if one.large])
