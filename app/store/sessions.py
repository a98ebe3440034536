"""Sessions: one browser of one person, found by the digest of its cookie.

    begin ─▶ find, seen, renew … ─▶ end (by hand, by the provider, everywhere), or its time is over, or nobody came

A session counts while it is neither ended nor expired nor idle, its account is active, and the account was not signed
out everywhere since it began. `find` asks all of that in one statement. Begin one only after its account's row was
locked in the same transaction: then no deactivation can fall in between.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils

from app.store.credentials import LONGEST_SECRET, RANDOM_BYTES, digest
from app.store.driver import Statement
from app.store.engine import dumps
from app.store.tenant_settings import SETTINGS

SEEN_EVERY: Final = timedelta(minutes=1)
LONGEST_AGENT: Final = 300


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a sign-in begins.

    `subject` and `provider_session` are the identity provider's names of the person and of its own session, by which
    it ends this one. `at_provider` is what signing out there needs. `ends_at` is the provider's own limit.
    """

    tenant_id: str
    account_id: str
    connection_id: str
    record_id: str
    subject: str
    authenticated_at: datetime
    provider_session: str | None = None
    at_provider: Mapping[str, Any] = field(default_factory=dict)
    context: str | None = None
    methods: Sequence[str] = ()
    ends_at: datetime | None = None
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session. `secret` is the cookie's value; it is not kept."""

    id: str
    expires_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that counts, and whose it is. `roles` and `attributes` are the account's, as they are now."""

    id: str
    tenant_id: str
    tenant_name: str
    tenant_settings: Mapping[str, Any]
    account_id: str
    roles: tuple[str, ...]
    attributes: Mapping[str, Any] = field(repr=False)
    connection_id: str
    record_id: str
    context: str | None
    methods: tuple[str, ...]
    authenticated_at: datetime
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    at_provider: Mapping[str, Any] = field(repr=False)

    @property
    def user_name(self) -> str | None:
        return self.attributes.get("userName")

    @property
    def email(self) -> str | None:
        """The address at work, else any other."""
        known = [name for name in self.attributes if name.startswith("emails.")]
        return self.attributes[min(known, key=lambda name: (name != "emails.work", name))] if known else None

    @property
    def display_name(self) -> str:
        """What the person is called; never empty."""
        given, family = self.attributes.get("givenName"), self.attributes.get("familyName")
        said = self.attributes.get("displayName") or self.attributes.get("formattedName")
        return said or " ".join(filter(None, (given, family))) or self.user_name or self.email or self.account_id


