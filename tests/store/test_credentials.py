"""Credentials: shown once, found by digest, ended by time or by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.store import credentials, tables, tenants
from app.store.engine import reading, writing


def _token(engine: sa.Engine, okta: tenants.SourceRow, expires_at: datetime | None = None) -> credentials.Issued:
    with writing(engine) as conn:
        return credentials.issue(
            conn, okta.tenant_id, "scim_token", "push", source_id=okta.id, scopes=["scim"], expires_at=expires_at
        )


def _found(engine: sa.Engine, secret: str, kind: credentials.Kind = "scim_token") -> credentials.Credential | None:
    with reading(engine) as conn:
        return credentials.find(conn, secret, [kind])


def test_a_token_names_tenant_and_source(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    issued = _token(engine, okta)
    found = _found(engine, issued.secret)
    assert found is not None
    assert (found.id, found.tenant_name, found.source_name, found.source_kind) == (issued.id, "acme", "okta", "idp")
    assert found.scopes == {"scim"}
    assert found.tenant_revision == 2


def test_only_a_digest_is_kept(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    issued = _token(engine, okta)
    assert issued.secret.startswith("rc_scim_")
    assert len(issued.secret) == len("rc_scim_") + 43
    assert issued.secret not in repr(issued)
    with reading(engine) as conn:
        row = conn.execute(sa.select(sa.cast(sa.literal_column("c"), sa.Text)).select_from(sa.text("credentials c")))
        assert issued.secret[13:] not in row.scalar_one()


@pytest.mark.parametrize("secret", ["", "rc_scim_", "rc_scim_" + "a" * 43, "x" * 100_000, "\x00", "ü"])
def test_a_wrong_secret_finds_nothing(engine: sa.Engine, okta: tenants.SourceRow, secret: str) -> None:
    _token(engine, okta)
    assert _found(engine, secret) is None


def test_another_kind_of_door_stays_shut(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    assert _found(engine, _token(engine, okta).secret, "api_key") is None


def test_an_expired_token_finds_nothing(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    assert _found(engine, _token(engine, okta, past).secret) is None
    assert _found(engine, _token(engine, okta, past + timedelta(hours=1)).secret) is not None


def test_a_revoked_token_finds_nothing_and_is_revoked_once(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    issued = _token(engine, okta)
    with writing(engine) as conn:
        credentials.revoke(conn, okta.tenant_id, issued.id, "scim_token")
    assert _found(engine, issued.secret) is None
    with writing(engine) as conn, pytest.raises(credentials.UnknownCredentialError):
        credentials.revoke(conn, okta.tenant_id, issued.id, "scim_token")


def test_another_tenant_cannot_revoke(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    issued = _token(engine, okta)
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        with pytest.raises(credentials.UnknownCredentialError):
            credentials.revoke(conn, other.id, issued.id, "scim_token")
    assert _found(engine, issued.secret) is not None


def test_an_id_of_another_kind_is_nobodys(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        key = credentials.issue(conn, tenant.id, "api_key", "lms", scopes=["accounts:read"])
        with pytest.raises(credentials.UnknownCredentialError):
            credentials.revoke(conn, tenant.id, key.id, "scim_token")
        with pytest.raises(credentials.UnknownCredentialError):
            credentials.rotate(conn, tenant.id, key.id, "scim_token", overlap=timedelta(0))
    assert _found(engine, key.secret, "api_key") is not None


def test_revoking_a_client_ends_its_access_tokens(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        client = credentials.issue(conn, tenant.id, "client", "lms")
        access = credentials.issue(conn, tenant.id, "access_token", "lms", client_id=client.id)
        credentials.revoke(conn, tenant.id, client.id, "client")
    assert _found(engine, access.secret, "access_token") is None


def test_rotation_overlaps(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    old = _token(engine, okta)
    with writing(engine) as conn:
        new = credentials.rotate(conn, okta.tenant_id, old.id, "scim_token", overlap=timedelta(hours=1))
    before, after = _found(engine, old.secret), _found(engine, new.secret)
    assert before is not None
    assert before.expires_at is not None
    assert after is not None
    assert (after.source_id, after.scopes, after.expires_at) == (before.source_id, before.scopes, None)


def test_rotation_never_prolongs(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    end = datetime.now(UTC) + timedelta(minutes=1)
    old = _token(engine, okta, end)
    with writing(engine) as conn:
        credentials.rotate(conn, okta.tenant_id, old.id, "scim_token", overlap=timedelta(hours=1))
    found = _found(engine, old.secret)
    assert found is not None
    assert found.expires_at == end


def test_the_list_shows_hints_and_sources(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    issued = _token(engine, okta)
    with writing(engine) as conn:
        credentials.issue(conn, okta.tenant_id, "api_key", "lms")
        listed = credentials.listing(conn, okta.tenant_id, ["scim_token"])
    assert [(each.id, each.source, each.hint) for each in listed] == [(issued.id, "okta", issued.secret[:13])]


def test_use_is_noted_once_a_minute(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    found = _found(engine, _token(engine, okta).secret)
    assert found is not None
    credentials.LastUse(engine).note(found)
    first = _last_used(engine)
    assert first is not None
    credentials.LastUse(engine).note(found)  # another process
    assert _last_used(engine) == first


def test_noting_use_does_not_wait_for_a_lock(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    found = _found(engine, _token(engine, okta).secret)
    assert found is not None
    with writing(engine) as conn:
        conn.execute(sa.select(tables.credentials).with_for_update())
        credentials.LastUse(engine).note(found)
    assert _last_used(engine) is None


def _last_used(engine: sa.Engine) -> datetime | None:
    with reading(engine) as conn:
        return conn.execute(sa.select(tables.credentials.c.last_used_at)).scalar_one()
