"""One account becomes two: the records say who is who, the two stay apart, and a merge can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.identity.writes import Rederive
from app.merging import NotMergedError, came_with, merge, preview_split, split
from app.provisioning import provision
from app.store import aliases, apart
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import NotFoundError, SourceRow, Tenant, create
from tests.journeys import agreement
from tests.sync.people import map_title

from .people import account, by_hand, hris, rows, scim, write

WORK = "emails.work"


@pytest.fixture
def one(engine: sa.Engine, okta: SourceRow, hr: SourceRow) -> str:
    """Two people who were taken for one, since they share an address."""
    first = write(engine, okta, scim(okta, "ada", givenName="Ada", title="Coder", **{WORK: "desk@x.org"})).after.id
    again = write(engine, hr, hris(hr, "E1", givenName="Bo", title="Engineer", **{WORK: "desk@x.org"})).after.id
    assert first == again
    return first


def record(engine: sa.Engine, source: SourceRow) -> str:
    return str(rows(engine, t.records, t.records.c.source_id == source.id)[0].id)


def parted(engine: sa.Engine, tenant: Tenant, id: str, records: list[str], **said: Any) -> Any:
    return split(engine, tenant.id, id, records, actor="admin", **said)


@pytest.mark.parametrize("keeps_id", ["this", "new"])
def test_the_administrator_says_who_keeps_the_id(engine, tenant, okta, hr, one, keeps_id) -> None:
    done = parted(engine, tenant, one, [record(engine, hr)], keeps_id=keeps_id)
    of = {row.source_id: row.account_id for row in rows(engine, t.records)}
    keeping, leaving = (okta, hr) if keeps_id == "this" else (hr, okta)
    assert (of[keeping.id], of[leaving.id]) == (one, done.new.id)
    names = {row.id: row.attributes["givenName"] for row in rows(engine, t.accounts)}
    assert names == {of[okta.id]: "Ada", of[hr.id]: "Bo"}
    agreement.check(engine, tenant.id)


def test_what_a_record_said_goes_with_it(engine, tenant, okta, hr, one) -> None:
    done = parted(engine, tenant, one, [record(engine, hr)])
    assert (done.account.attributes["title"], done.new.attributes["title"]) == ("Coder", "Engineer")
    assert "employeeNumber" not in done.account.attributes
    assert done.new.attributes["employeeNumber"] == "E1"


def test_the_address_that_both_have_tells_nobody_any_more(engine, tenant, okta, entra, hr, one) -> None:
    done = parted(engine, tenant, one, [record(engine, hr)])
    [shared] = rows(engine, t.identifiers, t.identifiers.c.namespace == "email")
    assert sorted(shared.holders) == sorted([one, done.new.id])
    assert write(engine, entra, scim(entra, "x", **{WORK: "desk@x.org"})).rule == "new"


def test_who_was_told_apart_is_not_joined_when_one_of_them_is_forgotten(engine, tenant, okta, hr, entra, one) -> None:
    new = parted(engine, tenant, one, [record(engine, hr)]).new.id
    write(engine, hr, hris(hr, "E1", active=False, **{WORK: "desk@x.org"}))
    with writing(engine) as conn:
        conn.execute(
            sa.update(t.accounts).where(t.accounts.c.id == new).values(inactive_since=datetime(2020, 1, 1, tzinfo=UTC))
        )
        conn.execute(sa.insert(t.domains).values(tenant_id=tenant.id, domain="x.org", source_id=entra.id))
        conn.execute(sa.update(t.tenants).values(revision=t.tenants.c.revision + 1))
    came = write(engine, entra, scim(entra, "desk", **{WORK: "desk@x.org"}))
    assert came.after.id not in (one, new)
    assert set(came.doubtful) == {one, new}
    with writing(engine) as conn:
        conn.execute(sa.delete(t.apart))
    again = write(engine, entra, scim(entra, "desk2", **{WORK: "desk@x.org"}))
    assert new not in again.doubtful


def test_the_two_are_told_apart_and_so_is_who_was_from_the_one(engine, tenant, okta, hr, one) -> None:
    third = write(engine, okta, scim(okta, "cy")).after.id
    with writing(engine) as conn:
        apart.tell(conn, tenant.id, one, third, "admin")
    new = parted(engine, tenant, one, [record(engine, hr)]).new.id
    with reading(engine) as conn:
        pairs = apart.among(conn, tenant.id, [one, new, third])
    assert pairs == {apart.pair(one, new), apart.pair(one, third), apart.pair(new, third)}


def test_the_world_is_told(engine, tenant, hr, one) -> None:
    before = len(rows(engine, t.events))
    new = parted(engine, tenant, one, [record(engine, hr)], reason="two desks").new.id
    told = sorted(rows(engine, t.events), key=lambda row: row.number)[before:]
    assert [(row.type, row.account_id) for row in told] == [
        ("account.split", one),
        ("account.updated", one),
        ("account.created", new),
    ]
    assert told[0].data["into"] == new
    [entry] = rows(engine, t.audit, t.audit.c.action == "account.split")
    assert (entry.subject, entry.facts["new"], entry.personal["note"]) == (one, new, "two desks")


def test_a_split_that_changes_nothing_of_the_one_still_raises_its_version(engine, tenant, okta, one) -> None:
    other = write(engine, okta, scim(okta, "quiet")).after.id
    merge(engine, tenant.id, one, other, actor="admin")
    [alias] = came_with(engine, tenant.id, one)
    before = account(engine, tenant.id, one)
    assert before is not None
    done = parted(engine, tenant, one, list(alias.records))
    assert done.account.attributes == before.attributes
    agreement.check(engine, tenant.id)


def test_a_merge_is_taken_back_and_its_alias_follows(engine, tenant, okta, hr) -> None:
    keep = write(engine, okta, scim(okta, "ada", title="Coder")).after.id
    away = write(engine, hr, hris(hr, "E1", title="Engineer"))
    merge(engine, tenant.id, keep, away.after.id, actor="admin")
    [alias] = came_with(engine, tenant.id, keep)
    assert alias.records == (away.record_id,)
    done = parted(engine, tenant, keep, list(alias.records))
    assert done.aliases == (away.after.id,)
    with reading(engine) as conn:
        assert aliases.resolve(conn, tenant.id, away.after.id) == done.new.id
    assert done.new.attributes == away.after.attributes
    assert came_with(engine, tenant.id, keep) == []
    agreement.check(engine, tenant.id)


def test_what_was_set_by_hand_stays_with_the_id_and_a_suspension_with_both(engine, tenant, hr, one) -> None:
    by_hand(engine, tenant.id, one, values={"nickName": "Desk"}, given=["instructor"], suspended=True)
    done = parted(engine, tenant, one, [record(engine, hr)])
    assert (done.account.attributes["nickName"], "nickName" in done.new.attributes) == ("Desk", False)
    assert ([grant.role for grant in done.account.grants], done.new.grants) == (["instructor"], ())
    assert (done.account.suspended, done.new.suspended) == (True, True)
    agreement.check(engine, tenant.id)


def test_who_named_one_of_the_two_is_led_by_that_one(engine, tenant, okta, hr, one) -> None:
    led = write(engine, hr, hris(hr, "E2", manager="E1")).after
    assert led.manager_id == one
    new = parted(engine, tenant, one, [record(engine, hr)]).new.id
    found = account(engine, tenant.id, led.id)
    assert found is not None
    assert found.manager_id == new
    agreement.check(engine, tenant.id)


def test_the_preview_is_what_is_done(engine, tenant, hr, one) -> None:
    map_title(engine, tenant.id, "Engineer", "instructor")
    provision(engine, tenant.id, [Rederive(one)], actor="test")
    shown = preview_split(engine, tenant.id, one, [record(engine, hr)])
    assert len(rows(engine, t.accounts)) == 1
    assert (shown.before.roles, shown.stays.roles, shown.leaves.roles) == (("instructor",), (), ("instructor",))
    done = parted(engine, tenant, one, [record(engine, hr)])
    assert (done.account.attributes, done.new.attributes) == (shown.stays.attributes, shown.leaves.attributes)


def test_the_last_administrator_stays(engine, tenant, okta, hr, one) -> None:
    map_title(engine, tenant.id, "Engineer", "admin")
    provision(engine, tenant.id, [Rederive(one)], actor="test")
    with pytest.raises(NotMergedError) as unsaid:
        parted(engine, tenant, one, [record(engine, hr)])
    assert unsaid.value.code == "administrator"
    write(engine, hr, hris(hr, "E1", title="Engineer", **{WORK: "desk@x.org"}))
    assert parted(engine, tenant, one, [record(engine, hr)], administrator=True).new.roles == ("admin",)


def test_each_side_needs_a_record_and_strangers_are_none(engine, tenant, okta, hr, one) -> None:
    stranger = write(engine, okta, scim(okta, "cy")).record_id
    both = [record(engine, okta), record(engine, hr)]
    for chosen, code in (([], "side"), (both, "side"), ([stranger], "records"), (["nonsense"], "records")):
        with pytest.raises(NotMergedError) as refused:
            parted(engine, tenant, one, chosen)
        assert refused.value.code == code
    with writing(engine) as conn:
        other = create(conn, "globex")
    with pytest.raises(NotFoundError):
        split(engine, other.id, one, [record(engine, hr)], actor="admin")
