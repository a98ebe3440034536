"""Accounts, sessions, authorizations and tokens by the million: made in SQL, as a sign-in would have written them."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.store import clients, tenants
from app.store.engine import reading, writing
from benchmarks.roads import Sample
from benchmarks.token_roads import token

ROUND: Final = 100_000  # rows a transaction

# Ids in the order of creation, as UUIDv7; `kind` keeps those of different tables apart.
_ID: Final = """(lpad(to_hex(CAST(:first AS bigint) + {n}), 12, '0') || '7{kind}a'
    || substr(md5('{kind}' || CAST(:first AS bigint) || {n}), 1, 15))::uuid"""
_ACCOUNT: Final = _ID.format(kind="001", n="n")
_SESSION: Final = _ID.format(kind="002", n="n")
_AUTHORIZATION: Final = _ID.format(kind="003", n="n")
_TOKEN: Final = _ID.format(kind="004", n="n")
_OF: Final = "FROM generate_series(CAST(:start AS bigint), CAST(:end AS bigint) - 1) AS n"

_ACCOUNTS: Final = f"""
    INSERT INTO accounts
        (tenant_id, id, status, affiliation, attributes, roles, version, revision, created_at, updated_at)
    SELECT CAST(:tenant AS uuid), {_ACCOUNT}, 'active', 'employee',
        jsonb_build_object('userName', 'p' || n || '@quay.example', 'emails.work', 'p' || n || '@quay.example',
            'displayName', 'p' || n || ' Quay', 'title', 'Lock keeper', 'department', 'Locks',
            'phoneNumbers.work', '+45 32 10 00 00', 'locale', 'da-DK'),
        ARRAY['learner'], n + 1, 1, now() - interval '1 day', now() - interval '1 day' {_OF}
"""
_SESSIONS: Final = """
    INSERT INTO sessions (tenant_id, id, hash, account_id, connection_id, record_id, subject, context, methods,
        authenticated_at, created_at, seen_at, expires_at, agent, address)
    SELECT CAST(:tenant AS uuid), {session}, sha256(CAST('cookie' || {session} AS bytea)), a.id,
        CAST(:connection AS uuid), a.id, sha256(CAST(a.id::text AS bytea)),
        'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
        ARRAY['pwd'], now() - interval '1 hour', now() - interval '1 hour', now(), now() + interval '1 day',
        'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '192.0.2.1'
    FROM ({accounts}) AS a
"""
_AUTHORIZATIONS: Final = """
    INSERT INTO authorizations (tenant_id, id, client_id, session_id, account_id, scopes, created_at)
    SELECT CAST(:tenant AS uuid), {authorization}, CAST(:client AS uuid), {session}, a.id,
        ARRAY['openid', 'profile', 'email', 'roles'], now() - interval '1 hour' FROM ({accounts}) AS a
"""
_TOKENS: Final = """
    INSERT INTO tokens (tenant_id, id, hash, kind, authorization_id, scopes, issued_at, expires_at)
    SELECT CAST(:tenant AS uuid), {token}, sha256(CAST('rc_pt_' || lpad(CAST(n AS text), 43, '0') AS bytea)), 'access',
        {authorization}, ARRAY['openid', 'profile', 'email', 'roles'], now(), now() + interval '1 day'
    FROM ({accounts}) AS a
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant with a client: whose tokens are made, and the Authorization header of who may introspect them."""

    tenant_id: str
    client_id: str
    authorization: str


def place(engine: sa.Engine, tenant_id: str) -> Place:
    """A new client of the tenant, which introspects."""
    with writing(engine) as conn:
        client = clients.create(conn, tenant_id, "lms", redirect_uris=[], settings={"introspects": True})
        secret = clients.add_secret(conn, tenant_id, client, overlap=None, expires_at=None).secret
    return Place(tenant_id, client, "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode())


def seed(engine: sa.Engine, name: str, sessions: int, accounts: int) -> tuple[Place, Sample]:
    """A tenant of so many people and sessions; each session has one token, `token_roads.token` of its number."""
    with writing(engine) as conn:
        tenant_id = tenants.create(conn, name).id
    found = place(engine, tenant_id)
    facts = _facts(found)
    for start in range(0, accounts, ROUND):
        with writing(engine) as conn:
            conn.execute(sa.text(_ACCOUNTS), facts | {"start": start, "end": min(accounts, start + ROUND)})
    numbered = f"SELECT n, {_ID.format(kind='001', n=f'(n % {accounts})')} AS id {_OF}"
    _signed_in(engine, facts, numbered, 0, sessions)
    return found, Sample(found.authorization, sessions, (), (), (), (), "")


def sign_in(engine: sa.Engine, found: Place, first: int) -> dict[str, str]:
    """One session with one token for each account of the tenant; their texts by the account's id.

    Tokens are numbered from `first`. They are all of the tenant's, and at most 100,000.
    """
    with reading(engine) as conn:
        known = sa.text("SELECT CAST(id AS text) FROM accounts WHERE tenant_id = :tenant ORDER BY id")
        accounts = conn.execute(known, {"tenant": found.tenant_id}).scalars().all()
    numbered = """
        SELECT CAST(:start AS bigint) + row_number() OVER (ORDER BY id) - 1 AS n, id FROM accounts
        WHERE tenant_id = CAST(:tenant AS uuid)
    """
    _signed_in(engine, _facts(found), numbered, first, first + len(accounts))
    return {account: token(first + n) for n, account in enumerate(accounts)}


def _facts(found: Place) -> dict[str, object]:
    first = int(time.time() * 1000) - 100_000_000
    return {"tenant": found.tenant_id, "client": found.client_id, "connection": found.client_id, "first": first}


def _signed_in(engine: sa.Engine, facts: dict[str, object], accounts: str, start: int, end: int) -> None:
    parts = {"session": _SESSION, "authorization": _AUTHORIZATION, "token": _TOKEN, "accounts": accounts}
    for begin in range(start, end, ROUND):
        with writing(engine) as conn:
            for text in (_SESSIONS, _AUTHORIZATIONS, _TOKENS):
                statement = sa.text(text.format(**parts))
                conn.execute(statement, facts | {"start": begin, "end": min(end, begin + ROUND)})
