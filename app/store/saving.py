"""Saving a decision: two statements, whatever its size.

    1  records, identifiers, manager keys, grants, doubts, memberships of the deleted and of logins
    2  the ledger row, and numbered by it: accounts, events, audit entries; COMMIT follows at once

Whoever turns inactive is signed out everywhere in that same statement, and stays so when they come back.

Each table's rows travel as one JSON parameter, so that one row and five hundred are the same statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.identity.decide import Decision, Kept, named_by
from app.identity.events import Event
from app.identity.managers import Managers
from app.identity.model import Account, Grant
from app.identity.naming import sorted_by
from app.identity.writes import Spoken
from app.store import audit
from app.store.driver import Statement
from app.store.voices import encode

# What is saved without a number, by the parameter that holds its rows. Only what a decision has is sent: each part
# costs the server its start, rows or not, and most writes change a record and nothing beside it.
_PARTS: Final = {
    "records": """
        INSERT INTO records (tenant_id, id, source_id, source_key, user_name, account_id, active, document, search,
            voice, version, created_at, updated_at, deleted_at, due_at)
        SELECT :tenant, r.* FROM jsonb_to_recordset(:records) AS r(id uuid, source_id uuid, source_key text,
            user_name text, account_id uuid, active bool, document json, search jsonb, voice jsonb, version bigint,
            created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, due_at timestamptz)
        ON CONFLICT (tenant_id, id) DO UPDATE SET user_name = excluded.user_name, account_id = excluded.account_id,
            active = excluded.active, document = excluded.document, search = excluded.search, voice = excluded.voice,
            version = excluded.version, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at,
            due_at = excluded.due_at""",
    "identifiers": """
        UPDATE identifiers i SET holders = k.holders
        FROM jsonb_to_recordset(:identifiers)
            AS k(namespace text, affiliation text, value text, holders uuid[])
        WHERE i.tenant_id = :tenant AND i.namespace = k.namespace COLLATE "C" AND i.value = k.value COLLATE "C"
            AND i.affiliation = k.affiliation""",
    "deleted": """
        UPDATE groups SET version = version + 1, updated_at = :now WHERE tenant_id = :tenant AND id IN (
            SELECT group_id FROM left_groups)""",
    "unnamed": """
        DELETE FROM manager_keys m USING jsonb_to_recordset(:unnamed)
            AS k(namespace text, value text, account_id uuid)
        WHERE m.tenant_id = :tenant AND m.namespace = k.namespace COLLATE "C" AND m.value = k.value COLLATE "C"
            AND m.account_id = k.account_id""",
    "named": """
        INSERT INTO manager_keys (tenant_id, namespace, value, account_id, resolved)
        SELECT :tenant, k.* FROM jsonb_to_recordset(:named)
            AS k(namespace text, value text, account_id uuid, resolved bool)
        ON CONFLICT (tenant_id, namespace, value, account_id) DO UPDATE SET resolved = excluded.resolved
            WHERE manager_keys.resolved <> excluded.resolved""",
    "lost": """
        DELETE FROM grants g USING jsonb_to_recordset(:lost)
            AS k(account_id uuid, role text, scope text, rule text)
        WHERE g.tenant_id = :tenant AND g.account_id = k.account_id AND g.role = k.role AND g.scope = k.scope
            AND g.rule = k.rule""",
    "granted": """
        INSERT INTO grants (tenant_id, account_id, role, scope, rule, effective, since)
        SELECT :tenant, k.*, :now FROM jsonb_to_recordset(:granted)
            AS k(account_id uuid, role text, scope text, rule text, effective bool)
        ON CONFLICT (tenant_id, account_id, role, scope, rule) DO UPDATE SET effective = excluded.effective""",
    "joined": """
        INSERT INTO members (tenant_id, group_id, member_id, kind)
        SELECT :tenant, m.group_id, m.member_id, 'User'
        FROM jsonb_to_recordset(:joined) AS m(group_id uuid, member_id uuid)
        ON CONFLICT DO NOTHING""",
    "parted": """
        DELETE FROM members m USING jsonb_to_recordset(:parted) AS k(group_id uuid, member_id uuid)
        WHERE m.tenant_id = :tenant AND m.group_id = k.group_id AND m.member_id = k.member_id""",
    "doubts": """
        INSERT INTO duplicates (tenant_id, id, record_id, account_id, candidates, reason)
        SELECT :tenant, d.* FROM jsonb_to_recordset(:doubts)
            AS d(id uuid, record_id uuid, account_id uuid, candidates jsonb, reason text)""",
}
_LEFT_GROUPS: Final = """left_groups AS (
        DELETE FROM members WHERE tenant_id = :tenant AND member_id = ANY(CAST(:deleted AS uuid[]))
        RETURNING group_id)"""
_WAITING: Final = """
    SELECT DISTINCT w.account_id FROM jsonb_to_recordset(:called) AS k(namespace text, value text)
    CROSS JOIN LATERAL (
        SELECT account_id FROM manager_keys WHERE tenant_id = :tenant AND namespace = k.namespace COLLATE "C"
            AND value = k.value COLLATE "C" AND NOT resolved OFFSET 0) w"""


@cache
def _people(parts: tuple[str, ...], called: bool) -> Statement:
    """One statement of these parts, in their order; `called` asks who waited for a manager besides."""
    steps = [f"{part}_saved AS ({_PARTS[part]}\n    )" for part in parts]
    if "deleted" in parts:
        steps.insert(0, _LEFT_GROUPS)
    found = _WAITING if called else "SELECT CAST(NULL AS uuid) AS account_id WHERE false"
    text = sa.text(f"WITH {', '.join(steps)} {found}" if steps else found)
    json = [part for part in (*parts, *(["called"] if called else ())) if part != "deleted"]
    return Statement(text.bindparams(*(sa.bindparam(name, type_=JSONB) for name in json)))


_LEDGER = Statement(
    sa.text("""
    WITH l AS (
        UPDATE ledger SET
            next_event = next_event + jsonb_array_length(:events),
            next_audit = next_audit + jsonb_array_length(:entries),
            audit_hash = CASE WHEN jsonb_array_length(:entries) > 0
                THEN sha256(audit_hash || CAST(:link AS bytea)) ELSE audit_hash END,
            counts = counts || (
                SELECT COALESCE(
                    jsonb_object_agg(d.key, COALESCE((counts ->> d.key)::bigint, 0) + d.value::bigint), '{}')
                FROM jsonb_each_text(:counts) d)
        WHERE tenant_id = :tenant
        RETURNING next_event - jsonb_array_length(:events) AS first_event,
            next_audit - jsonb_array_length(:entries) AS first_entry, audit_hash
    ), people AS (
        INSERT INTO accounts (tenant_id, id, status, affiliation, suspended, name, family_name, attributes, lineage,
            manual, grants, roles, manager_id, managers, inactive_since, version, revision, created_at, updated_at)
        SELECT :tenant, a.id, a.status, a.affiliation, a.suspended, a.name, a.family_name, a.attributes, a.lineage,
            a.manual, a.grants, a.roles, a.manager_id, a.managers, a.inactive_since,
            COALESCE(l.first_event + a.last_event, a.version), a.revision, :now, :now
        FROM l, jsonb_to_recordset(:accounts) AS a(id uuid, status text, affiliation text, suspended bool,
            name text, family_name text, attributes jsonb, lineage jsonb, manual jsonb, grants jsonb, roles text[],
            manager_id uuid, managers jsonb, inactive_since timestamptz, version bigint, revision bigint,
            last_event bigint)
        ON CONFLICT (tenant_id, id) DO UPDATE SET status = excluded.status, affiliation = excluded.affiliation,
            suspended = excluded.suspended, name = excluded.name, family_name = excluded.family_name,
            attributes = excluded.attributes, lineage = excluded.lineage,
            manual = excluded.manual, grants = excluded.grants, roles = excluded.roles,
            manager_id = excluded.manager_id, managers = excluded.managers, inactive_since = excluded.inactive_since,
            version = excluded.version, revision = excluded.revision, updated_at = excluded.updated_at,
            signed_out_at = CASE WHEN accounts.status = 'active' AND excluded.status = 'inactive'
                THEN clock_timestamp() ELSE accounts.signed_out_at END
    ), told AS (
        INSERT INTO events (tenant_id, number, type, account_id, at, data)
        SELECT :tenant, l.first_event + e.position, e.type, e.account_id, :now, e.data
        FROM l, jsonb_to_recordset(:events) AS e(position bigint, type text, account_id uuid, data jsonb)
    )
    INSERT INTO audit (tenant_id, number, at, actor, action, subject, facts, personal, salt, digest, hash)
    SELECT :tenant, l.first_entry + e.position, :now, e.actor, e.action, e.subject, e.facts, e.personal,
        decode(e.salt, 'hex'), decode(e.digest, 'hex'),
        CASE WHEN e.position = jsonb_array_length(:entries) - 1 THEN l.audit_hash END
    FROM l, jsonb_to_recordset(:entries) AS e(position bigint, actor text, action text, subject text, facts jsonb,
        personal jsonb, salt text, digest text)
