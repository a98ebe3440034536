"""POST /oauth/token on real clients: what it gives opens the API, and ends with its client."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.store import credentials
from app.store.credentials import Issued
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant

URL = "/oauth/token"


@pytest.fixture
def lms(engine: sa.Engine, tenant: Tenant) -> Issued:
    with writing(engine) as conn:
        return credentials.issue(conn, tenant.id, "client", "lms", scopes=["accounts:read", "events:read"])


def ask(client: FlaskClient, lms: Issued, **form: Any) -> Any:
    text = base64.b64encode(f"{lms.id}:{lms.secret}".encode()).decode()
    form = {"grant_type": "client_credentials", **form}
    return client.post(URL, data=form, headers={"Authorization": f"Basic {text}"})


def test_a_token_opens_what_it_was_asked_for(client: FlaskClient, lms: Issued) -> None:
    answer = ask(client, lms, scope="events:read")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 3600
    assert answer.json["access_token"].startswith("rc_at_")
    header = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert client.get("/api/v1/events", headers=header).status_code == 200
    assert client.get("/api/v1/accounts", headers=header).status_code == 403


def test_the_secret_in_the_body_does_as_well(client: FlaskClient, lms: Issued) -> None:
    form = {"grant_type": "client_credentials", "client_id": lms.id, "client_secret": lms.secret}
    answer = client.post(URL, data=form)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["scope"] == "accounts:read events:read"


def test_only_a_digest_is_kept_and_it_ends_in_an_hour(
    client: FlaskClient, lms: Issued, engine: sa.Engine, tenant: Tenant
) -> None:
    token = ask(client, lms).json["access_token"]
    with engine.connect() as conn:
        row = conn.execute(sa.text("SELECT * FROM credentials WHERE kind = 'access_token'")).one()
    assert token not in str(row)
    assert str(row.client_id) == lms.id
    assert timedelta(minutes=59) < row.expires_at - datetime.now(UTC) <= timedelta(hours=1)


def test_a_revoked_client_takes_its_tokens_along(
    client: FlaskClient, lms: Issued, engine: sa.Engine, tenant: Tenant
) -> None:
    header = {"Authorization": f"Bearer {ask(client, lms).json['access_token']}"}
    with writing(engine) as conn:
        credentials.revoke(conn, tenant.id, lms.id, "client")
    assert client.get("/api/v1/events", headers=header).status_code == 401
    answer = ask(client, lms)
    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"


def test_a_token_ends_with_its_client_and_feeds_only_its_source(
    client: FlaskClient, engine: sa.Engine, tenant: Tenant, hr: SourceRow
) -> None:
    end = datetime.now(UTC) + timedelta(minutes=5)
    with writing(engine) as conn:
        scopes = ["records:write"]
        lms = credentials.issue(conn, tenant.id, "client", "hr", scopes=scopes, source_id=hr.id, expires_at=end)
    token = ask(client, lms).json["access_token"]
    with engine.connect() as conn:
        found = credentials.find(conn, token, ["access_token"])
    assert found is not None
    assert found.source_id == hr.id
    assert found.expires_at == end


@pytest.mark.parametrize(
    ("client_id", "secret"), [(None, "wrong"), ("00000000-0000-0000-0000-000000000000", None), ("ü\x00", None)]
)
def test_a_secret_belongs_to_its_id(
    client: FlaskClient, lms: Issued, client_id: str | None, secret: str | None
) -> None:
    answer = ask(client, Issued(client_id or lms.id, secret or lms.secret))
    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"", "application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials&scope=%ff", "application/x-www-form-urlencoded"),
        (b"a=1&" * 60, "application/x-www-form-urlencoded"),
        (b"grant_type=" + b"x" * 20_000, "application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused_as_oauth_says(client: FlaskClient, body: bytes, content_type: str) -> None:
    answer = client.post(URL, data=body, content_type=content_type)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == "invalid_request"
    assert answer.headers["Cache-Control"] == "no-store"


def test_parameters_in_the_address_are_not_read(client: FlaskClient, lms: Issued) -> None:
    query = {"grant_type": "client_credentials", "client_id": lms.id, "client_secret": lms.secret}
    answer = client.post(URL, query_string=query, data={"a": "b"})
    assert answer.status_code == 400


def test_get_is_not_allowed(client: FlaskClient) -> None:
    answer = client.get(URL)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"
