"""What needs attention in a tenant, and how busy it is: each part by an index and with a limit.

    runs · duplicates · secrets that end · receivers, clients, metadata that fail · refusals of a day · unmapped · drift
    counts of resources from the ledger · requests and sign-ins by the hour

A number that stopped at its limit says so: `at_least`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.store.driver import Statement
from app.store.ids import lowest_id
from app.store.runs import Run, run_of

LISTED: Final = 20  # of each kind
COUNTED: Final = 100
REFUSALS: Final = 1_000  # the newest of a day
AN_HOUR: Final = 500  # requests or sign-ins that are counted of each
EXPIRES_WITHIN: Final = timedelta(days=30)
ENDED_SINCE: Final = timedelta(days=7)  # what ended lately is shown as well
FAILED_SINCE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `at_least`: there may be more."""

    number: int
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Expiring:
    """A token or secret that ends soon, or ended lately. `kind` is scim_token, api_key, client or client_secret.

    `replaced`: its owner has another of that kind that goes on longer.
    """

    id: str
    kind: str
    name: str
    source: str | None
    hint: str
    expires_at: datetime
    replaced: bool


@dataclass(frozen=True, slots=True)
class Failing:
    """A receiver, client or connection of which something fails; `since` is when it last went well."""

    id: str
    name: str
    failure: str
    times: Count
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """How often something was refused for one reason in the last 24 hours; `last` is the newest one's id or code."""

    reason: str
    times: int
    last: str


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour from `start` on: what went well and what was refused."""

    start: datetime
    well: Count
    refused: Count


@dataclass(frozen=True, slots=True)
class Overview:
    """`refused_requests` and `refused_sign_ins` are of the last 24 hours, the most frequent reason first."""

    held_runs: list[Run]
    failed_runs: list[Run]
    duplicates: Count
    expiring: list[Expiring]
    receivers: list[Failing]
    logouts: list[Failing]
    metadata: list[Failing]
    refused_requests: list[Refusals]
    refused_requests_at_least: bool
    refused_sign_ins: list[Refusals]
    refused_sign_ins_at_least: bool
    unmapped_groups: Count
    drift: Count
    resources: Mapping[str, Mapping[str, int]]


def overview(conn: sa.Connection, tenant_id: str, now: datetime) -> Overview:
    """What needs attention, as of now."""
    key = {"tenant": tenant_id}
    day = now - timedelta(days=1)
    requests = _REFUSED_REQUESTS.rows(conn, {**key, "low": lowest_id(day)})
    sign_ins = _REFUSED_SIGN_INS.rows(conn, {**key, "since": day})
    return Overview(
        held_runs=_runs(conn, tenant_id, "held", None),
        failed_runs=_runs(conn, tenant_id, "failed", now - FAILED_SINCE),
        duplicates=count_of(_DUPLICATES.value(conn, key), COUNTED),
        expiring=expiring(conn, tenant_id, now),
        receivers=[_failing(row) for row in _RECEIVERS.rows(conn, key)],
        logouts=[_failing(row) for row in _LOGOUTS.rows(conn, key)],
        metadata=[_failing(row) for row in _METADATA.rows(conn, key)],
        refused_requests=_refusals(requests),
        refused_requests_at_least=sum(row.times for row in requests) >= REFUSALS,
        refused_sign_ins=_refusals(sign_ins),
        refused_sign_ins_at_least=sum(row.times for row in sign_ins) >= REFUSALS,
        unmapped_groups=count_of(_UNMAPPED.value(conn, key), COUNTED),
        drift=count_of(_DRIFT.value(conn, key), COUNTED),
        resources=_resources(conn, tenant_id),
    )


def expiring(conn: sa.Connection, tenant_id: str, now: datetime) -> list[Expiring]:
    """Tokens, keys and secrets that end within 30 days or ended within the last 7, the next one first."""
    values = {"tenant": tenant_id, "since": now - ENDED_SINCE, "until": now + EXPIRES_WITHIN}
    return [Expiring(**row._asdict()) for row in _EXPIRING.rows(conn, values)]


def requests_by_hour(conn: sa.Connection, tenant_id: str, now: datetime, hours: int = 48) -> list[Hour]:
    """SCIM requests of the last hours, the present one last; at most 500 of each hour are counted."""
    starts = _starts(now, hours)
    bounds = [lowest_id(start) for start in (*starts, starts[-1] + timedelta(hours=1))]
    rows = _REQUESTS_BY_HOUR.rows(conn, {"tenant": tenant_id, "lows": bounds[:-1], "highs": bounds[1:]})
    return _hours(starts, rows)


def sign_ins_by_hour(conn: sa.Connection, tenant_id: str, now: datetime, hours: int = 48) -> list[Hour]:
    """Sign-ins of the last hours, the present one last; at most 500 of each hour are counted."""
    starts = _starts(now, hours)
    values = {"tenant": tenant_id, "lows": starts, "highs": [one + timedelta(hours=1) for one in starts]}
    return _hours(starts, _SIGN_INS_BY_HOUR.rows(conn, values))


def count_of(number: int, most: int) -> Count:
    """What was counted up to `most` and one more."""
    return Count(min(number, most), at_least=number > most)


def _hours(starts: Sequence[datetime], rows: Sequence[Any]) -> list[Hour]:
    """All and refused were counted apart: of an hour with too many, what went well is at least the rest."""
    found = []
    for start, row in zip(starts, sorted(rows, key=lambda row: row.place), strict=True):
        everything, refused = count_of(row.total, AN_HOUR), count_of(row.refused, AN_HOUR)
        well = Count(max(0, everything.number - refused.number), everything.at_least)
        found.append(Hour(start, well, refused))
    return found


def _starts(now: datetime, hours: int) -> list[datetime]:
    present = now.replace(minute=0, second=0, microsecond=0)
    return [present - timedelta(hours=back) for back in reversed(range(hours))]


def _runs(conn: sa.Connection, tenant_id: str, state: str, since: datetime | None) -> list[Run]:
    rows = _RUNS.rows(conn, {"tenant": tenant_id, "state": state, "since": since})
    return [run_of(row._asdict()) for row in rows]


def _failing(row: Any) -> Failing:
    return Failing(row.id, row.name, row.failure or "", count_of(row.times, row.most), row.since)


def _refusals(rows: Sequence[Any]) -> list[Refusals]:
    found = [Refusals(row.reason, row.times, row.last) for row in rows]
    return sorted(found, key=lambda one: (-one.times, one.reason))


def _resources(conn: sa.Connection, tenant_id: str) -> dict[str, dict[str, int]]:
    """Source name -> users and groups that it has, as the ledger counts them."""
    found: dict[str, dict[str, int]] = {}
    for row in _COUNTS.rows(conn, {"tenant": tenant_id}):
        found.setdefault(row.name, {"users": 0, "groups": 0})[f"{row.kind.lower()}s"] = row.number
    return found


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_RUNS: Final = Statement(f"""
    SELECT tenant_id, id, kind, source_id, state, actor, summary, position, total, created_at, updated_at, expires_at
    FROM runs WHERE {_HERE} AND state = CAST(%(state)s AS text)
        AND created_at >= COALESCE(CAST(%(since)s AS timestamptz), '-infinity')
    ORDER BY created_at DESC LIMIT {LISTED}
