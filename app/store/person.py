"""One account with all that its page shows, in six statements whatever it has: account, records, groups, sessions, what
stands around it, and how its records were matched.

Everything that may be long has a limit, and says when there is more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.identity.decide import Kept
from app.identity.model import Account
from app.identity.naming import name_of
from app.store import people, sessions
from app.store.driver import Statement

MOST_GROUPS: Final = 300  # ways into groups
DEEPEST: Final = 8  # groups in groups
MOST_REPORTS: Final = 20
COUNTED_REPORTS: Final = 1_000
MOST_DOUBTS: Final = 20
MOST_ALIASES: Final = 50
MASK: Final = "***"
_LOOKED_AT: Final = 500  # audit entries, for how records were matched
_SECRET: Final = re.compile(r"passw|passphrase|secret(?!ar)|(?:^|[.:_-])(?:pwd|pin|otp)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Membership:
    """A record in a group: at once, or through `path`, the names of the groups between, the record's own first."""

    record_id: str
    group_id: str
    name: str
    external_id: str | None
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who is mentioned. `title` is None where they have none."""

    id: str
    name: str
    title: str | None = None
    status: str = "active"


@dataclass(frozen=True, slots=True)
class OpenDoubt:
    """An open entry of the duplicates inbox that names the account; `others` are whom it may be."""

    id: str
    record_id: str
    reason: str
    created_at: datetime
    others: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """An account and what stands around it. The documents of `records` are without secrets.

    `leaders` are the managers by id, `since` says when a grant (role, scope, rule) was given. `reports_count` stops at
    `COUNTED_REPORTS`. `aliases` are ids of accounts that were merged into this one. `matched` leads from a record's id
    to the rule by which it was found to be this person's, where that is still known.
    """

    account: Account
    created_at: datetime
    updated_at: datetime
    signed_out_at: datetime | None
    revision: int
    records: tuple[Kept, ...]
    groups: tuple[Membership, ...]
    more_groups: bool
    sessions: tuple[sessions.Listed, ...]
    leaders: Mapping[str, Named]
    reports: tuple[Named, ...]
    reports_count: int
    since: Mapping[tuple[str, str, str], datetime]
    doubts: tuple[OpenDoubt, ...]
    aliases: tuple[str, ...]
    matched: Mapping[str, str]


def person(conn: sa.Connection, tenant_id: str, account_id: str) -> Person:
    """Everything about one account.

    Raises:
        KeyError: the tenant has no such account.
    """
    key = {"tenant": tenant_id, "account": account_id}
    row = _ACCOUNT.row(conn, key)
    if row is None:
        raise KeyError(account_id)
    account = people.account_of(row)
    records = people.records_of(conn, tenant_id, [account_id])
    groups, more_groups = memberships(conn, tenant_id, [kept.record.id for kept in records])
    leaders = {one for ids in account.managers.values() for one in ids} | ({account.manager_id} - {None})
    around = _AROUND.row(conn, {**key, "leaders": sorted(str(one) for one in leaders), "listed": f'["{account_id}"]'})
    assert around is not None
    return Person(
        account=account,
        created_at=row.created_at,
        updated_at=row.updated_at,
        signed_out_at=row.signed_out_at,
        revision=row.revision,
        records=tuple(_seen(kept) for kept in sorted(records, key=_order)),
        groups=groups,
        more_groups=more_groups,
        sessions=tuple(sessions.listing(conn, tenant_id, account_id)),
        leaders={one.id: one for one in map(_named, around.leaders or ())},
        reports=tuple(sorted(map(_named, around.reports or ()), key=lambda one: (one.name, one.id))),
        reports_count=around.reports_count,
        since={tuple(one["key"]): datetime.fromisoformat(one["since"]) for one in around.since or ()},
        doubts=tuple(_doubt(one, account_id) for one in around.doubts or ()),
        aliases=tuple(around.aliases or ()),
        matched={one.record: one.rule for one in _MATCHED.rows(conn, key) if one.record is not None},
    )


def memberships(conn: sa.Connection, tenant_id: str, record_ids: Sequence[str]) -> tuple[tuple[Membership, ...], bool]:
    """The groups of these records, those in which a group of theirs is too; whether there are more than shown."""
    if not record_ids:
        return (), False
    rows = _GROUPS.rows(conn, {"tenant": tenant_id, "records": list(record_ids)})
    names = {row.group_id: row.name for row in rows}
    found = [
        Membership(
            row.record_id,
            row.group_id,
            row.name,
            row.external_id,
            tuple(names.get(one, one) for one in list(row.path)[:-1]),
        )
        for row in rows[:MOST_GROUPS]
    ]
    return tuple(sorted(found, key=lambda one: (one.record_id, len(one.path), one.name))), len(rows) > MOST_GROUPS


def without_secrets(value: Any) -> Any:
    """A document as an administrator may see it: what is called like a secret shows as ``***``."""
    if isinstance(value, Mapping):
        return {key: MASK if _SECRET.search(str(key)) else without_secrets(one) for key, one in value.items()}
    return [without_secrets(one) for one in value] if isinstance(value, list) else value


def _order(kept: Kept) -> tuple[bool, datetime, str]:
    return (kept.record.deleted, kept.created_at, kept.record.id)


def _seen(kept: Kept) -> Kept:
    return replace(kept, document=without_secrets(kept.document))


def is_masked(value: Any) -> bool:
    """Whether something in it was hidden by `without_secrets`, and so is not what it was."""
    if isinstance(value, Mapping):
        return any((_SECRET.search(str(key)) and one == MASK) or is_masked(one) for key, one in value.items())
    return isinstance(value, list) and any(map(is_masked, value))


def _named(said: Mapping[str, Any]) -> Named:
    attributes = said["attributes"]
    return Named(said["id"], name_of(said["id"], attributes), attributes.get("title"), said["status"])


def _doubt(said: Mapping[str, Any], account_id: str) -> OpenDoubt:
    others = tuple(_named(one) for one in said["others"] or () if one["id"] != account_id)
    return OpenDoubt(said["id"], said["record_id"], said["reason"], datetime.fromisoformat(said["created_at"]), others)


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_THIS: Final = "CAST(%(account)s AS uuid)"
_SHORT: Final = "jsonb_build_object('id', a.id, 'status', a.status, 'attributes', a.attributes)"
_ACCOUNT: Final = Statement(f"""
    SELECT id, status, affiliation, suspended, attributes, lineage, manual, grants, manager_id, managers,
        inactive_since, version, created_at, updated_at, signed_out_at, revision
    FROM accounts WHERE {_HERE} AND id = {_THIS}
