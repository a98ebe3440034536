"""The write door on the real database: one test a promise."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app import provisioning
from app.identity.derive import derive
from app.identity.model import EMPTY, ManagerRef
from app.identity.writes import (
    BusyError,
    Outcome,
    RecordDelete,
    RecordGoneError,
    RecordWrite,
    Rederive,
    Spoken,
    UserNameTakenError,
    VersionConflictError,
)
from app.provisioning import CHUNK, provision
from app.store import audit, people, rules
from app.store import tables as t
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant, create_source
from tests.databases import statements


def idp(source: SourceRow, name: str, *, id: str | None = None, active: bool = True, **values: Any) -> RecordWrite:
    expected = values.pop("expected", None)
    said = {"userName": name, "emails.work": name, **values}
    return RecordWrite(
        source.id, Spoken(active, said), {"said": _plain(said)}, record_id=id, user_name=name, expected_version=expected
    )


def hris(source: SourceRow, key: str, *, active: bool = True, managers: Any = None, **values: Any) -> RecordWrite:
    refs = (
        None
        if managers is None
        else tuple(ManagerRef(((f"employee:{source.employee_namespace}", one.lower()),)) for one in managers)
    )
    document = {"id": key, "active": active, "said": _plain(values), "managers": managers}
    return RecordWrite(source.id, Spoken(active, values, refs), document, source_key=key)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is EMPTY else value for name, value in values.items()}


def one(engine: sa.Engine, tenant: Tenant, write: Any, **options: Any) -> Outcome:
    [outcome] = provision(engine, tenant.id, [write], actor="test", **options)
    return outcome


def rows(engine: sa.Engine, table: sa.Table, *where: Any) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(sa.select(table).where(*where).order_by(list(table.primary_key)[-1])))


def test_hr_finds_the_person_that_scim_made(engine, tenant, okta, hr) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org", title="Coder"))
    found = one(engine, tenant, hris(hr, "1", employeeNumber="E1", title="Engineer", **{"emails.work": "Ada@X.org"}))
    assert (made.rule, found.rule) == ("new", "verified e-mail")
    assert found.after.id == made.after.id
    assert found.after.attributes["title"] == "Engineer"
    assert found.after.attributes["userName"] == "ada@x.org"
    assert found.after.lineage["title"].source_id == hr.id


def test_an_idps_write_does_not_wipe_what_hr_said(engine, tenant, okta, hr) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org", title="Coder"))
    one(engine, tenant, hris(hr, "1", title="Engineer", **{"emails.work": "ada@x.org"}))
    again = one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id))
    assert again.after.attributes["title"] == "Engineer"


def test_a_termination_in_hr_deactivates_though_the_idp_says_active(engine, tenant, okta, hr) -> None:
    one(engine, tenant, idp(okta, "ada@x.org"))
    one(engine, tenant, hris(hr, "1", **{"emails.work": "ada@x.org"}))
    gone = one(engine, tenant, hris(hr, "1", active=False, **{"emails.work": "ada@x.org"}))
    assert gone.after.status == "inactive"
    assert [row.type for row in rows(engine, t.events)][-1] == "account.deactivated"


def test_repeating_oneself_changes_nothing(engine, tenant, okta) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    events = len(rows(engine, t.events))
    again = one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id))
    assert not again.changed
    assert again.version == made.version
    assert len(rows(engine, t.events)) == events


def test_user_names_are_unique_in_a_source_whatever_their_case(engine, tenant, okta, entra) -> None:
    one(engine, tenant, idp(okta, "ada@x.org"))
    with pytest.raises(UserNameTakenError):
        one(engine, tenant, idp(okta, "ADA@x.org"))
    assert one(engine, tenant, idp(entra, "ada@x.org")).record_id


def test_a_refused_write_refuses_its_chunk(engine, tenant, okta) -> None:
    with pytest.raises(UserNameTakenError):
        provision(engine, tenant.id, [idp(okta, "a@x.org"), idp(okta, "A@x.org")], actor="test")
    assert rows(engine, t.records) == []
    assert rows(engine, t.events) == []
    assert rows(engine, t.audit) == []


def test_a_write_over_a_newer_version_is_refused(engine, tenant, okta) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id, title="X"))
    with pytest.raises(VersionConflictError):
        one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id, title="Y", expected=1))


def test_a_deleted_record_leaves_a_tombstone_and_an_account(engine, tenant, okta) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    gone = one(engine, tenant, RecordDelete(okta.id, made.record_id or ""))
    assert gone.after.status == "inactive"
    assert gone.after.id == made.after.id
    with pytest.raises(RecordGoneError):
        one(engine, tenant, RecordDelete(okta.id, made.record_id or ""))
    again = one(engine, tenant, idp(okta, "ada@x.org"))
    assert again.record_id != made.record_id


def test_another_tenants_record_is_nobodys(engine, tenant, okta) -> None:
    from app.store.tenants import create

    with writing(engine) as conn:
        other = create(conn, "other")
        source = create_source(conn, other.id, "okta", kind="idp", system="okta")
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    with pytest.raises(RecordGoneError):
        one(engine, other, idp(source, "ada@x.org", id=made.record_id))
    assert one(engine, other, idp(source, "ada@x.org")).rule == "new"


def test_two_employments_of_one_person_in_one_chunk_meet(engine, tenant, hr) -> None:
    first, second = provision(
        engine, tenant.id, [hris(hr, "1", employeeNumber="E1"), hris(hr, "2", employeeNumber="e1")], actor="test"
    )
    assert first.after.id == second.after.id


def test_a_manager_who_comes_later_is_found(engine, tenant, hr) -> None:
    report = one(engine, tenant, hris(hr, "1", employeeNumber="E1", managers=["E2"]))
    assert report.after.manager_id is None
    boss = one(engine, tenant, hris(hr, "2", employeeNumber="E2"))
    [row] = rows(engine, t.accounts, t.accounts.c.id == report.after.id)
    assert str(row.manager_id) == boss.after.id


def test_nobody_leads_his_own_superior(engine, tenant, hr) -> None:
    provision(
        engine,
        tenant.id,
        [hris(hr, "1", employeeNumber="E1", managers=["E2"]), hris(hr, "2", employeeNumber="E2", managers=["E1"])],
        actor="test",
    )
    leaders = [row.manager_id for row in rows(engine, t.accounts)]
    assert leaders.count(None) == 1


def test_one_record_and_five_hundred_take_the_same_statements(engine, tenant, okta, hr) -> None:
    one(engine, tenant, idp(okta, "warm@x.org"))
    new, met = [], []
    for size in (1, CHUNK):
        names = [f"p{size}-{n}" for n in range(size)]
        with statements() as seen:
            provision(engine, tenant.id, [idp(okta, f"{name}@x.org") for name in names], actor="test")
        new.append(len(seen))
        writes = [
            hris(hr, name, employeeNumber=name, managers=[f"boss of {name}"], **{"emails.work": f"{name}@x.org"})
            for name in names
        ]
        with statements() as seen:
            provision(engine, tenant.id, writes, actor="test")
        met.append(len(seen))
    assert new == [4, 4]
    assert met[0] == met[1] <= 10


def test_a_refused_follow_up_does_not_refuse_what_is_committed(engine, tenant, hr, monkeypatch) -> None:
    """The report is held by somebody else while his manager comes: the manager's write was done all the same."""
    report = one(engine, tenant, hris(hr, "1", employeeNumber="E1", managers=["E2"]))
    whole = provisioning.provision

    def refusing(engine, tenant_id, writes, **options):
        if any(isinstance(write, Rederive) for write in writes):
            raise BusyError
        return whole(engine, tenant_id, writes, **options)

    monkeypatch.setattr(provisioning, "provision", refusing)
    [boss] = refusing(engine, tenant.id, [hris(hr, "2", employeeNumber="E2")], actor="test")
    assert boss.record_id
    [row] = rows(engine, t.accounts, t.accounts.c.id == report.after.id)
    assert row.manager_id is None