@dataclass(frozen=True, slots=True)
class Listed:
    """What the person and the administrator see of a session. `connection` is None when it was removed."""

    id: str
    account_id: str
    connection: str | None
    authenticated_at: datetime
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    context: str | None
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that ended just now, with what signing out at the provider needs."""

    id: str
    account_id: str
    connection_id: str
    at_provider: Mapping[str, Any] = field(repr=False)


def begin(conn: sa.Connection, new: NewSession) -> Begun:
    """A session from now on, for as long as the tenant says or the provider, whichever is shorter."""
    id, secret = str(uuid_utils.uuid7()), secrets.token_urlsafe(RANDOM_BYTES)
    return Begun(id, _BEGIN.value(conn, {**_said(new, secret), "id": id}), secret)


def renew(conn: sa.Connection, ids: Sequence[str], new: NewSession) -> Begun | None:
    """The browser's session goes on under a new secret, if the same person signed in again through the connection.

    Learning platforms that signed the person in by it stay as they are. None: no session of `ids` is that and counts.
    """
    if not ids:
        return None
    secret = secrets.token_urlsafe(RANDOM_BYTES)
    row = _RENEW.row(conn, {**_said(new, secret), **_LIMITS, "ids": list(ids)})
    return None if row is None else Begun(row.id, row.expires_at, secret)


def _said(new: NewSession, secret: str) -> dict[str, Any]:
    return {
        "tenant": new.tenant_id,
        "hash": digest(secret),
        "account": new.account_id,
        "connection": new.connection_id,
        "record": new.record_id,
        "subject": digest(new.subject),
        "provider_session": None if new.provider_session is None else digest(new.provider_session),
        "at_provider": dumps(dict(new.at_provider)),
        "context": new.context,
        "methods": list(new.methods),
        "authenticated_at": new.authenticated_at,
        "ends_at": new.ends_at,
        "agent": new.agent[:LONGEST_AGENT],
        "address": new.address,
        "hours": _DEFAULTS["session.hours"],
    }


def find(conn: sa.Connection, tenant_id: str, secret: str) -> Session | None:
    """Whose session it is, if it counts. One statement, always."""
    return find_by_hash(conn, tenant_id, digest(secret if len(secret) <= LONGEST_SECRET else ""))


def find_by_hash(conn: sa.Connection, tenant_id: str, hash: bytes) -> Session | None:
    """The same, by the digest that is kept."""
    row = _FIND.row(conn, {"tenant": tenant_id, "hash": hash, **_LIMITS})
    if row is None:
        return None
    return Session(**{**row._asdict(), "roles": tuple(row.roles), "methods": tuple(row.methods)})


def seen(conn: sa.Connection, session: Session) -> None:
    """Note that somebody came with it: at most once a minute, and never waiting for a lock."""
    if datetime.now(UTC) - session.seen_at >= SEEN_EVERY:
        _SEEN.rows(conn, {"tenant": session.tenant_id, "id": session.id})


def end(conn: sa.Connection, tenant_id: str, ids: Sequence[str], by: str) -> list[Ended]:
    """End these sessions of the tenant; those that were over before are not in the answer."""
    return [_ended(row) for row in _END.rows(conn, {"tenant": tenant_id, "ids": list(ids), "by": by})] if ids else []


def end_all(conn: sa.Connection, tenant_id: str, account_id: str, by: str) -> list[Ended]:
    """Sign the person out everywhere: what began before this moment counts no more, in every process."""
    _SIGN_OUT.rows(conn, {"tenant": tenant_id, "account": account_id})
    return [_ended(row) for row in _END_ALL.rows(conn, {"tenant": tenant_id, "account": account_id, "by": by})]


def end_of_connection(conn: sa.Connection, tenant_id: str, connection_id: str, by: str) -> int:
    """End everything that began through a connection; how many."""
    return len(_END_OF_CONNECTION.rows(conn, {"tenant": tenant_id, "connection": connection_id, "by": by}))


def of_subject(
    conn: sa.Connection,
    tenant_id: str,
    connection_id: str,
    subject: str | None,
    provider_sessions: tuple[str, ...] = (),
) -> list[str]:
    """The ids of the living sessions that the provider means: of its person, and of its own sessions where it says so.

    At least one of the two must be said: of nothing, there is none.
    """
    if subject is None and not provider_sessions:
        return []
    values: dict[str, Any] = {"tenant": tenant_id, "connection": connection_id}
    if not provider_sessions:
        return [row.id for row in _OF_PERSON.rows(conn, {**values, "subject": digest(str(subject))})]
    values["sessions"] = [digest(one) for one in provider_sessions]
    if subject is None:
        return [row.id for row in _OF_SESSIONS.rows(conn, values)]
    return [row.id for row in _OF_BOTH.rows(conn, {**values, "subject": digest(subject)})]


def listing(conn: sa.Connection, tenant_id: str, account_id: str) -> list[Listed]:
    """The person's sessions that count, newest first."""
    rows = _LISTING.rows(conn, {"tenant": tenant_id, "account": account_id, **_LIMITS})
    return [Listed(**row._asdict()) for row in rows]


def account_of(conn: sa.Connection, tenant_id: str, id: str) -> str | None:
    """Whose session it is, living or over."""
    found: str | None = _ACCOUNT_OF.value(conn, {"tenant": tenant_id, "id": id})
    return found


def _ended(row: Any) -> Ended:
    return Ended(row.id, row.account_id, row.connection_id, row.at_provider)