""")
_DUPLICATES: Final = Statement(f"""
    SELECT count(*) FROM (SELECT FROM duplicates WHERE {_HERE} AND state = 'open' LIMIT {COUNTED + 1}) n
""")
_EXPIRING: Final = Statement(f"""
    SELECT c.id, c.kind, c.name, s.name AS source, c.hint, c.expires_at, EXISTS (
        SELECT FROM credentials o WHERE o.{_HERE} AND o.kind = c.kind AND o.kind <> 'access_token' AND o.id <> c.id
            AND o.source_id IS NOT DISTINCT FROM c.source_id AND o.client_id IS NOT DISTINCT FROM c.client_id
            AND (o.client_id IS NOT NULL OR o.name = c.name) AND o.revoked_at IS NULL
            AND COALESCE(o.expires_at, 'infinity') > c.expires_at) AS replaced
    FROM credentials c LEFT JOIN sources s ON s.tenant_id = c.tenant_id AND s.id = c.source_id
    WHERE c.{_HERE} AND c.kind <> 'access_token' AND c.revoked_at IS NULL
        AND c.expires_at >= CAST(%(since)s AS timestamptz) AND c.expires_at < CAST(%(until)s AS timestamptz)
    ORDER BY c.expires_at LIMIT {LISTED}
""")
_RECEIVERS: Final = Statement(f"""
    SELECT id, url AS name, failure, CAST(failures AS bigint) AS times, delivered_at AS since, 2147483647 AS most
    FROM receivers WHERE {_HERE} AND failures > 0 ORDER BY failures DESC, id LIMIT {LISTED}