""").bindparams(*(sa.bindparam(name, type_=JSONB) for name in ("events", "entries", "counts", "accounts")))
)


@dataclass(slots=True)
class Telling:
    """What goes into the ledger with a decision. `counts` are differences of live resources by ledger key."""

    events: list[Event]
    entries: list[audit.Entry]
    counts: dict[str, int]


def save_people(conn: sa.Connection, tenant: str, decision: Decision, new_id: Any, now: datetime) -> list[str]:
    """The first statement: everything that needs no number.

    Returns the accounts of those who named a manager whom nobody knew until now.
    """
    named, unnamed, granted, lost = [], [], [], []
    joined, parted = [], []
    for account_id, (before, derived) in decision.accounts.items():
        old = {} if before is None else {grant.key: grant for grant in before.grants}
        new = {grant.key: grant for grant in derived.account.grants}
        granted += [_grant(account_id, grant) for key, grant in new.items() if old.get(key) != grant]
        lost += [_grant(account_id, grant) for key, grant in old.items() if key not in new]
        named += _named(account_id, derived.managers)
    now_named = {(one["namespace"], one["value"], one["account_id"]) for one in named}
    for past, kept in decision.records.values():
        for ref in (past.record.managers or ()) if past else ():
            for namespace, value in ref.keys:
                if (namespace, value, kept.record.account_id) not in now_named:
                    unnamed.append({"namespace": namespace, "value": value, "account_id": kept.record.account_id})
        if not kept.record.deleted:  # only a login's groups come with its record
            before_groups = past.record.groups if past else frozenset()
            joined += _memberships(kept, kept.record.groups - before_groups)
            parted += _memberships(kept, before_groups - kept.record.groups)
    rows: dict[str, list[Any]] = {
        "records": [_record(kept) for _, kept in decision.records.values()],
        "identifiers": [
            {"namespace": key[0], "affiliation": key[1], "value": key[2], "holders": list(holders)}
            for key, holders in decision.holders.items()
        ],
        "deleted": [kept.record.id for _, kept in decision.records.values() if kept.record.deleted],
        "named": named,
        "unnamed": unnamed,
        "granted": granted,
        "lost": lost,
        "joined": joined,
        "parted": parted,
        "doubts": [
            {
                "id": new_id(),
                "record_id": doubt.record_id,
                "account_id": doubt.account_id,
                "candidates": list(doubt.candidates),
                "reason": doubt.reason,
            }
            for doubt in decision.doubts
        ],
        "called": _called(decision),
    }
    statement = _people(tuple(part for part in _PARTS if rows[part]), bool(rows["called"]))
    waiting = statement.rows(conn, {"tenant": tenant, "now": now, **rows})
    return [row.account_id for row in waiting]


def save_ledger(
    conn: sa.Connection, tenant: str, accounts: Sequence[Account], telling: Telling, revision: int, now: datetime
) -> None:
    """The last statement before COMMIT: it holds the tenant's ledger row from here to there."""
    entries = [audit.sealed(entry, now) for entry in telling.entries]
    last_event = {event.account_id: place for place, event in enumerate(telling.events)}
    _LEDGER.rows(
        conn,
        {
            "tenant": tenant,
            "now": now,
            "link": audit.link(entries),
            "counts": telling.counts,
            "accounts": [_account(one, last_event.get(one.id), revision) for one in accounts],
            "events": [
                {"position": place, "type": event.type, "account_id": event.account_id, "data": event.data}
                for place, event in enumerate(telling.events)
            ],
            "entries": [{"position": place, **entry} for place, entry in enumerate(entries)],
        },
    )


