"""SCIM tokens over the API, and what each opens at the SCIM door."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import uuid_utils
from flask.testing import FlaskClient

from app.adapters.doorkeeper import Doorkeeper
from app.api.schemas import IssuedScimTokenSchema, ScimTokensSchema
from app.store import tables as t
from app.store.engine import writing
from scim.routes import blueprint
from scim.store import Limits

URL = "/api/v1/scim/tokens"


@pytest.fixture
def client(client: FlaskClient, engine: sa.Engine) -> FlaskClient:
    client.application.register_blueprint(blueprint(Doorkeeper(engine), Limits()))
    return client


@pytest.fixture
def headers(key: Any) -> dict[str, str]:
    found: dict[str, str] = key(("scim-tokens:write",))
    return found


def issue(client: FlaskClient, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"source": "okta", **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    assert IssuedScimTokenSchema().validate(found) == {}
    return found


def opens(client: FlaskClient, token: str) -> int:
    return client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}).status_code


def listed(client: FlaskClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get(URL, headers=headers)
    assert ScimTokensSchema().validate(answer.get_json()) == {}
    found: list[dict[str, Any]] = answer.get_json()["tokens"]
    return found


def test_a_tokens_life(client, headers, okta) -> None:
    first = issue(client, headers, name="push", expiresInDays=30)
    assert opens(client, first["token"]) == 200
    [shown] = listed(client, headers)
    assert (shown["name"], shown["source"], shown["revokedAt"]) == ("push", "okta", None)
    assert shown["lastUsedAt"] is not None
    assert first["token"] not in str(shown)

    again = client.post(f"{URL}/{first['id']}/rotate", json={"overlapHours": 1}, headers=headers).get_json()
    assert [opens(client, one["token"]) for one in (first, again)] == [200, 200]
    last = client.post(f"{URL}/{again['id']}/rotate", json={"overlapHours": 0}, headers=headers).get_json()
    assert [opens(client, one["token"]) for one in (first, again, last)] == [200, 401, 200]
    assert client.delete(f"{URL}/{last['id']}", headers=headers).status_code == 204
    assert client.delete(f"{URL}/{last['id']}", headers=headers).status_code == 404
    assert opens(client, last["token"]) == 401


def test_an_expired_token_is_refused_at_the_door(engine, client, headers, okta) -> None:
    token = issue(client, headers, expiresInDays=1)
    with writing(engine) as conn:
        expired = sa.func.now() - sa.text("interval '1 second'")
        conn.execute(sa.update(t.credentials).where(t.credentials.c.id == token["id"]).values(expires_at=expired))
    assert opens(client, token["token"]) == 401


def test_each_act_is_audited_with_who_did_it(engine, client, headers, okta) -> None:
    token = issue(client, headers)
    again = client.post(f"{URL}/{token['id']}/rotate", json={}, headers=headers).get_json()
    client.delete(f"{URL}/{again['id']}", headers=headers)
    client.delete(f"{URL}/{again['id']}", headers=headers)
    with engine.connect() as conn:
        rows = conn.execute(sa.select(t.audit.c.actor, t.audit.c.action, t.audit.c.facts).order_by(t.audit.c.number))
        told = rows.all()
    actions = ["credential.issued", "credential.rotated", "credential.revoked"]
    assert [(row.actor, row.action) for row in told] == [("api_key:test", one) for one in actions]
    assert token["token"] not in str(told)


WRONG = [{"source": "okta", "expiresInDays": 0}, {"source": "okta", "expiresInDays": "9"}, {"sauce": "okta"}, {}, [], 7]


@pytest.mark.parametrize("body", WRONG)
def test_a_wrong_body_is_refused(client, headers, okta, body) -> None:
    assert client.post(URL, json=body, headers=headers).status_code == 400
    assert listed(client, headers) == []


def test_nobody_manages_what_is_not_theirs(engine, client, key, headers, okta, entra, other) -> None:
    token = issue(client, headers)
    bound = key(("scim-tokens:write",), source_id=entra.id)
    theirs = key(("scim-tokens:write",), of=other)
    for stranger in (bound, theirs):
        assert listed(client, stranger) == []
        assert client.delete(f"{URL}/{token['id']}", headers=stranger).status_code == 404
        assert client.post(f"{URL}/{token['id']}/rotate", json={}, headers=stranger).status_code == 404
        assert client.post(URL, json={"source": "okta"}, headers=stranger).status_code in (403, 404)
    assert client.get(URL, headers=key(("accounts:read",))).status_code == 403
    assert opens(client, token["token"]) == 200
    own = client.post(URL, json={"source": "entra"}, headers=bound)
    assert own.status_code == 201


def test_another_kind_of_credential_is_no_token(engine, client, headers, key, okta) -> None:
    key(("accounts:read",))
    with engine.connect() as conn:
        ids = conn.execute(sa.select(t.credentials.c.id).where(t.credentials.c.kind == "api_key")).scalars().all()
    for id in (*ids, uuid_utils.uuid7(), "x"):
        assert client.delete(f"{URL}/{id}", headers=headers).status_code == 404
        assert client.post(f"{URL}/{id}/rotate", json={}, headers=headers).status_code == 404
