"""Issuing, rotating and revoking: what it does, and what the audit says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters import issuing
from app.store import audit, credentials, scim_clients
from app.store import tables as t
from app.store.credentials import Kind, UnknownCredentialError
from app.store.engine import reading
from app.store.scim_clients import Federation
from app.store.tenants import SourceRow, Tenant

WHO = "administrator ada@acme.example"


def entries(engine: sa.Engine, tenant: Tenant) -> list[Any]:
    with reading(engine) as conn:
        assert audit.verify(conn, tenant.id)[1] is None
        chosen = sa.select(t.audit.c.actor, t.audit.c.action, t.audit.c.subject, t.audit.c.facts)
        return list(conn.execute(chosen.where(t.audit.c.tenant_id == tenant.id).order_by(t.audit.c.number)))


def opens(engine: sa.Engine, secret: str, kind: Kind = "scim_token") -> bool:
    with reading(engine) as conn:
        return credentials.find(conn, secret, [kind]) is not None


def nothing_of(rows: list[Any], *secrets: str) -> bool:
    text = str(rows)
    return not any(one in text or credentials.digest(one).hex() in text for one in secrets)


def test_a_tokens_life_is_told_without_its_secret(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    end = datetime.now(UTC) + timedelta(days=30)
    first = issuing.issue(engine, tenant.id, "scim_token", "push", actor=WHO, source_id=okta.id, expires_at=end)
    second = issuing.rotate(engine, tenant.id, first.id, "scim_token", actor=WHO, overlap=timedelta(hours=2))
    assert opens(engine, first.secret)
    assert opens(engine, second.secret)
    third = issuing.rotate(engine, tenant.id, second.id, "scim_token", actor=WHO, overlap=timedelta(0))
    assert not opens(engine, second.secret)
    issuing.revoke(engine, tenant.id, third.id, "scim_token", actor=WHO)
    assert not opens(engine, third.secret)

    told = entries(engine, tenant)
    assert [(row.actor, row.action, row.subject) for row in told] == [
        (WHO, "credential.issued", first.id),
        (WHO, "credential.rotated", second.id),
        (WHO, "credential.rotated", third.id),
        (WHO, "credential.revoked", third.id),
    ]
    issued, rotated = told[0].facts, told[1].facts
    assert (issued["kind"], issued["name"], issued["source"]) == ("scim_token", "push", "okta")
    assert issued["expires_at"] == end.isoformat(timespec="seconds")
    assert rotated["replaces"] == first.id
    assert datetime.fromisoformat(rotated["old_until"]) < datetime.now(UTC) + timedelta(hours=2, seconds=1)
    assert nothing_of(told, first.secret, second.secret, third.secret)


def test_a_key_is_told_with_its_scopes(engine: sa.Engine, tenant: Tenant) -> None:
    issuing.issue(engine, tenant.id, "api_key", "payroll", actor=WHO, scopes=["records:write", "accounts:read"])
    [told] = entries(engine, tenant)
    assert told.facts["scopes"] == ["accounts:read", "records:write"]


def test_what_is_not_there_changes_and_tells_nothing(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    token = issuing.issue(engine, tenant.id, "scim_token", "push", actor=WHO, source_id=okta.id)
    issuing.revoke(engine, tenant.id, token.id, "scim_token", actor=WHO)
    before = entries(engine, tenant)
    with pytest.raises(UnknownCredentialError):
        issuing.revoke(engine, tenant.id, token.id, "scim_token", actor=WHO)
    with pytest.raises(UnknownCredentialError):
        issuing.rotate(engine, tenant.id, token.id, "api_key", actor=WHO, overlap=timedelta(0))
    with pytest.raises(UnknownCredentialError):
        issuing.add_secret(engine, tenant.id, token.id, actor=WHO, overlap=timedelta(0))
    assert entries(engine, tenant) == before


def test_a_clients_life_is_told(engine: sa.Engine, tenant: Tenant, entra: SourceRow) -> None:
    id, first = issuing.create_client(engine, entra, "entra", actor=WHO)
    assert first is not None
    second = issuing.add_secret(engine, tenant.id, id, actor=WHO, overlap=timedelta(hours=1))
    assert [opens(engine, one, "client_secret") for one in (first, second.secret)] == [True, True]
    issuing.revoke(engine, tenant.id, second.id, "client_secret", actor=WHO)
    assert not opens(engine, second.secret, "client_secret")
    issuing.remove_client(engine, tenant.id, id, actor=WHO)
    told = entries(engine, tenant)
    assert [(row.action, row.subject) for row in told] == [
        ("scim_client.created", id),
        ("scim_client.secret_added", id),
        ("credential.revoked", second.id),
        ("scim_client.removed", id),
    ]
    assert told[0].facts["source"] == "entra"
    assert told[1].facts["others_for_hours"] == 1
    assert nothing_of(told, first, second.secret)


def test_a_federated_client_is_told_with_whom_it_trusts(engine: sa.Engine, tenant: Tenant, entra: SourceRow) -> None:
    trust = Federation("https://i.example", "sub", "aud", jwks_url="https://i.example/keys")
    id, secret = issuing.create_client(engine, entra, "entra", actor=WHO, federation=trust)
    assert secret is None
    [told] = entries(engine, tenant)
    assert (told.facts["issuer"], told.facts["subject"]) == ("https://i.example", "sub")
    with reading(engine) as conn:
        [listed] = scim_clients.listing(conn, tenant.id)
    assert (listed.id, listed.federation) == (id, trust)
