"""Who may come in: RFC 6750."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.store import credentials
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant
from tests.api.conftest import Key

READS = {"/api/v1/accounts": "accounts:read", "/api/v1/events": "events:read"}


@pytest.mark.parametrize("header", [None, "Basic YTpi", ""])
def test_without_a_token_the_challenge_names_no_error(client: FlaskClient, header: str | None) -> None:
    answer = client.get("/api/v1/accounts", headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="rollcall"'
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("token", ["rc_key_unknown", "rc_at_unknown", "x" * 500])
def test_an_unknown_token_is_invalid(client: FlaskClient, token: str) -> None:
    answer = client.get("/api/v1/accounts", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_malformed_token_is_a_bad_request(client: FlaskClient) -> None:
    answer = client.get("/api/v1/accounts", headers={"Authorization": "Bearer a b"})
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]


def test_a_key_opens_only_what_its_scopes_name(client: FlaskClient, key: Key) -> None:
    for url, scope in READS.items():
        assert client.get(url, headers=key((scope,))).status_code == 200
        answer = client.get(url, headers=key(("records:write",)))
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
        assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]


def test_an_expired_or_revoked_key_is_invalid(client: FlaskClient, key: Key, engine: sa.Engine, tenant: Tenant) -> None:
    expired = key(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert client.get("/api/v1/events", headers=expired).status_code == 401
    with writing(engine) as conn:
        issued = credentials.issue(conn, tenant.id, "api_key", "test", scopes=["events:read"])
    header = {"Authorization": f"Bearer {issued.secret}"}
    assert client.get("/api/v1/events", headers=header).status_code == 200
    with writing(engine) as conn:
        credentials.revoke(conn, tenant.id, issued.id, "api_key")
    assert client.get("/api/v1/events", headers=header).status_code == 401


@pytest.mark.parametrize("kind", ["scim_token", "client"])
def test_secrets_of_another_kind_open_nothing(
    client: FlaskClient, engine: sa.Engine, tenant: Tenant, okta: SourceRow, kind: credentials.Kind
) -> None:
    with writing(engine) as conn:
        scopes = list(READS.values())
        issued = credentials.issue(conn, tenant.id, kind, "test", source_id=okta.id, scopes=scopes)
    header = {"Authorization": f"Bearer {issued.secret}"}
    assert client.get("/api/v1/accounts", headers=header).status_code == 401
