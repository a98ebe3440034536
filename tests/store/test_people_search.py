from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.adapters.search_document import search_document
from app.identity.writes import RecordDelete, RecordWrite, Spoken
from app.provisioning import provision
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.people_search import Page, search
from app.store.tenants import SourceRow, Tenant, create, create_source
from app.sync.imports import submit
from app.sync.mapping_changes import Change
from app.sync.mappings import save
from tests.sync.groups import grouped
from tests.sync.people import hired

PHONE = "+41 44 555 01 01"


def scim(source: SourceRow, user: str, given: str, family: str, **more: object) -> RecordWrite:
    document = {
        "userName": user,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"type": "work", "value": f"{user}@example.com"}, {"type": "home", "value": f"{user}@home.test"}],
        **more,
    }
    said = {"userName": user, "givenName": given, "familyName": family, "emails.work": f"{user}@example.com"}
    found = search_document("User", document, tenant_id=source.tenant_id, source_id=source.id)
    return RecordWrite(source.id, Spoken(True, said), document, found, user_name=user)


@pytest.fixture
def people(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> dict[str, str]:
    """userName -> account id."""
    writes = [
        scim(okta, "ann", "Ann", "Meyer", externalId="X-1", title="Trainer"),
        scim(okta, "ben", "Ben", "Meyer", phoneNumbers=[{"type": "work", "value": PHONE}]),
        scim(okta, "zoë", "Zoë", "Ångström", externalId="dG8="),
        scim(okta, "mia", "Mia Maria", "von Ann", title="trainer"),
    ]
    outcomes = provision(engine, tenant.id, writes, actor="test")
    return {write.user_name or "": one.after.id for write, one in zip(writes, outcomes, strict=True)}


def names(page: Page) -> list[str]:
    return [row.name for row in page.rows]


@pytest.mark.parametrize(
    ("text", "who", "matched"),
    [
        ("ann", "Ann Meyer", "userName"),
        ("ann me", "Ann Meyer", "name"),
        ("Meyer, Ann", "Ann Meyer", "name"),
        ("MEYER AN", "Ann Meyer", "name"),
        ("mey an", "Ann Meyer", "name"),
        ("von ann mia", "Mia Maria von Ann", "name"),
        ("ång", "Zoë Ångström", "family name"),
        ("zoe\u0308 å", "Zoë Ångström", "name"),
        ("ben@EXAMPLE.com", "Ben Meyer", "e-mail"),
        ("ben@exa", "Ben Meyer", "e-mail"),
        ("ben@home.test", "Ben Meyer", "e-mail"),
        (PHONE, "Ben Meyer", "phone"),
        ("X-1", "Ann Meyer", "externalId X-1"),
        ("dG8=", "Zoë Ångström", "externalId dG8="),
        ("dG8==", None, None),
    ],
)
@pytest.mark.usefixtures("people")
def test_somebody_is_found_by_what_is_known(
    engine: sa.Engine, tenant: Tenant, text: str, who: str | None, matched: str | None
) -> None:
    with reading(engine) as conn:
        found = [(row.name, row.matched) for row in search(conn, tenant.id, text).rows]
    assert found[:1] == ([] if who is None else [(who, matched)])


def test_the_surest_comes_first_and_everybody_once(engine: sa.Engine, tenant: Tenant, people: dict[str, str]) -> None:
    with reading(engine) as conn:
        found = search(conn, tenant.id, "ann")
        assert names(found) == ["Ann Meyer"]
        assert names(search(conn, tenant.id, "meyer")) == ["Ann Meyer", "Ben Meyer"]
        assert names(search(conn, tenant.id, "title=TRAINER")) == ["Ann Meyer", "Mia Maria von Ann"]
        assert names(search(conn, tenant.id, "name.givenName=Ben")) == ["Ben Meyer"]
        assert names(search(conn, tenant.id, "%")) == names(search(conn, tenant.id, "_")) == []
        assert names(search(conn, tenant.id, "nul\0l")) == []
    row = found.rows[0]
    assert (row.id, row.email, row.user_name, row.status) == (people["ann"], "ann@example.com", "ann", "active")
    assert (row.sources, row.suspended) == (("okta",), False)


def test_ids_find_account_record_and_who_took_another_in(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow, people: dict[str, str]
) -> None:
    gone = "0190a000-0000-7000-8000-000000000001"
    submit(engine, tenant.id, hr, [hired(1, email="ann@example.com")], actor="test")
    with writing(engine) as conn:
        known = {"number": 1, "records": [], "at": sa.func.now(), "actor": "test"}
        conn.execute(sa.insert(t.aliases).values(tenant_id=tenant.id, id=gone, account_id=people["ann"], **known))
        record = conn.execute(sa.select(t.records.c.id).where(t.records.c.user_name == "ann")).scalar_one()
    with reading(engine) as conn:
        by_id = {text: search(conn, tenant.id, text).rows[0] for text in (people["ann"], gone, record, "1001", "p-1")}
    assert {row.id for row in by_id.values()} == {people["ann"]}
    assert by_id[gone].matched == "an account that was merged into this one"
    assert by_id[record].matched == "record"
    assert by_id["1001"].matched == "employee number 1001"
    assert by_id["p-1"].matched == "id at the source p-1"
    assert by_id["1001"].sources == ("hr", "okta")


def test_more_is_said_where_there_are_more(engine: sa.Engine, tenant: Tenant, people: dict[str, str]) -> None:
    with reading(engine) as conn:
        page = search(conn, tenant.id, "meyer", limit=1)
        assert (names(page), page.more, page.after) == (["Ann Meyer"], True, None)
        assert not search(conn, tenant.id, "meyer", limit=2).more


def test_everybody_is_walked_through_by_name(engine: sa.Engine, tenant: Tenant, people: dict[str, str]) -> None:
    with writing(engine) as conn:
        conn.execute(sa.update(t.accounts).where(t.accounts.c.id == people["ben"]).values(status="inactive"))
    walked: list[str] = []
    after, pages = None, 0
    with reading(engine) as conn:
        while pages == 0 or after is not None:
            page = search(conn, tenant.id, "", after=after, limit=2)
            walked, after, pages = walked + names(page), page.after, pages + 1
        assert names(search(conn, tenant.id, "", status="inactive")) == ["Ben Meyer"]
        assert names(search(conn, tenant.id, "meyer", status="active")) == ["Ann Meyer"]
    assert walked == ["Ann Meyer", "Ben Meyer", "Mia Maria von Ann", "Zoë Ångström"]


def test_filters_narrow_a_list_and_a_search(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow, people: dict[str, str]
) -> None:
    with reading(engine) as conn:
        ids = {one.user_name: one.id for one in conn.execute(sa.select(t.records.c.user_name, t.records.c.id))}
    group = grouped(engine, okta, "Trainers", [ids["ann"], ids["zoë"]])
    save(engine, tenant.id, [Change("set", "group", "Trainers", "instructor", source="okta")], actor="test")
    submit(engine, tenant.id, hr, [hired(1, email="ann@example.com")], actor="test")
    with reading(engine) as conn:
        everyone = {"Ann Meyer", "Zoë Ångström"}
        assert set(names(search(conn, tenant.id, "", group_id=group))) == everyone
        assert set(names(search(conn, tenant.id, "", role="instructor"))) == everyone
        assert names(search(conn, tenant.id, "", role="instructor", source_id=hr.id)) == ["Ann Meyer"]
        assert names(search(conn, tenant.id, "meyer", role="instructor")) == ["Ann Meyer"]
        assert names(search(conn, tenant.id, "meyer", group_id=group, source_id=hr.id)) == ["Ann Meyer"]
        assert names(search(conn, tenant.id, "", role="learner")) == []
        first = search(conn, tenant.id, "", role="instructor", limit=1)
        second = search(conn, tenant.id, "", role="instructor", limit=1, after=first.after)
        assert set(names(first) + names(second)) == everyone
        assert second.after is None or not search(conn, tenant.id, "", role="instructor", after=second.after).rows
        assert set(names(search(conn, tenant.id, "", role="instructor", after="nothing"))) == everyone


def test_two_records_of_one_person_end_no_list(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, people: dict[str, str]
) -> None:
    with writing(engine) as conn:
        ids = {one.user_name: one.id for one in conn.execute(sa.select(t.records.c.user_name, t.records.c.id))}
        second = sa.update(t.records).where(t.records.c.user_name == "ben").values(account_id=people["ann"])
        conn.execute(second)
    group = grouped(engine, okta, "Staff", list(ids.values()))
    for road in ({"group_id": group}, {"source_id": okta.id}):
        walked: set[str] = set()
        after, pages = None, 0
        with reading(engine) as conn:
            while pages == 0 or after is not None:
                page = search(conn, tenant.id, "", after=after, limit=1, **road)  # type: ignore[arg-type]
                walked, after, pages = walked | set(names(page)), page.after, pages + 1
        assert walked == {"Ann Meyer", "Mia Maria von Ann", "Zoë Ångström"}


def test_whom_a_source_gave_up_is_found_by_name_alone(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, people: dict[str, str]
) -> None:
    with reading(engine) as conn:
        record = conn.execute(sa.select(t.records.c.id).where(t.records.c.user_name == "ben")).scalar_one()
    provision(engine, tenant.id, [RecordDelete(okta.id, record)], actor="test")
    with reading(engine) as conn:
        assert [(row.status, row.sources) for row in search(conn, tenant.id, "ben mey").rows] == [("inactive", ())]
        assert names(search(conn, tenant.id, PHONE)) == []


def test_another_tenant_is_not_searched(engine: sa.Engine, tenant: Tenant, people: dict[str, str]) -> None:
    with writing(engine) as conn:
        other = create(conn, "other")
        create_source(conn, other.id, "okta", kind="idp", system="okta")
    with reading(engine) as conn:
        for text in ("", "ann", "meyer ann", PHONE, "X-1", "title=trainer", people["ann"], "ben@example.com"):
            assert search(conn, other.id, text).rows == [], text
