"""The duplicates inbox: each pair once, with what speaks for it, until a person decides."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app import duplicates
from app.identity.merging_evidence import AGREES, DIFFERS, ONE_SIDED, STRONG, WEAK
from app.identity.writes import RecordWrite
from app.merging import NotMergedError, merge
from app.store import duplicates as store
from app.store import tables as t
from app.store.engine import writing
from app.store.sign_in_tables import sign_ins
from app.store.tenants import NotFoundError, SourceRow, Tenant, create
from tests.databases import statements
from tests.journeys import agreement

from .people import hris, rows, scim, write

WORK = {"emails.work": "a@x.org"}


@pytest.fixture
def pair(engine: sa.Engine, okta: SourceRow) -> tuple[str, str]:
    """The matcher doubts: the same source has two records with one address. The second was given its own account."""
    one = write(engine, okta, scim(okta, "ada", givenName="Ada", familyName="Byron", **WORK)).after.id
    other = write(engine, okta, scim(okta, "ada2", givenName="Ada", familyName="King", **WORK))
    assert other.doubtful == (one,)
    return other.after.id, one


def open_pairs(engine: sa.Engine, tenant: Tenant) -> list[tuple[str, str]]:
    page = duplicates.page(engine, tenant.id, decided=False)
    return [(one.doubt.one, one.doubt.other) for one in page.pairs if one.doubt is not None]


def states(engine: sa.Engine) -> list[tuple[str, str | None]]:
    return [(row.state, row.decided_by) for row in rows(engine, t.duplicates)]


def test_a_pair_is_shown_with_what_speaks_for_it(engine, tenant, okta, hr, pair) -> None:
    write(engine, hr, hris(hr, "E1", **{"emails.work": "b@x.org"}))
    [shown] = duplicates.page(engine, tenant.id).pairs
    assert shown.doubt is not None
    assert (shown.doubt.one, shown.doubt.other, shown.doubt.state) == (*pair, "open")
    assert shown.doubt.reason.startswith("Found by verified e-mail")
    found = {one.what: one for one in shown.evidence}
    assert (found["email"].verdict, found["email"].weight) == (AGREES, WEAK)
    assert found["email"].one[0].sources == ("okta",)
    assert (found["givenName"].verdict, found["familyName"].verdict) == (AGREES, DIFFERS)
    assert shown.one is not None
    assert len(shown.one.records) == 1


def test_what_one_side_alone_says_is_no_agreement(engine, tenant, okta, hr) -> None:
    one = write(engine, okta, scim(okta, "ada")).after.id
    other = write(engine, hr, hris(hr, "E1")).after.id
    shown = duplicates.side_by_side(engine, tenant.id, one, other)
    number = next(item for item in shown.evidence if item.what == "employeeNumber")
    assert (number.verdict, number.weight, number.one, number.numbering) == (ONE_SIDED, STRONG, (), "default")
    assert shown.doubt is None


def test_the_last_sign_in_is_that_of_the_ids_merged_into_it_too(engine, tenant, okta, hr, pair) -> None:
    third = write(engine, hr, hris(hr, "E1")).after.id
    at = datetime(2026, 5, 1, tzinfo=UTC)
    with writing(engine) as conn:
        values = {"tenant_id": tenant.id, "code": "ABC", "at": at, "outcome": "accepted", "account_id": third}
        conn.execute(sa.insert(sign_ins).values(id=str(uuid4()), **values))
    merge(engine, tenant.id, pair[0], third, actor="admin")
    [shown] = duplicates.page(engine, tenant.id).pairs
    assert shown.one is not None
    assert shown.other is not None
    assert (shown.one.last_sign_in, shown.other.last_sign_in) == (at, None)


def test_one_person_a_merge_closes_the_doubt(engine, tenant, pair) -> None:
    merge(engine, tenant.id, *pair, actor="admin")
    assert states(engine) == [("merged", "admin")]
    assert open_pairs(engine, tenant) == []
    assert duplicates.waiting(engine, tenant.id) == 0


def test_two_people_are_asked_about_no_more(engine, tenant, pair) -> None:
    assert duplicates.waiting(engine, tenant.id) == 1
    assert duplicates.tell_apart(engine, tenant.id, *pair, actor="admin", reason="brothers")
    assert not duplicates.tell_apart(engine, tenant.id, *reversed(pair), actor="admin")
    assert states(engine) == [("apart", "admin")]
    assert open_pairs(engine, tenant) == []
    [decided] = duplicates.page(engine, tenant.id).pairs
    assert decided.told_apart
    assert {row.subject for row in rows(engine, t.audit, t.audit.c.action == "account.told_apart")} == set(pair)
    agreement.check(engine, tenant.id)


def test_a_doubt_moves_to_the_account_that_is_left(engine, tenant, hr, pair) -> None:
    third = write(engine, hr, hris(hr, "E1")).after.id
    merge(engine, tenant.id, third, pair[1], actor="admin")
    assert open_pairs(engine, tenant) == [(pair[0], third)]
    merge(engine, tenant.id, third, pair[0], actor="admin")
    assert states(engine) == [("merged", "admin")]


def test_a_pair_that_several_doubts_name_is_shown_once(engine, tenant, okta, hr, pair) -> None:
    again = write(engine, okta, scim(okta, "ada3", **WORK)).after.id
    with writing(engine) as conn:
        conn.execute(
            sa.insert(t.duplicates).values(
                tenant_id=tenant.id,
                id=str(uuid4()),
                record_id=str(uuid4()),
                account_id=pair[1],
                candidates=[pair[0], again],
                reason="Because.",
            )
        )
    found = open_pairs(engine, tenant)
    assert sorted(found) == sorted([(pair[1], pair[0]), (pair[1], again)])
    duplicates.tell_apart(engine, tenant.id, *pair, actor="admin")
    assert open_pairs(engine, tenant) == [(pair[1], again)]
    assert sorted(state for state, _ in states(engine)) == ["apart", "open"]


def test_who_was_told_apart_from_the_one_is_not_asked_about_with_the_other(engine, tenant, okta, hr, pair) -> None:
    third = write(engine, hr, hris(hr, "E1")).after.id
    duplicates.tell_apart(engine, tenant.id, pair[0], third, actor="admin")
    assert duplicates.waiting(engine, tenant.id) == 1
    merge(engine, tenant.id, third, pair[1], actor="somebody")
    assert open_pairs(engine, tenant) == []
    assert states(engine) == [("apart", "somebody")]


def test_only_new_records_that_share_an_identifier_ask_who_was_told_apart(engine, tenant, okta, hr, pair) -> None:
    def asked(source: SourceRow, said: RecordWrite) -> bool:
        with statements() as seen:
            write(engine, source, said)
        return any("FROM apart" in one for one in seen)

    [mine] = rows(engine, t.records, t.records.c.user_name == "ada2")
    assert not asked(okta, scim(okta, "ada2", id=mine.id, title="Coder", **WORK))
    assert not asked(hr, hris(hr, "E1", **{"emails.work": "new@x.org"}))
    assert asked(hr, hris(hr, "E2", **WORK))
    assert not asked(hr, hris(hr, "E2", title="Coder", **WORK))


def test_a_doubt_about_nobody_is_not_shown(engine, tenant, pair) -> None:
    with writing(engine) as conn:
        conn.execute(sa.delete(t.accounts).where(t.accounts.c.id == pair[1]))
    assert open_pairs(engine, tenant) == []
    with writing(engine) as conn:
        assert store.settle(conn, tenant.id, [pair[1]], "admin") == 1
    assert states(engine) == [("gone", "admin")]


def test_pages_follow_on_open_ones_first(engine, tenant, okta) -> None:
    for number in range(4):
        said = {"emails.work": f"p{number}@x.org"}
        one = write(engine, okta, scim(okta, f"a{number}", **said)).after.id
        other = write(engine, okta, scim(okta, f"b{number}", **said)).after.id
        if number % 2:
            duplicates.tell_apart(engine, tenant.id, one, other, actor="admin")
    whole = duplicates.page(engine, tenant.id)
    assert [one.doubt.state for one in whole.pairs if one.doubt] == ["open", "open", "apart", "apart"]
    for limit in (1, 2, 3):
        seen, place = [], None
        while True:
            page = duplicates.page(engine, tenant.id, behind=place, limit=limit)
            seen += page.pairs
            place = page.next
            if place is None:
                break
            assert len(page.pairs) == limit
        assert [one.doubt for one in seen] == [one.doubt for one in whole.pairs]
    assert [one.doubt.state for one in duplicates.page(engine, tenant.id, decided=True).pairs if one.doubt] == [
        "apart",
        "apart",
    ]


def test_another_tenants_pairs_are_not_found(engine, tenant, pair) -> None:
    with writing(engine) as conn:
        other = create(conn, "globex")
    assert duplicates.page(engine, other.id).pairs == ()
    [doubt] = rows(engine, t.duplicates)
    with pytest.raises(NotFoundError):
        duplicates.show(engine, other.id, doubt.id)
    with pytest.raises(NotFoundError):
        duplicates.tell_apart(engine, other.id, *pair, actor="admin")
    with pytest.raises(NotMergedError):
        duplicates.tell_apart(engine, tenant.id, pair[0], pair[0], actor="admin")
    assert len(duplicates.show(engine, tenant.id, doubt.id)) == 1
