"""`rollcall scim client`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from joserfc.jwk import RSAKey

from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import SourceRow
from tests.cli.commands import Command, runner, told

TRUST = ("--issuer", "https://i.example", "--subject", "s", "--audience", "a")


@pytest.fixture
def run(database_url: str, engine: sa.Engine, okta: SourceRow) -> Command:
    return runner(database_url)


def test_a_clients_life(run: Command) -> None:
    made = told(run("scim", "client", "create", "entra", "--tenant", "acme", "--source", "okta", "--json"))
    assert made["token_url"].endswith("/oauth/token")
    assert made["scope"] == "scim"
    again = told(
        run("scim", "client", "rotate", made["client_id"], "--tenant", "acme", "--expires-in", "365", "--json")
    )
    assert again["client_id"] == made["client_id"]
    assert again["client_secret"] != made["client_secret"]
    text = run("scim", "client", "list", "--tenant", "acme", "--json").stdout
    assert made["client_secret"] not in text
    [listed] = json.loads(text)
    assert [one["expires_at"] is not None for one in listed["secrets"]] == [True, True]
    assert "valid until" in run("scim", "client", "list", "--tenant", "acme").stdout
    assert run("scim", "client", "remove", made["client_id"], "--tenant", "acme").exit_code == 0
    assert run("scim", "client", "remove", made["client_id"], "--tenant", "acme").exit_code == 1
    assert "revoked" in run("scim", "client", "list", "--tenant", "acme").stdout


def test_a_federated_client(run: Command, tmp_path: Path) -> None:
    create = ("scim", "client", "create", "entra", "--tenant", "acme", "--source", "okta", "--json", *TRUST)
    made = told(run(*create, "--jwks-url", "https://i.example/keys"))
    assert made["client_secret"] is None
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [RSAKey.generate_key(2048).as_dict(private=False)]}))
    assert run(*create, "--jwks-file", keys).exit_code == 0
    own = told(run(*create[: -len(TRUST)], "--jwks-file", keys))
    listed = told(run("scim", "client", "list", "--tenant", "acme", "--json"))
    [trusted] = [one["federation"] for one in listed if one["id"] == own["client_id"]]
    assert (trusted["issuer"], trusted["subject"]) == (own["client_id"], own["client_id"])
    assert trusted["audience"] == own["token_url"]
    assert "https://i.example" in run("scim", "client", "list", "--tenant", "acme").stdout


def test_each_act_is_audited(run: Command, engine: sa.Engine) -> None:
    at = ("--tenant", "acme")
    token = told(run("scim", "token", "create", *at, "--source", "okta", "--json"))
    token = told(run("scim", "token", "rotate", token["id"], *at, "--json"))
    run("scim", "token", "revoke", token["id"], *at)
    made = told(run("scim", "client", "create", "entra", *at, "--source", "okta", "--json"))
    run("scim", "client", "rotate", made["client_id"], *at)
    run("scim", "client", "remove", made["client_id"], *at)
    key = told(run("api", "key", "create", "hr", *at, "--scope", "accounts:read", "--json"))
    run("api", "key", "revoke", key["id"], *at)
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.audit.c.actor, t.audit.c.action).order_by(t.audit.c.number)).all()
    assert {row.actor.partition(":")[0] for row in rows} == {"cli"}
    credential = ["credential.issued", "credential.rotated", "credential.revoked"]
    client = ["scim_client.created", "scim_client.secret_added", "scim_client.removed"]
    assert [row.action for row in rows] == [*credential, *client, "credential.issued", "credential.revoked"]


def test_wrong_usage(run: Command, tmp_path: Path) -> None:
    create = ("scim", "client", "create", "entra", "--tenant", "acme", "--source", "okta")
    private = tmp_path / "keys.json"
    private.write_text(json.dumps({"keys": [RSAKey.generate_key(2048).as_dict(private=True)]}))
    for words in (
        ("--issuer", "https://i.example"),
        TRUST,
        (*TRUST, "--jwks-url", "http://i.example/keys"),
        (*TRUST, "--jwks-file", private),
        (*TRUST, "--jwks-url", "https://i.example/keys", "--expires-in", "5"),
    ):
        assert run(*create, *words).exit_code == 2
