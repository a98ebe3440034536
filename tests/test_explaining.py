"""A person's page and steps, read from the real tables."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import explaining
from app.identity.writes import ByHand, RecordWrite, Spoken
from app.provisioning import new_id, provision
from app.store import rules as rulebook
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.person import MOST_GROUPS, MOST_REPORTS, without_secrets
from app.store.tenants import SourceRow, Tenant
from app.sync.imports import submit
from app.sync.mapping_changes import Change
from app.sync.mappings import save
from tests.databases import statements
from tests.signed_in import sign_in
from tests.sync.groups import grouped, pushed
from tests.sync.people import hired


@pytest.fixture
def ann(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> str:
    ids = pushed(engine, okta, "ann")
    trainers = grouped(engine, okta, "Trainers", [ids["ann"]])
    grouped(engine, okta, "Staff", groups=[trainers])
    records = [
        hired(1, email="ann@example.com", givenName="Anna", familyName="Egli", manager="1002"),
        hired(2, givenName="Ben", familyName="Boss"),
        hired(3, givenName="Cid", familyName="Young", manager="1001"),
    ]
    submit(engine, tenant.id, hr, records, actor="test")
    save(engine, tenant.id, [Change("set", "group", "Staff", "instructor", source="okta")], actor="test")
    with reading(engine) as conn:
        chosen = sa.select(t.records.c.account_id).where(t.records.c.id == ids["ann"])
        return str(conn.execute(chosen).scalar_one())


def test_a_page_has_all_that_stands_around_a_person(engine: sa.Engine, tenant: Tenant, ann: str) -> None:
    sign_in(engine, tenant.id, ann)
    with writing(engine) as conn:
        doubt = {"record_id": new_id(), "account_id": new_id(), "candidates": [ann], "reason": "two alike"}
        conn.execute(sa.insert(t.duplicates).values(tenant_id=tenant.id, id=new_id(), **doubt))
    with reading(engine) as conn:
        rulebook.current(conn, tenant.id)
        with statements() as seen:
            page = explaining.page(conn, tenant.id, ann)
    assert len(seen) <= 7
    found = page.person
    assert {(one.name, one.path) for one in found.groups} == {("Trainers", ()), ("Staff", ("Trainers",))}
    assert [one.name for one in found.leaders.values()] == ["Ben Boss"]
    assert ([one.name for one in found.reports], found.reports_count) == (["Cid Young"], 1)
    assert len(found.sessions) == len(found.records) - 1 == 1
    assert [one.reason for one in found.doubts] == ["two alike"]
    assert set(found.matched.values()) == {"new", "verified e-mail"}
    [grant] = found.account.grants
    assert grant.key in found.since
    assert page.explained.roles[0].why == "Member of the group Staff of okta."


def test_the_steps_of_an_account_as_it_stands(engine: sa.Engine, tenant: Tenant, ann: str) -> None:
    provision(engine, tenant.id, [ByHand(ann, values={"title": "Chief"})], actor="test")
    with reading(engine) as conn:
        steps = {one.name: one for one in explaining.steps(explaining.page(conn, tenant.id, ann))}
    assert list(steps) == ["connect", "read", "match", "own", "roles", "act"]
    assert steps["connect"].result == "Spoken of by hr (an HR system), okta (an identity provider)."
    by_source = {row["source"]: row for row in steps["read"].inputs}
    assert by_source["okta"]["groups"] == ["Staff", "Trainers"]
    assert steps["match"].result == "2 records of one account."
    own = {row["attribute"]: row for row in steps["own"].inputs}
    assert (own["title"]["source"], own["title"]["rule"]) == ("by hand", "by hand")
    assert own["title"]["lost"][0]["why"] == "a value set by hand stays until it is taken back"
    assert steps["roles"].result == "Roles: instructor (tenant)."
    assert steps["act"].result == "The account is active."
    assert all(set(one.as_dict()) == {"step", "inputs", "result", "reasons"} for one in steps.values())


def test_of_much_a_part_is_read(engine: sa.Engine, tenant: Tenant, okta: SourceRow, ann: str) -> None:
    with reading(engine) as conn:
        record = conn.execute(sa.select(t.records.c.id).where(t.records.c.source_id == okta.id)).scalar_one()
    with writing(engine) as conn:
        conn.execute(sa.update(t.accounts).where(t.accounts.c.id != ann).values(manager_id=ann))
    writes = [
        RecordWrite(
            okta.id, Spoken(True, {"userName": f"r{number}"}), {"userName": f"r{number}"}, user_name=f"r{number}"
        )
        for number in range(MOST_REPORTS + 5)
    ]
    made = [one.after.id for one in provision(engine, tenant.id, writes, actor="test")]
    with writing(engine) as conn:
        conn.execute(sa.update(t.accounts).where(t.accounts.c.id.in_(made)).values(manager_id=ann))
        now = sa.func.now()
        many = [new_id() for _ in range(MOST_GROUPS + 10)]
        row = {"tenant_id": tenant.id, "source_id": okta.id}
        for id in many:
            group = sa.insert(t.groups).values(**row, id=id, display_name=id, created_at=now, updated_at=now)
            conn.execute(group)
            member = sa.insert(t.members).values(tenant_id=tenant.id, group_id=id, member_id=record, kind="User")
            conn.execute(member)
    with reading(engine) as conn:
        found = explaining.page(conn, tenant.id, ann).person
    assert (len(found.reports), found.reports_count) == (MOST_REPORTS, MOST_REPORTS + 7)
    assert (len(found.groups), found.more_groups) == (MOST_GROUPS, True)


def test_no_secret_of_a_document_is_on_the_page(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    submit(engine, tenant.id, hr, [hired(7, password="hunter2")], actor="test")
    with reading(engine) as conn:
        account = str(conn.execute(sa.select(t.records.c.account_id)).scalar_one())
        [kept] = explaining.page(conn, tenant.id, account).person.records
    assert (kept.document["password"], kept.document["title"]) == ("***", "Trainer")


def test_there_is_no_page_of_nobody(engine: sa.Engine, tenant: Tenant) -> None:
    with reading(engine) as conn, pytest.raises(KeyError):
        explaining.page(conn, tenant.id, new_id())


def test_what_is_called_like_a_secret_is_not_shown() -> None:
    said = {"password": "x", "title": "Secretary", "list": [{"client_secret": "y", "pin": 1}], "secretary": "Zoe"}
    shown = {"password": "***", "title": "Secretary", "list": [{"client_secret": "***", "pin": "***"}]}
    assert without_secrets(said) == {**shown, "secretary": "Zoe"}
