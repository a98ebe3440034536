"""Two accounts become one: nothing is lost, the old id goes on meaning the person, and who may not be merged is not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.identity.writes import Rederive
from app.merging import NotMergedError, came_with, merge, preview_merge
from app.provisioning import provision
from app.store import aliases, tenant_settings
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import NotFoundError, SourceRow, Tenant, create, create_source
from tests.journeys import agreement
from tests.sync.people import map_title

from .people import account, by_hand, hris, rows, scim, write


@pytest.fixture
def two(engine: sa.Engine, okta: SourceRow, hr: SourceRow) -> tuple[str, str]:
    """Ada by the identity provider, and Ada by HR: nothing that both say joins them."""
    one = write(engine, okta, scim(okta, "ada", givenName="Ada", title="Coder", **{"emails.work": "ada@x.org"}))
    other = write(engine, hr, hris(hr, "E1", givenName="Augusta", title="Engineer"))
    assert one.after.id != other.after.id
    return one.after.id, other.after.id


def joined(engine: sa.Engine, tenant: Tenant, keep: str, away: str, **said: Any) -> Any:
    return merge(engine, tenant.id, keep, away, actor="admin", **said)


def test_the_records_of_both_make_one_account(engine, tenant, two) -> None:
    keep, away = two
    done = joined(engine, tenant, keep, away, reason="same desk")
    assert account(engine, tenant.id, away) is None
    kept = account(engine, tenant.id, keep)
    assert kept is not None
    assert (kept.attributes["title"], kept.attributes["userName"]) == ("Engineer", "ada")
    assert kept.attributes["employeeNumber"] == "E1"
    assert {row.account_id for row in rows(engine, t.records)} == {keep}
    assert done.records == tuple(row.id for row in rows(engine, t.records, t.records.c.source_key == "E1"))
    agreement.check(engine, tenant.id)


def test_a_record_that_moves_is_no_new_version_of_it(engine, tenant, two) -> None:
    before = {row.id: (row.version, row.updated_at) for row in rows(engine, t.records)}
    joined(engine, tenant, *two)
    assert {row.id: (row.version, row.updated_at) for row in rows(engine, t.records)} == before
    assert agreement.audited(engine, tenant.id, "record.updated") == 0


def test_the_old_id_means_the_person_for_ever(engine, tenant, okta, two) -> None:
    keep, away = two
    third = write(engine, okta, scim(okta, "augusta")).after.id
    joined(engine, tenant, keep, away)
    joined(engine, tenant, third, keep)
    with reading(engine) as conn:
        assert [aliases.resolve(conn, tenant.id, one) for one in (away, keep, third)] == [third] * 3
        assert [one.id for one in aliases.of(conn, tenant.id, third)] == [keep, away]
    agreement.check(engine, tenant.id)


def test_the_world_is_told_by_events(engine, tenant, two) -> None:
    keep, away = two
    before = len(rows(engine, t.events))
    joined(engine, tenant, keep, away)
    told = sorted(rows(engine, t.events), key=lambda row: row.number)[before:]
    assert [(row.type, row.account_id) for row in told] == [("account.merged", away), ("account.updated", keep)]
    assert told[0].data["into"] == keep
    assert told[1].data["after"]["title"] == "Engineer"
    [alias] = came_with(engine, tenant.id, keep)
    assert (alias.number, alias.actor) == (told[0].number, "admin")


def test_the_audit_says_who_why_and_what_came_from_where(engine, tenant, two) -> None:
    keep, away = two
    done = joined(engine, tenant, keep, away, reason="same desk")
    [entry] = rows(engine, t.audit, t.audit.c.action == "account.merged")
    assert (entry.actor, entry.subject, entry.facts["from"]) == ("admin", keep, away)
    assert (entry.facts["records"], entry.personal["note"]) == (list(done.records), "same desk")
    assert entry.personal["away"]["attributes"]["givenName"] == "Augusta"
    [gone] = rows(engine, t.audit, t.audit.c.action == "account.merged_away")
    assert (gone.subject, gone.facts["into"]) == (away, keep)


def test_sources_go_on_writing_their_records(engine, tenant, okta, hr, two) -> None:
    keep, away = two
    joined(engine, tenant, keep, away)
    assert write(engine, hr, hris(hr, "E1", title="Chief")).after.id == keep
    record = rows(engine, t.records, t.records.c.user_name == "ada")[0].id
    assert write(engine, okta, scim(okta, "ada", id=record, nickName="A")).after.attributes["title"] == "Chief"
    agreement.check(engine, tenant.id)


def test_what_was_set_by_hand_is_joined_and_the_kept_ones_win(engine, tenant, two) -> None:
    keep, away = two
    by_hand(engine, tenant.id, keep, values={"title": "Countess"})
    by_hand(engine, tenant.id, away, values={"title": "Lady", "nickName": "Ada"}, given=["instructor"])
    joined(engine, tenant, keep, away)
    kept = account(engine, tenant.id, keep)
    assert kept is not None
    assert (kept.attributes["title"], kept.attributes["nickName"], kept.roles) == ("Countess", "Ada", ("instructor",))
    assert [row.account_id for row in rows(engine, t.grants)] == [keep]
    agreement.check(engine, tenant.id)


@pytest.mark.parametrize("side", [0, 1])
def test_who_was_suspended_stays_suspended(engine, tenant, two, side) -> None:
    by_hand(engine, tenant.id, two[side], suspended=True)
    joined(engine, tenant, *two)
    kept = account(engine, tenant.id, two[0])
    assert kept is not None
    assert (kept.suspended, kept.status) == (True, "inactive")


def test_who_was_led_by_the_one_is_led_by_the_other(engine, tenant, okta, hr, two) -> None:
    keep, away = two
    led = write(engine, hr, hris(hr, "E2", manager="E1")).after
    chosen = write(engine, hr, hris(hr, "E3")).after.id
    by_hand(engine, tenant.id, chosen, values={"manager": away})
    assert led.manager_id == away
    assert set(preview_merge(engine, tenant.id, keep, away).reports) == {led.id, chosen}
    joined(engine, tenant, keep, away)
    for id in (led.id, chosen):
        found = account(engine, tenant.id, id)
        assert found is not None
        assert (found.manager_id, found.attributes["manager"]) == (keep, keep)
    provision(engine, tenant.id, [Rederive(led.id)], actor="test")
    agreement.check(engine, tenant.id)


def test_nobody_leads_himself_after_it(engine, tenant, hr) -> None:
    boss = write(engine, hr, hris(hr, "E1")).after.id
    led = write(engine, hr, hris(hr, "E2", manager="E1")).after.id
    assert joined(engine, tenant, led, boss).account.manager_id is None
    agreement.check(engine, tenant.id)


def test_an_address_of_both_is_one_persons_again(engine, tenant, okta, entra, hr) -> None:
    one = write(engine, okta, scim(okta, "ada", **{"emails.work": "a@x.org"})).after.id
    second = scim(okta, "ada2", **{"emails.work": "a@x.org"})
    other = write(engine, okta, second)
    assert other.doubtful == (one,)
    joined(engine, tenant, one, other.after.id)
    assert write(engine, hr, hris(hr, "E1", **{"emails.work": "a@x.org"})).after.id == one


def test_the_preview_is_what_is_done(engine, tenant, two) -> None:
    map_title(engine, tenant.id, "Coder", "manager")
    map_title(engine, tenant.id, "Engineer", "instructor")
    keep, away = two
    provision(engine, tenant.id, [Rederive(one) for one in two], actor="test")
    shown = preview_merge(engine, tenant.id, keep, away)
    assert account(engine, tenant.id, away) is not None
    assert [(one.role, one.scope) for one in shown.gained] == [("instructor", "tenant")]
    assert [(one.role, one.scope) for one in shown.lost] == [("manager", "tenant")]
    assert shown.missed == ()
    title = next(one for one in shown.attributes if one.attribute == "title")
    assert (title.first, title.second, title.third, title.differs) == ("Coder", "Engineer", "Engineer", True)
    assert (shown.refusal, shown.asks_administrator, len(shown.records)) == (None, False, 1)
    done = joined(engine, tenant, keep, away)
    assert done.account.attributes == shown.merged.attributes
    assert done.account.roles == shown.merged.roles


def test_an_administrator_is_merged_by_a_word_of_its_own(engine, tenant, two) -> None:
    map_title(engine, tenant.id, "Engineer", "admin")
    keep, away = two
    provision(engine, tenant.id, [Rederive(away)], actor="test")
    assert preview_merge(engine, tenant.id, keep, away).asks_administrator
    with pytest.raises(NotMergedError) as refused:
        joined(engine, tenant, keep, away)
    assert refused.value.code == "administrator"
    assert account(engine, tenant.id, away) is not None
    assert joined(engine, tenant, keep, away, administrator=True).account.roles == ("admin",)


def test_the_last_administrator_stays(engine, tenant, two) -> None:
    map_title(engine, tenant.id, "Engineer", "admin")
    keep, away = two
    provision(engine, tenant.id, [Rederive(away)], actor="test")
    by_hand(engine, tenant.id, keep, suspended=True)
    refusal = preview_merge(engine, tenant.id, keep, away).refusal
    assert refusal is not None
    with pytest.raises(NotMergedError) as refused:
        joined(engine, tenant, keep, away, administrator=True)
    assert refused.value.code == refusal.code == "last_administrator"


def test_employee_and_customer_are_two_accounts_until_the_tenant_says_otherwise(engine, tenant, okta) -> None:
    with writing(engine) as conn:
        crm = create_source(conn, tenant.id, "crm", kind="crm", system="hubspot", affiliation="customer")
    employee = write(engine, okta, scim(okta, "ada")).after.id
    customer = write(engine, crm, scim(crm, "ada")).after.id
    with pytest.raises(NotMergedError) as refused:
        joined(engine, tenant, employee, customer)
    assert refused.value.code == "affiliations"
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "both_affiliations", "true")
    assert joined(engine, tenant, employee, customer).account.affiliation == "employee"
    agreement.check(engine, tenant.id)


def test_an_account_is_not_merged_with_itself_or_its_alias(engine, tenant, two) -> None:
    keep, away = two
    with pytest.raises(NotMergedError):
        joined(engine, tenant, keep, keep)
    joined(engine, tenant, keep, away)
    for pair in ((keep, away), (away, keep)):
        with pytest.raises(NotMergedError) as refused:
            joined(engine, tenant, *pair)
        assert refused.value.code == "same"


def test_somebody_elses_people_are_not_found(engine, tenant, two) -> None:
    with writing(engine) as conn:
        other = create(conn, "globex")
    for tenant_id, pair in ((other.id, two), (tenant.id, (two[0], str(uuid4()))), (tenant.id, (two[0], "nobody"))):
        with pytest.raises(NotFoundError):
            merge(engine, tenant_id, *pair, actor="admin")
        with pytest.raises(NotFoundError):
            preview_merge(engine, tenant_id, *pair)


def test_too_many_records_are_no_one_persons(engine, tenant, okta, two, monkeypatch) -> None:
    monkeypatch.setattr("app.identity.merging_guards.MOST_RECORDS", 1)
    with pytest.raises(NotMergedError) as refused:
        joined(engine, tenant, *two)
    assert refused.value.code == "size"