""")
_GROUPS: Final = Statement(f"""
    WITH RECURSIVE inside (record_id, group_id, path) AS (
        SELECT k.id, m.group_id, ARRAY[m.group_id] FROM unnest(CAST(%(records)s AS uuid[])) AS k(id)
        CROSS JOIN LATERAL (SELECT group_id FROM members WHERE {_HERE} AND member_id = k.id OFFSET 0) m
        UNION ALL
        SELECT i.record_id, m.group_id, i.path || m.group_id FROM inside i
        CROSS JOIN LATERAL (SELECT group_id FROM members WHERE {_HERE} AND member_id = i.group_id OFFSET 0) m
        WHERE cardinality(i.path) < {DEEPEST} AND NOT m.group_id = ANY(i.path)
    )
    SELECT i.record_id, i.group_id, i.path, g.display_name AS name, g.external_id
    FROM (SELECT record_id, group_id, path FROM inside LIMIT {MOST_GROUPS + 1}) i
    CROSS JOIN LATERAL (SELECT display_name, external_id FROM groups WHERE {_HERE} AND id = i.group_id OFFSET 0) g
""")
# Who is named as a candidate is found by the id alone: with the tenant beside it, all open doubts would be gathered.
_AROUND: Final = Statement(f"""
    SELECT
        (SELECT jsonb_agg({_SHORT}) FROM unnest(CAST(%(leaders)s AS uuid[])) AS k(id) CROSS JOIN LATERAL (
            SELECT id, status, attributes FROM accounts WHERE {_HERE} AND id = k.id OFFSET 0) a) AS leaders,
        (SELECT jsonb_agg({_SHORT}) FROM (
            SELECT id, status, attributes FROM accounts WHERE {_HERE} AND manager_id = {_THIS}
            LIMIT {MOST_REPORTS}) a) AS reports,
        (SELECT count(*) FROM (
            SELECT FROM accounts WHERE {_HERE} AND manager_id = {_THIS} LIMIT {COUNTED_REPORTS}) n) AS reports_count,
        (SELECT jsonb_agg(jsonb_build_object('key', jsonb_build_array(role, scope, rule), 'since', since))
            FROM grants WHERE {_HERE} AND account_id = {_THIS}) AS since,
        (SELECT jsonb_agg(id) FROM (
            SELECT id FROM aliases WHERE {_HERE} AND account_id = {_THIS} LIMIT {MOST_ALIASES}) l) AS aliases,
        (SELECT jsonb_agg(jsonb_build_object('id', d.id, 'record_id', d.record_id, 'reason', d.reason,
                'created_at', d.created_at, 'others', (
                SELECT jsonb_agg({_SHORT}) FROM (
                    SELECT d.account_id AS id UNION SELECT CAST(value AS uuid) FROM jsonb_array_elements_text(
                        d.candidates)) k
                CROSS JOIN LATERAL (
                    SELECT id, status, attributes FROM accounts WHERE {_HERE} AND id = k.id OFFSET 0) a)))
            FROM (
                (SELECT id, record_id, account_id, candidates, reason, created_at FROM duplicates
                    WHERE {_HERE} AND account_id = {_THIS} AND state = 'open' LIMIT {MOST_DOUBTS})
                UNION
                (SELECT id, record_id, account_id, candidates, reason, created_at FROM (
                    SELECT * FROM duplicates WHERE candidates @> CAST(%(listed)s AS jsonb) AND state = 'open'
                    OFFSET 0) c
                    WHERE {_HERE} LIMIT {MOST_DOUBTS})
            ) d) AS doubts
""")
_MATCHED: Final = Statement(f"""
    SELECT facts ->> 'record' AS record, facts ->> 'rule' AS rule FROM (
        SELECT action, facts FROM audit WHERE {_HERE} AND subject = CAST(%(account)s AS text)
        ORDER BY number LIMIT {_LOOKED_AT}) e
    WHERE action = 'record.created'
""")