def _called(decision: Decision) -> list[dict[str, str]]:
    """The keys by which somebody can be named as a manager from now on."""
    keys = {
        key
        for past, kept in decision.records.values()
        for key in named_by(kept) - (named_by(past) if past else frozenset())
    }
    return [{"namespace": namespace, "value": value} for namespace, value in sorted(keys)]


def _memberships(kept: Kept, groups: frozenset[str]) -> list[dict[str, str]]:
    return [{"group_id": group, "member_id": kept.record.id} for group in sorted(groups)]


def _record(kept: Kept) -> dict[str, Any]:
    record = kept.record
    voice = encode(
        Spoken(
            active=record.active,
            values=record.voice,
            managers=record.managers,
            roles=record.roles,
            entitlements=record.entitlements,
            known_as=record.known_as,
            vouched=record.vouched,
        )
    )
    if kept.claimed:
        voice["claims"] = sorted(list(key) for key in kept.claimed)
    return {
        "id": record.id,
        "source_id": record.source_id,
        "source_key": kept.source_key,
        "user_name": kept.user_name,
        "account_id": record.account_id,
        "active": record.active,
        "document": kept.document,
        "search": kept.search or {},
        "voice": voice,
        "version": kept.version,
        "created_at": kept.created_at,
        "updated_at": record.changed_at,
        "deleted_at": record.changed_at if record.deleted else None,
        "due_at": kept.due_at,
    }