_DEFAULTS: Final = {setting.name: setting.default for setting in SETTINGS}
_LIMITS: Final = {"idle": _DEFAULTS["session.idle_minutes"]}
# 0 minutes: it does not matter how long nobody came.
_COUNTS: Final = """
    s.ended_at IS NULL AND s.expires_at > now() AND a.status = 'active'
    AND (a.signed_out_at IS NULL OR s.created_at > a.signed_out_at)
    AND (COALESCE(CAST(n.settings #>> '{session,idle_minutes}' AS int), CAST(%(idle)s AS int)) = 0
        OR s.seen_at > now() - make_interval(
            mins => COALESCE(CAST(n.settings #>> '{session,idle_minutes}' AS int), CAST(%(idle)s AS int))))
"""
_JOINED: Final = """
    FROM sessions s JOIN tenants n ON n.id = s.tenant_id
    JOIN accounts a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
"""
_FIND: Final = Statement(f"""
    SELECT s.id, s.tenant_id, n.name AS tenant_name, n.settings AS tenant_settings, s.account_id, a.roles,
        a.attributes, s.connection_id, s.record_id, s.context, s.methods, s.authenticated_at, s.created_at, s.seen_at,
        s.expires_at, s.at_provider
    {_JOINED}
    WHERE s.tenant_id = CAST(%(tenant)s AS uuid) AND s.hash = CAST(%(hash)s AS bytea) AND {_COUNTS}
""")
_LISTING: Final = Statement(f"""
    SELECT s.id, s.account_id, c.name AS connection, s.authenticated_at, s.created_at, s.seen_at, s.expires_at,
        s.context, s.agent, s.address
    {_JOINED} LEFT JOIN connections c ON c.tenant_id = s.tenant_id AND c.id = s.connection_id
    WHERE s.tenant_id = CAST(%(tenant)s AS uuid) AND s.account_id = CAST(%(account)s AS uuid) AND {_COUNTS}
    ORDER BY s.id DESC
""")
# The clock is read once, in a subquery that is not drawn into the statement because it is volatile.
_BEGIN: Final = Statement("""
    INSERT INTO sessions (tenant_id, id, hash, account_id, connection_id, record_id, subject, provider_session,
        at_provider, context, methods, authenticated_at, created_at, seen_at, expires_at, agent, address)
    SELECT n.id, CAST(%(id)s AS uuid), CAST(%(hash)s AS bytea), CAST(%(account)s AS uuid),
        CAST(%(connection)s AS uuid), CAST(%(record)s AS uuid), CAST(%(subject)s AS bytea),
        CAST(%(provider_session)s AS bytea), CAST(%(at_provider)s AS jsonb), CAST(%(context)s AS text),
        CAST(%(methods)s AS text[]), CAST(%(authenticated_at)s AS timestamptz), c.clock, c.clock,
        LEAST(CAST(%(ends_at)s AS timestamptz), c.clock + make_interval(
            hours => COALESCE(CAST(n.settings #>> '{session,hours}' AS int), CAST(%(hours)s AS int)))),
        CAST(%(agent)s AS text), CAST(%(address)s AS text)
    FROM tenants n, (SELECT clock_timestamp() AS clock) c WHERE n.id = CAST(%(tenant)s AS uuid)
    RETURNING expires_at
""")
_RENEW: Final = Statement(f"""
    UPDATE sessions s SET hash = CAST(%(hash)s AS bytea), record_id = CAST(%(record)s AS uuid),
        subject = CAST(%(subject)s AS bytea), provider_session = CAST(%(provider_session)s AS bytea),
        at_provider = CAST(%(at_provider)s AS jsonb), context = CAST(%(context)s AS text),
        methods = CAST(%(methods)s AS text[]), authenticated_at = CAST(%(authenticated_at)s AS timestamptz),
        created_at = c.clock, seen_at = c.clock, agent = CAST(%(agent)s AS text), address = CAST(%(address)s AS text),
        expires_at = LEAST(CAST(%(ends_at)s AS timestamptz), c.clock + make_interval(
            hours => COALESCE(CAST(n.settings #>> '{{session,hours}}' AS int), CAST(%(hours)s AS int))))
    FROM tenants n, accounts a, (SELECT clock_timestamp() AS clock) c
    WHERE n.id = s.tenant_id AND a.tenant_id = s.tenant_id AND a.id = s.account_id AND {_COUNTS}
        AND s.tenant_id = CAST(%(tenant)s AS uuid) AND s.account_id = CAST(%(account)s AS uuid)
        AND s.connection_id = CAST(%(connection)s AS uuid) AND s.id = (
            SELECT MAX(o.id::text)::uuid FROM sessions o WHERE o.tenant_id = CAST(%(tenant)s AS uuid)
                AND o.id = ANY(CAST(%(ids)s AS uuid[])) AND o.account_id = CAST(%(account)s AS uuid)
                AND o.connection_id = CAST(%(connection)s AS uuid) AND o.ended_at IS NULL)
    RETURNING s.id, s.expires_at
""")
_ACCOUNT_OF: Final = Statement(
    "SELECT account_id FROM sessions WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid)"
)
_SEEN: Final = Statement("""
    UPDATE sessions SET seen_at = now() WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM sessions WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid)
            AND seen_at < now() - interval '1 minute' FOR UPDATE SKIP LOCKED)
""")


def _ending(which: str) -> Statement:
    return Statement(f"""
        UPDATE sessions SET ended_at = clock_timestamp(), ended_by = CAST(%(by)s AS text)
        WHERE tenant_id = CAST(%(tenant)s AS uuid) AND {which} AND ended_at IS NULL
        RETURNING id, account_id, connection_id, at_provider
    """)


def _meant(which: str) -> Statement:
    return Statement(f"""
        SELECT id FROM sessions WHERE tenant_id = CAST(%(tenant)s AS uuid)
            AND connection_id = CAST(%(connection)s AS uuid) AND {which} AND ended_at IS NULL AND expires_at > now()
        ORDER BY id
    """)


_SIGN_OUT: Final = Statement("""
    UPDATE accounts SET signed_out_at = clock_timestamp()
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(account)s AS uuid)
""")
_END: Final = _ending("id = ANY(CAST(%(ids)s AS uuid[]))")
_END_ALL: Final = _ending("account_id = CAST(%(account)s AS uuid)")
_END_OF_CONNECTION: Final = _ending("connection_id = CAST(%(connection)s AS uuid)")
_OF_PERSON: Final = _meant("subject = CAST(%(subject)s AS bytea)")
_OF_SESSIONS: Final = _meant("provider_session = ANY(CAST(%(sessions)s AS bytea[]))")
_OF_BOTH: Final = _meant(
    "subject = CAST(%(subject)s AS bytea) AND provider_session = ANY(CAST(%(sessions)s AS bytea[]))"
)