""")
_LOGOUTS: Final = Statement(f"""
    SELECT l.client_id AS id, COALESCE(c.name, '') AS name, min(l.failure) AS failure, count(*) AS times,
        NULL::timestamptz AS since, {COUNTED} AS most
    FROM (
        (SELECT client_id, failure FROM logouts WHERE {_HERE} AND done_at IS NULL AND failure IS NOT NULL
            ORDER BY next_at LIMIT {COUNTED + 1})
        UNION ALL
        (SELECT client_id, failure FROM logouts WHERE {_HERE} AND done_at > now() - interval '1 day'
            AND failure IS NOT NULL ORDER BY done_at DESC LIMIT {COUNTED + 1})) l
    LEFT JOIN clients c ON c.{_HERE} AND c.id = l.client_id
    GROUP BY l.client_id, c.name ORDER BY times DESC LIMIT {LISTED}
""")
_METADATA: Final = Statement(f"""
    SELECT id, name, refresh_failure AS failure, CAST(1 AS bigint) AS times, refreshed_at AS since, 1 AS most
    FROM connections WHERE {_HERE} AND refresh_failure IS NOT NULL ORDER BY name LIMIT {LISTED}
""")
_REFUSED_REQUESTS: Final = Statement(f"""
    SELECT concat_ws(' ', status, scim_type) AS reason, count(*) AS times,
        (array_agg(CAST(id AS text) ORDER BY id DESC))[1] AS last FROM (
        SELECT id, status, scim_type FROM scim_requests
        WHERE {_HERE} AND status >= 400 AND id >= CAST(%(low)s AS uuid) ORDER BY id DESC LIMIT {REFUSALS}) r
    GROUP BY 1
""")
_REFUSED_SIGN_INS: Final = Statement(f"""
    SELECT COALESCE(reason, '') AS reason, count(*) AS times, (array_agg(code ORDER BY at DESC))[1] AS last FROM (
        SELECT code, at, reason FROM sign_ins
        WHERE {_HERE} AND outcome = 'refused' AND at >= CAST(%(since)s AS timestamptz)
        ORDER BY at DESC LIMIT {REFUSALS}) s
    GROUP BY 1
""")
# Each group that is passed over has a mapping: what is looked at is bounded by the role table, not by the groups.
_UNMAPPED: Final = Statement(f"""
    SELECT count(*) FROM (
        SELECT FROM groups g WHERE g.{_HERE} AND g.deleted_at IS NULL AND NOT EXISTS (
            SELECT FROM mappings m WHERE m.{_HERE} AND m.group_id = g.id) LIMIT {COUNTED + 1}) n
""")
_DRIFT: Final = Statement(f"SELECT count(*) FROM (SELECT FROM drift WHERE {_HERE} LIMIT {COUNTED + 1}) n")
_COUNTS: Final = Statement(f"""
    SELECT s.name, split_part(c.key, '/', 2) AS kind, CAST(c.value AS bigint) AS number
    FROM ledger l CROSS JOIN LATERAL jsonb_each_text(l.counts) c
    JOIN sources s ON s.{_HERE} AND CAST(s.id AS text) = split_part(c.key, '/', 1)
    WHERE l.{_HERE} ORDER BY s.name
""")


def _by_hour(table: str, key: str, type_: str, refused: str) -> Statement:
    def counted(which: str) -> str:
        return f"""(SELECT count(*) FROM (
            SELECT FROM {table} WHERE {_HERE} AND {key} >= k.low AND {key} < k.high {which} LIMIT {AN_HOUR + 1}) n)"""

    return Statement(f"""
        SELECT k.place, {counted("")} AS total, {counted(f"AND {refused}")} AS refused
        FROM unnest(CAST(%(lows)s AS {type_}[]), CAST(%(highs)s AS {type_}[])) WITH ORDINALITY AS k(low, high, place)
    """)


_REQUESTS_BY_HOUR: Final = _by_hour("scim_requests", "id", "uuid", "status >= 400")
_SIGN_INS_BY_HOUR: Final = _by_hour("sign_ins", "at", "timestamptz", "outcome = 'refused'")
