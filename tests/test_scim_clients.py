"""OAuth at the SCIM door, through the whole application: by secret, by signed assertion, and how each ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
import uuid_utils
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jws
from joserfc.jwk import RSAKey

from app.factory import create_app
from app.settings import Settings
from app.store import credentials, scim_clients
from app.store import tables as t
from app.store.credentials import UnknownCredentialError
from app.store.engine import reading, writing
from app.store.scim_clients import Federation
from app.store.tenants import SourceRow, Tenant, create
from sso.assertions import ASSERTION_TYPE
from tests.waiting import soon

KEY = RSAKey.generate_key(2048, {"kid": "k-1"})
ISSUER = "https://login.microsoftonline.example/tenant/v2.0"


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    made = create_app(Settings(log_level="error"), engine=engine)
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def register(engine: sa.Engine, source: SourceRow, federation: Federation | None = None) -> str:
    with writing(engine) as conn:
        return scim_clients.create(conn, source, "entra", federation)


def secret(
    engine: sa.Engine, source: SourceRow, id: str, overlap: int | None = None, expires_at: datetime | None = None
) -> str:
    hours = None if overlap is None else timedelta(hours=overlap)
    with writing(engine) as conn:
        return scim_clients.add_secret(conn, source.tenant_id, id, overlap=hours, expires_at=expires_at).secret


def ask(client: FlaskClient, id: str, **form: str) -> Any:
    return client.post("/oauth/token", data={"grant_type": "client_credentials", "client_id": id, **form})


def users(client: FlaskClient, token: str) -> Any:
    return client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}"})


def test_a_secret_becomes_a_token_that_opens_scim(client: FlaskClient, engine: sa.Engine, entra: SourceRow) -> None:
    id = register(engine, entra)
    answer = ask(client, id, client_secret=secret(engine, entra, id), scope="scim")
    assert answer.status_code == 200, answer.text
    assert 3600 <= answer.json["expires_in"] <= 21600  # Entra's gallery
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "scim")
    token = answer.json["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    assert client.post("/scim/v2/Users", json={"userName": "ada"}, headers=header).status_code == 201
    assert client.get("/api/v1/accounts", headers=header).status_code == 403
    with reading(engine) as conn:
        row = conn.execute(sa.select(t.records.c.source_id)).scalar_one()
        left = conn.execute(
            sa.text("SELECT expires_at - now() > interval '1 hour' FROM credentials WHERE kind = 'access_token'")
        )
        assert left.scalar_one()
    assert str(row) == entra.id


def test_several_secrets_are_valid_at_once_and_end_one_by_one(
    client: FlaskClient, engine: sa.Engine, entra: SourceRow
) -> None:
    id = register(engine, entra)
    first = secret(engine, entra, id)
    second = secret(engine, entra, id, overlap=24)
    third = secret(engine, entra, id, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert [ask(client, id, client_secret=one).status_code for one in (first, second, third)] == [200, 200, 401]
    fourth = secret(engine, entra, id, overlap=0)
    assert [ask(client, id, client_secret=one).status_code for one in (first, second, fourth)] == [401, 401, 200]
    with reading(engine) as conn:
        [listed] = scim_clients.listing(conn, entra.tenant_id)
    assert [one.last_used_at is not None for one in listed.secrets] == [True, True, False, True]
    assert ask(client, str(uuid_utils.uuid7()), client_secret=fourth).json["error"] == "invalid_client"


def test_removing_a_client_ends_its_secrets_and_tokens(
    client: FlaskClient, engine: sa.Engine, entra: SourceRow
) -> None:
    id = register(engine, entra)
    known = secret(engine, entra, id)
    token = ask(client, id, client_secret=known).json["access_token"]
    assert users(client, token).status_code == 200
    with writing(engine) as conn:
        foreign = create(conn, "other")
        with pytest.raises(UnknownCredentialError):
            scim_clients.remove(conn, foreign.id, id)
        scim_clients.remove(conn, entra.tenant_id, id)
    assert soon(lambda: users(client, token).status_code == 401)
    assert ask(client, id, client_secret=known).status_code == 401
    with pytest.raises(UnknownCredentialError):
        secret(engine, entra, id)


def test_an_api_clients_token_does_not_open_scim(
    client: FlaskClient, engine: sa.Engine, tenant: Tenant, hr: SourceRow
) -> None:
    with writing(engine) as conn:
        api = credentials.issue(conn, tenant.id, "client", "hr", source_id=hr.id, scopes=["records:write"])
    answer = ask(client, api.id, client_secret=api.secret)
    assert answer.json["expires_in"] == 3600
    assert users(client, answer.json["access_token"]).status_code == 403
    assert ask(client, api.id, client_secret=api.secret, scope="scim").json["error"] == "invalid_scope"


class _Issuer(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def jwks_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Issuer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()
        thread.join()


def assertion(**changes: Any) -> str:
    now = int(time.time())
    said = {"iss": ISSUER, "sub": "object-id", "aud": "api://rollcall", "iat": now, "exp": now + 600, **changes}
    return jws.serialize_compact({"alg": "RS256", "kid": "k-1", "typ": "JWT"}, json.dumps(said), KEY)


def federated(client: FlaskClient, id: str, signed: str, **form: str) -> Any:
    return ask(client, id, client_assertion_type=ASSERTION_TYPE, client_assertion=signed, scope="scim", **form)


def test_workload_identity_federation(client: FlaskClient, engine: sa.Engine, entra: SourceRow, jwks_url: str) -> None:
    _Issuer.asked = 0
    id = register(engine, entra, Federation(ISSUER, "object-id", "api://rollcall", jwks_url=jwks_url))
    answer = federated(client, id, assertion(jti="a"))
    assert answer.status_code == 200, answer.text
    assert users(client, answer.json["access_token"]).status_code == 200
    assert federated(client, id, assertion()).status_code == 200
    assert _Issuer.asked == 1

    for wrong, said in (
        ({"sub": "other"}, "sub"),
        ({"aud": "x"}, "aud"),
        ({"iss": "x"}, "iss"),
        ({"exp": 1}, "expired"),
    ):
        refused = federated(client, id, assertion(**wrong))
        assert (refused.status_code, refused.json["error"]) == (401, "invalid_client")
        assert said in refused.json["error_description"]
    assert federated(client, str(uuid_utils.uuid7()), assertion()).status_code == 401
    assert federated(client, "nobody", assertion()).status_code == 401
    assert federated(client, id, assertion(), client_secret="x").status_code == 400
    with reading(engine) as conn:
        [listed] = scim_clients.listing(conn, entra.tenant_id)
    assert listed.federation is not None
    assert listed.secrets == []


def test_a_client_signs_by_itself(client: FlaskClient, engine: sa.Engine, entra: SourceRow) -> None:
    keys = json.dumps({"keys": [KEY.as_dict(private=False)]})
    id = register(engine, entra, Federation("", "", "https://id.example.com/oauth/token", jwks=keys))
    own = {"iss": id, "sub": id, "aud": "https://id.example.com/oauth/token"}
    answer = federated(client, id, assertion(**own, jti="a"))
    assert answer.status_code == 200, answer.text
    assert users(client, answer.json["access_token"]).status_code == 200
    for wrong in ({"iss": ISSUER}, {"sub": ""}, {"iss": ""}, {"sub": str(uuid_utils.uuid7())}):
        assert federated(client, id, assertion(**{**own, **wrong})).status_code == 401
    other = register(engine, entra, Federation("", "", own["aud"], jwks=keys))
    assert federated(client, other, assertion(**own)).status_code == 401


def test_an_assertion_is_used_once_in_all_processes(
    engine: sa.Engine, client: FlaskClient, entra: SourceRow, jwks_url: str
) -> None:
    id = register(engine, entra, Federation(ISSUER, "object-id", "api://rollcall", jwks_url=jwks_url))
    other_process = create_app(Settings(log_level="error"), engine=engine).test_client()
    signed = assertion(jti="once")
    assert federated(client, id, signed).status_code == 200
    again = federated(other_process, id, signed)
    assert (again.status_code, again.json["error"]) == (401, "invalid_client")
    with writing(engine) as conn:
        assert scim_clients.forget_used(conn, datetime.now(UTC)) == 0
        assert scim_clients.forget_used(conn, datetime.now(UTC) + timedelta(hours=1)) == 1


def test_a_federated_client_has_no_secret(client: FlaskClient, engine: sa.Engine, entra: SourceRow) -> None:
    keys = json.dumps({"keys": [KEY.as_dict(private=False)]})
    pasted = register(engine, entra, Federation(ISSUER, "object-id", "api://rollcall", jwks=keys))
    assert federated(client, pasted, assertion()).status_code == 200
    plain = register(engine, entra)
    known = secret(engine, entra, plain)
    assert ask(client, pasted, client_secret=known).status_code == 401
    assert federated(client, plain, assertion()).status_code == 401
    with writing(engine) as conn:
        scim_clients.remove(conn, entra.tenant_id, pasted)
    assert federated(client, pasted, assertion()).status_code == 401


def test_both_schemes_are_announced(client: FlaskClient) -> None:
    schemes = client.get("/scim/v2/ServiceProviderConfig").json["authenticationSchemes"]  # type: ignore[index]
    assert [one["type"] for one in schemes] == ["oauthbearertoken", "oauth2"]
