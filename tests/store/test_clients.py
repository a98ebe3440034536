"""Relying parties: made, found by id alone, their secrets rotated, ended with what they got."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.store import authorizations, clients, credentials, tenants
from app.store.authorizations import NewAuthorization
from app.store.credentials import UnknownCredentialError
from app.store.engine import reading, writing
from tests.signed_in import CALLBACK, add_client, sign_in

NOBODY = "00000000-0000-7000-8000-000000000000"


def test_a_client_reads_back_as_it_was_said(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    party, _ = add_client(engine, tenant.id, kind="native", scopes=("openid", "groups"), introspects=True)
    assert (party.kind, party.scopes, party.introspects) == ("native", ("openid", "groups"), True)
    assert (party.auth_method, party.token_format) == ("client_secret_basic", "opaque")
    assert party.tenant_id == tenant.id
    with reading(engine) as conn:
        assert clients.find(conn, NOBODY) is None


def test_secrets_overlap_and_belong_to_the_client(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    party, first = add_client(engine, tenant.id)
    with writing(engine) as conn:
        second = clients.add_secret(conn, tenant.id, party.id, overlap=timedelta(0), expires_at=None)
    with reading(engine) as conn:
        assert credentials.find(conn, first, ["client_secret"]) is None
        found = credentials.find(conn, second.secret, ["client_secret"])
        assert found is not None
        assert (found.client_id, found.scopes, found.source_id) == (party.id, frozenset(), None)
        [listed] = clients.listing(conn, tenant.id)
        assert len(listed.secrets) == 2


def test_a_removed_client_is_gone_with_all_that_it_got(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    party, secret = add_client(engine, tenant.id)
    ada = sign_in(engine, tenant.id)
    new = NewAuthorization(tenant.id, party.id, ada.session_id, ada.account_id, ("openid",), CALLBACK, "c" * 43)
    with writing(engine) as conn:
        code = authorizations.begin(conn, new)
        clients.remove(conn, tenant.id, party.id)
        with pytest.raises(UnknownCredentialError):
            clients.remove(conn, tenant.id, party.id)
        with pytest.raises(UnknownCredentialError):
            clients.add_secret(conn, tenant.id, party.id, overlap=None, expires_at=None)
    with reading(engine) as conn:
        assert clients.find(conn, party.id) is None
        assert credentials.find(conn, secret, ["client_secret"]) is None
        found = authorizations.code(conn, tenant.id, party.id, code)
        assert found is not None
        assert not found.authorization.living
        [listed] = clients.listing(conn, tenant.id)
        assert listed.removed_at is not None


def test_another_tenant_cannot_touch_it(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    party, _ = add_client(engine, tenant.id)
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        with pytest.raises(UnknownCredentialError):
            clients.remove(conn, other.id, party.id)
        with pytest.raises(UnknownCredentialError):
            clients.add_secret(conn, other.id, party.id, overlap=None, expires_at=None)
        assert clients.listing(conn, other.id) == []