def _account(account: Account, last_event: int | None, revision: int) -> dict[str, Any]:
    name, family_name = sorted_by(account.attributes)
    return {
        "id": account.id,
        "status": account.status,
        "affiliation": account.affiliation,
        "suspended": account.suspended,
        "name": name,
        "family_name": family_name,
        "attributes": account.attributes,
        "lineage": {
            name: {"source": one.source_id, "record": one.record_id, "rule": one.rule, "at": one.at}
            for name, one in account.lineage.items()
        },
        "manual": account.manual,
        "grants": [
            {"role": one.role, "scope": one.scope, "rule": one.rule, "effective": one.effective}
            for one in account.grants
        ],
        "roles": list(account.roles),
        "manager_id": account.manager_id,
        "managers": account.managers,
        "inactive_since": account.inactive_since,
        "version": account.version,
        "revision": revision,
        "last_event": last_event,
    }


def _grant(account_id: str, grant: Grant) -> Mapping[str, Any]:
    return {
        "account_id": account_id,
        "role": grant.role,
        "scope": grant.scope,
        "rule": grant.rule,
        "effective": grant.effective,
    }


def _named(account_id: str, managers: Managers) -> list[dict[str, Any]]:
    return [
        {"namespace": namespace, "value": value, "account_id": account_id, "resolved": resolved}
        for namespace, value, resolved in managers.named
    ]
