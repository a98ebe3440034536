"""Who is merged away or split is signed out: sessions, what they were signed in to, and the console."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.merging import merge, preview_merge, split
from app.store import authorizations, logouts, provider_tables, sessions, sign_in_tables
from app.store import tables as t
from app.store.authorizations import NewAuthorization
from app.store.console_tables import console_sessions
from app.store.engine import reading, writing
from app.store.sessions import Begun, NewSession
from app.store.tenants import SourceRow, Tenant
from tests.signed_in import CALLBACK, add_client

from .people import hris, rows, scim, write


@pytest.fixture
def two(engine: sa.Engine, okta: SourceRow, hr: SourceRow) -> tuple[str, str]:
    one = write(engine, okta, scim(okta, "ada")).after.id
    return one, write(engine, hr, hris(hr, "E1")).after.id


def came(engine: sa.Engine, tenant: Tenant, account_id: str) -> Begun:
    """Signed in, and at an LMS by that."""
    new = NewSession(tenant.id, account_id, str(uuid4()), str(uuid4()), "ada@idp", datetime.now(UTC))
    client = add_client(engine, tenant.id, back_channel_logout_uri="https://lms.example/out")[0].id
    with writing(engine) as conn:
        begun = sessions.begin(conn, new)
        authorization = NewAuthorization(
            tenant.id, client, begun.id, account_id, ("openid",), CALLBACK, "c" * 43, True, None
        )
        authorizations.begin(conn, authorization)
        conn.execute(
            sa.insert(console_sessions).values(
                tenant_id=tenant.id,
                id=str(uuid4()),
                hash=uuid4().bytes,
                account_id=account_id,
                method="sign-in",
                expires_at=datetime.now(UTC) + timedelta(hours=1),
            )
        )
    return begun


def lives(engine: sa.Engine, tenant: Tenant, begun: Begun) -> bool:
    with reading(engine) as conn:
        return sessions.find(conn, tenant.id, begun.secret) is not None


def test_only_who_goes_is_signed_out(engine, tenant, two) -> None:
    stays, goes = (came(engine, tenant, one) for one in two)
    assert preview_merge(engine, tenant.id, *two).sessions == 1
    assert merge(engine, tenant.id, *two, actor="admin").sessions == 1
    assert (lives(engine, tenant, stays), lives(engine, tenant, goes)) == (True, False)
    revoked = {row.session_id: row.revoked_at is not None for row in rows(engine, provider_tables.authorizations)}
    assert revoked == {stays.id: False, goes.id: True}
    closed = {row.account_id: row.ended_at is not None for row in rows(engine, console_sessions)}
    assert closed == {two[0]: False, two[1]: True}


def test_learning_platforms_hear_of_it(engine, tenant, two) -> None:
    goes = came(engine, tenant, two[1])
    merge(engine, tenant.id, *two, actor="admin")
    with writing(engine) as conn:
        logouts.notice(conn)
    with writing(engine) as conn:
        told = [(one.session_id, one.account_id) for one in logouts.claim(conn, 10)]
    assert told == [(goes.id, two[1])]


def test_after_a_split_everybody_signs_in_again(engine, tenant, two) -> None:
    begun = came(engine, tenant, two[0])
    merge(engine, tenant.id, *two, actor="admin")
    [record] = rows(engine, t.records, t.records.c.source_key == "E1")
    assert split(engine, tenant.id, two[0], [record.id], actor="admin").sessions == 1
    assert not lives(engine, tenant, begun)
    [ended] = rows(engine, sign_in_tables.sessions)
    assert ended.ended_by == "split"
