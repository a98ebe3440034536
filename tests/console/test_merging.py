"""Duplicates, merging, splitting and provisioning on demand, by the console's forms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.identity.model import Account
from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import people, tenants
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import Console

Enter = Callable[..., Console]
EMAIL = {"emails.work": "kim@acme.example"}


def say(engine: sa.Engine, tenant: Tenant, source: SourceRow, key: str, **values: str) -> str:
    [outcome] = provision(
        engine, tenant.id, [RecordWrite(source.id, Spoken(True, values), {"id": key}, source_key=key)], actor="test"
    )
    return outcome.after.id


def accounts(engine: sa.Engine, tenant: Tenant) -> dict[str, Account]:
    with reading(engine) as conn:
        ids = [str(row[0]) for row in conn.exec_driver_sql("SELECT id FROM accounts")]
        return people.accounts(conn, tenant.id, ids, lock=False)


@pytest.fixture
def doubted(engine: sa.Engine, tenant: Tenant, hr: SourceRow, okta: SourceRow) -> tuple[str, str]:
    """The second one's record may be the first one's: employee numbers differ, the e-mail agrees."""
    one = say(engine, tenant, hr, "p1", displayName="Kim Noor", employeeNumber="1", **EMAIL)
    other = say(engine, tenant, okta, "kim", displayName="Kim Noor", employeeNumber="2", **EMAIL)
    assert one != other
    return one, other


def test_an_empty_inbox_says_what_will_come(console: Enter) -> None:
    assert "No duplicates" in console("auditor").get("/admin/duplicates").text


def test_a_doubt_waits_with_its_evidence_until_somebody_decides(
    console: Enter, engine: sa.Engine, tenant: Tenant, doubted: tuple[str, str]
) -> None:
    admin = console("admin")
    inbox = admin.get("/admin/duplicates")
    assert "Waiting (1)" in inbox.text
    [pair] = [href for href in inbox.links if re.fullmatch(r"/admin/duplicates/[0-9a-f-]{36}", href)]
    shown = admin.get(pair).text
    assert "kim@acme.example" in shown
    assert "Two people, strongly" in shown
    seen = admin.post("/admin/duplicates/apart", one=doubted[0], other=doubted[1], reason="brothers")
    assert "Two people." in seen.said[0]
    assert "No duplicates" in seen.text
    assert "Two people" in admin.get("/admin/duplicates?state=decided").text
    assert len(accounts(engine, tenant)) == 2


def test_two_become_one_and_two_again(
    console: Enter, engine: sa.Engine, tenant: Tenant, doubted: tuple[str, str]
) -> None:
    one, other = doubted
    admin = console("admin")
    assert f"/admin/people/{one}/merge?other={other}" in admin.get(f"/admin/people/{one}/merge?q=kim").links
    preview = admin.get(f"/admin/people/{one}/merge?other={other}")
    assert "Nothing is done yet" in preview.text
    assert "suspended no no no" in preview.text
    assert len(accounts(engine, tenant)) == 2
    merged = admin.post(f"/admin/people/{one}/merge", other=other, keep=one, reason="one person")
    assert merged.said == ["One person now. 1 record came along; the other id goes on meaning this account."]
    assert set(accounts(engine, tenant)) == {one}
    assert admin.get(f"/admin/people/{other}").at == f"/admin/people/{one}"

    [back] = [href for href in admin.get(f"/admin/people/{one}/split").links if "record=" in href]
    chosen = re.findall(r"record=([0-9a-f-]{36})", back)
    assert "Split into two" in admin.get(back).text
    split = admin.post(f"/admin/people/{one}/split", record=chosen, keeps="this", reason="two after all")
    assert "Two people now" in split.said[0]
    assert len(accounts(engine, tenant)) == 2


def test_all_records_cannot_be_split_off(
    console: Enter, engine: sa.Engine, tenant: Tenant, doubted: tuple[str, str]
) -> None:
    admin, one = console("admin"), doubted[0]
    with reading(engine) as conn:
        [only] = [kept.record.id for kept in people.records_of(conn, tenant.id, [one])]
    assert admin.get(f"/admin/people/{one}/split?record={only}").status == 422
    assert "each side needs one" in admin.post(f"/admin/people/{one}/split", record=only, keeps="this").said[0]


def test_an_account_of_another_tenant_cannot_be_merged_in(
    console: Enter, engine: sa.Engine, doubted: tuple[str, str]
) -> None:
    with writing(engine) as conn:
        globex = tenants.create(conn, "globex")
        theirs = tenants.create_source(conn, globex.id, "hr", kind="hris", system="adp")
    stranger = say(engine, globex, theirs, "x", displayName="Stranger")
    admin = console("admin")
    assert admin.get(f"/admin/people/{doubted[0]}/merge?other={stranger}").status == 404
    assert admin.post(f"/admin/people/{doubted[0]}/merge", other=stranger, keep=doubted[0]).status == 404


def test_nobody_comes_to_a_higher_role_by_a_merge(
    console: Enter, engine: sa.Engine, tenant: Tenant, doubted: tuple[str, str]
) -> None:
    one, other = doubted
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE roles SET console = 'owner' WHERE name = 'admin'")
    assert console("owner").post(f"/admin/people/{one}/role", role="admin", scope="tenant").status == 200
    seen = console("admin").post(f"/admin/people/{one}/merge", other=other, keep=other, administrator="yes")
    assert (seen.status, "above your role" in seen.text) == (403, True)
    assert set(accounts(engine, tenant)) == {one, other}


def test_a_document_is_tried_without_a_change_and_then_taken_in(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    desk = console("help_desk")
    document = json.dumps({"userName": "ada@acme.example", "title": "Analyst", "active": True})
    tried = desk.post("/admin/try", source=okta.id, document=document)
    for step in ("Connect", "Read", "Match", "Own", "Roles", "Act"):
        assert step in tried.text
    assert "A new account would be made." in tried.text
    assert accounts(engine, tenant) == {}
    done = desk.post("/admin/try", source=okta.id, document=document, carry_out="yes")
    assert "Taken in" in done.text
    [made] = accounts(engine, tenant).values()
    assert made.attributes["title"] == "Analyst"
    with reading(engine) as conn:
        [kept] = people.records_of(conn, tenant.id, [made.id])
    assert "Analyst" in desk.get(f"/admin/try?record={kept.record.id}").html


@pytest.mark.parametrize(
    "document", ["{", "[]", '{"title": "nobody"}', '{"userName": "ada", "x": [{"secretWord": "***"}]}']
)
def test_a_document_that_is_wrong_comes_back_with_the_reason(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, document: str
) -> None:
    seen = console("help_desk").post("/admin/try", source=okta.id, document=document, carry_out="yes")
    assert seen.status == 422
    assert 'aria-invalid="true"' in seen.html
    assert accounts(engine, tenant) == {}
