"""What must be true of a tenant whatever happened: records, accounts, roles, events and audit tell one story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.identity.changes import effective_roles
from app.identity.derive import derive
from app.identity.model import Account, Rules, Status
from app.identity.roles import HAND
from app.store import audit, people
from app.store import rules as rulebook
from app.store import tables as t
from app.store.engine import reading

FIRST: Final = "account.created"
MERGED: Final = "account.merged"


def check(engine: sa.Engine, tenant_id: str) -> None:
    """Everything below, over all people of the tenant."""
    with reading(engine) as conn:
        ledger = conn.execute(sa.select(t.ledger).where(t.ledger.c.tenant_id == tenant_id)).one()
        rules = rulebook.current(conn, tenant_id)
        accounts = people.accounts(conn, tenant_id, _account_ids(conn, tenant_id), lock=False)
        told = _events(conn, tenant_id)
        _records_have_accounts(conn, tenant_id, accounts)
        _counts_are_right(conn, tenant_id, ledger.counts)
        _grants_are_the_accounts(conn, tenant_id, accounts)
        _holders_claim(conn, tenant_id)
        _aliases_lead_to_the_living(conn, tenant_id, accounts)
        for account in accounts.values():
            _is_fresh_merge(conn, tenant_id, account, rules)
        assert [event.number for event in told] == list(range(1, ledger.next_event))
        _events_tell_the_accounts(told, accounts)
        checked, wrong = audit.verify(conn, tenant_id)
        assert (checked, wrong) == (ledger.next_audit - 1, None)


def accounts_by_name(engine: sa.Engine, tenant_id: str) -> dict[str, Account]:
    """userName -> account, as its readers see it."""
    with reading(engine) as conn:
        found = people.accounts(conn, tenant_id, _account_ids(conn, tenant_id), lock=False)
    return {account.attributes["userName"]: account for account in found.values()}


def count_accounts(engine: sa.Engine, tenant_id: str) -> int:
    """How many there are, with or without a name."""
    with reading(engine) as conn:
        return len(_account_ids(conn, tenant_id))


def audited(engine: sa.Engine, tenant_id: str, action: str) -> int:
    """How many audit entries tell of such an act."""
    mine = (t.audit.c.tenant_id == tenant_id, t.audit.c.action == action)
    with reading(engine) as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(t.audit).where(*mine)).scalar_one())


def _is_fresh_merge(conn: sa.Connection, tenant_id: str, account: Account, rules: Rules) -> None:
    """Who is derived from the records, and from what was said by hand, comes out the same; the manager is looked up."""
    records = [kept.record for kept in people.records_of(conn, tenant_id, [account.id])]
    assert records, f"{account.id} has no record"
    by_hand = tuple(grant for grant in account.grants if grant.rule == HAND)
    said = Account(account.id, Status.INACTIVE, manual=account.manual, suspended=account.suspended, grants=by_hand)
    fresh = derive(said, account.id, records, {}, {}, rules, datetime.now(UTC)).account
    assert _own(fresh.attributes) == _own(account.attributes)
    assert (fresh.status, fresh.affiliation, fresh.roles) == (account.status, account.affiliation, account.roles)
    assert sorted(one.key for one in fresh.grants) == sorted(one.key for one in account.grants)
    assert {name: (one.source_id, one.record_id, one.rule) for name, one in _own(fresh.lineage).items()} == {
        name: (one.source_id, one.record_id, one.rule) for name, one in _own(account.lineage).items()
    }


def _own(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name != "manager"}


def _events_tell_the_accounts(told: Sequence[Any], accounts: dict[str, Account]) -> None:
    """Who replays the events knows each account as it is: its attributes, status, roles and version."""
    seen: dict[str, dict[str, Any]] = {}
    version: dict[str, int] = {}
    for event in told:
        if event.type == MERGED:
            assert event.data["into"] != event.account_id
            gone = seen.pop(event.account_id)
            assert {name: gone.get(name) for name in event.data["before"]} == event.data["before"]
            del version[event.account_id]
            continue
        assert (event.type == FIRST) == (event.account_id not in seen), "created once, and first"
        known = seen.setdefault(event.account_id, {})
        assert {name: known.get(name) for name in event.data["before"]} == event.data["before"]
        known.update(event.data["after"])
        version[event.account_id] = event.number
    assert version == {account.id: account.version for account in accounts.values()}
    for account in accounts.values():
        known = {name: value for name, value in seen[account.id].items() if value is not None}
        managers = {kind: list(ids) for kind, ids in account.managers.items()}
        whole = {
            **account.attributes,
            **({"managers": managers} if managers else {}),
            "affiliation": str(account.affiliation),
            "status": str(account.status),
            **({"roles": roles} if (roles := effective_roles(account.grants)) else {}),
        }
        assert known == whole


def _holders_claim(conn: sa.Connection, tenant_id: str) -> None:
    """Whoever holds an identifier has a record that claims it, and the other way round."""
    records = conn.execute(sa.select(t.records).where(t.records.c.tenant_id == tenant_id))
    claimed = {(*key, row.account_id) for row in records for key in row.voice.get("claims", ())}
    rows = conn.execute(sa.select(t.identifiers).where(t.identifiers.c.tenant_id == tenant_id))
    held = {(row.namespace, row.affiliation, row.value, one) for row in rows for one in row.holders}
    assert held == claimed


def _aliases_lead_to_the_living(conn: sa.Connection, tenant_id: str, accounts: dict[str, Account]) -> None:
    rows = conn.execute(sa.select(t.aliases).where(t.aliases.c.tenant_id == tenant_id)).all()
    assert {row.account_id for row in rows} <= set(accounts)
    assert not {row.id for row in rows} & set(accounts)


def _records_have_accounts(conn: sa.Connection, tenant_id: str, accounts: dict[str, Account]) -> None:
    pointed_at = conn.execute(sa.select(t.records.c.account_id).where(t.records.c.tenant_id == tenant_id)).scalars()
    assert set(pointed_at) == set(accounts)


def _counts_are_right(conn: sa.Connection, tenant_id: str, counts: dict[str, int]) -> None:
    counted: dict[str, int] = {}
    for kind, table in (("User", t.records), ("Group", t.groups)):
        living = sa.select(table.c.source_id, sa.func.count().label("number")).group_by(table.c.source_id)
        for row in conn.execute(living.where(table.c.tenant_id == tenant_id, table.c.deleted_at.is_(None))):
            counted[f"{row.source_id}/{kind}"] = row.number
    assert {key: number for key, number in counts.items() if number} == counted


def _grants_are_the_accounts(conn: sa.Connection, tenant_id: str, accounts: dict[str, Account]) -> None:
    rows = conn.execute(sa.select(t.grants).where(t.grants.c.tenant_id == tenant_id))
    stored = sorted((row.account_id, row.role, row.scope, row.rule, row.effective) for row in rows)
    derived = ((one.id, g.role, g.scope, g.rule, g.effective) for one in accounts.values() for g in one.grants)
    assert stored == sorted(derived)


def _account_ids(conn: sa.Connection, tenant_id: str) -> list[str]:
    return list(conn.execute(sa.select(t.accounts.c.id).where(t.accounts.c.tenant_id == tenant_id)).scalars())


def _events(conn: sa.Connection, tenant_id: str) -> Sequence[Any]:
    chosen = sa.select(t.events).where(t.events.c.tenant_id == tenant_id).order_by(t.events.c.number)
    return conn.execute(chosen).all()