def test_a_dry_run_foretells_the_run_and_changes_nothing(engine, tenant, okta, hr) -> None:
    one(engine, tenant, idp(okta, "ada@x.org"))
    now = datetime.now(UTC)
    write = hris(hr, "1", title="Engineer", **{"emails.work": "ada@x.org"})
    told = one(engine, tenant, write, dry_run=True, now=now)
    assert len(rows(engine, t.records)) == 1
    done = one(engine, tenant, write, now=now)
    assert told.after.attributes == done.after.attributes
    assert told.rule == done.rule


def test_the_audit_chain_verifies_and_shows_tampering(engine, tenant, okta) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id, title="X"))
    with engine.connect() as conn:
        assert audit.verify(conn, tenant.id) == (4, None)
    with writing(engine) as conn:
        conn.execute(sa.update(t.audit).where(t.audit.c.number == 2).values(actor="somebody"))
    with engine.connect() as conn:
        assert audit.verify(conn, tenant.id) == (2, "entry 2 was changed")


def test_events_are_numbered_without_a_gap_beside_eight_writers(engine, tenant, okta) -> None:
    def write(worker: int) -> None:
        for n in range(10):
            one(engine, tenant, idp(okta, f"w{worker}-{n}@x.org"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert sorted(row.number for row in rows(engine, t.events)) == list(range(1, 81))
    [ledger] = rows(engine, t.ledger)
    assert ledger.counts == {f"{okta.id}/User": 80}


def test_two_sources_at_once_make_one_account(engine, tenant, okta, entra, hr) -> None:
    """Both claim the same number: the identifier's row makes one wait for the other."""
    for n in range(15):
        gate = threading.Barrier(2)

        def say(source: SourceRow, n: int = n, gate: threading.Barrier = gate) -> None:
            gate.wait()
            one(engine, tenant, idp(source, f"p{n}@x.org", employeeNumber=f"E{n}"))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(say, (okta, entra)))
    assert len(rows(engine, t.accounts)) == 15
    assert len(rows(engine, t.records)) == 30


def test_two_voices_at_once_end_as_a_fresh_merge(engine, tenant, okta, hr) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    one(engine, tenant, hris(hr, "1", **{"emails.work": "ada@x.org"}))

    def speak(who: str) -> None:
        for n in range(40):
            if who == "idp":
                one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id, nickName=f"n{n}"))
            else:
                one(engine, tenant, hris(hr, "1", title=f"t{n}", **{"emails.work": "ada@x.org"}))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(speak, ("idp", "hr")))
    with engine.connect() as conn:
        account = people.accounts(conn, tenant.id, [made.after.id], lock=False)[made.after.id]
        kept = [one.record for one in people.records_of(conn, tenant.id, [made.after.id])]
        fresh = derive(account, account.id, kept, {}, {}, rules.current(conn, tenant.id), datetime.now(UTC)).account
    assert account.attributes == fresh.attributes
    assert (account.attributes["nickName"], account.attributes["title"]) == ("n39", "t39")
