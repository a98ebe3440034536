"""`rollcall client`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store.tenants import Tenant
from tests.cli.commands import Command, runner, told

CALLBACK = "https://lms.example.com/callback"
CREATE = ("client", "create", "lms", "--tenant", "acme", "--redirect-uri", CALLBACK, "--json")


@pytest.fixture
def run(database_url: str, engine: sa.Engine, tenant: Tenant) -> Command:
    return runner(database_url, ROLLCALL_SECRET_KEY="a" * 43 + "=")


def test_a_clients_life(run: Command) -> None:
    made = told(run(*CREATE, "--scope", "openid", "--scope", "groups", "--token-format", "jwt"))
    assert made["discovery_url"].endswith("/.well-known/openid-configuration")
    again = told(run("client", "rotate", made["client_id"], "--tenant", "acme", "--json"))
    assert again["client_secret"] != made["client_secret"]
    text = run("client", "show", made["client_id"], "--tenant", "acme", "--json").stdout
    assert made["client_secret"] not in text
    shown = told(run("client", "show", made["client_id"], "--tenant", "acme", "--json"))
    assert (shown["scopes"], shown["token_format"], shown["kind"]) == (["openid", "groups"], "jwt", "web")
    assert [one["expires_at"] is not None for one in shown["secrets"]] == [True, False]
    assert CALLBACK in run("client", "show", made["client_id"], "--tenant", "acme").stdout
    assert "valid" in run("client", "list", "--tenant", "acme").stdout
    assert told(run("api", "client", "list", "--tenant", "acme", "--json")) == []
    assert told(run("scim", "client", "list", "--tenant", "acme", "--json")) == []
    assert run("client", "remove", made["client_id"], "--tenant", "acme").exit_code == 0
    assert run("client", "remove", made["client_id"], "--tenant", "acme").exit_code == 1
    assert run("client", "rotate", made["client_id"], "--tenant", "acme").exit_code == 1
    assert "removed" in run("client", "list", "--tenant", "acme").stdout
    acts = run("audit", "list", "--tenant", "acme", "--json").stdout
    assert [act["action"] for act in json.loads(acts)] == ["client.removed", "client.secret_added", "client.created"]
    assert made["client_secret"] not in acts


def test_a_public_native_client_has_no_secret(run: Command) -> None:
    made = told(run(*CREATE, "--public", "--native", "--redirect-uri", "http://127.0.0.1/cb"))
    assert made["client_secret"] is None
    assert "public native" in run("client", "list", "--tenant", "acme").stdout
    assert run("client", "rotate", made["client_id"], "--tenant", "acme").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--redirect-uri", "http://lms.example.com/"),
        ("--redirect-uri", "https://*.example.com/"),
        ("--post-logout-redirect-uri", "https://lms.example.com/#x"),
        ("--back-channel-logout-uri", "ftp://lms.example.com/"),
        ("--public", "--introspects"),
        ("--public", "--jwks-url", "https://lms.example/keys"),
        ("--jwks-url", "http://lms.example/keys"),
        ("--expires-in", "5", "--jwks-url", "https://lms.example/keys"),
        ("--public", "--expires-in", "5"),
        ("--scope", "email"),
        ("--scope", "everything"),
    ],
)
def test_wrong_usage(run: Command, words: tuple[str, ...]) -> None:
    assert run(*CREATE, *words).exit_code == 2


def test_what_is_not_there_is_not_shown(run: Command) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    assert run("client", "show", nobody, "--tenant", "acme").exit_code == 1
    assert run("client", "show", "x", "--tenant", "acme").exit_code == 2


def test_a_client_that_signs_has_no_secret(run: Command, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "use": "sig"}]}))
    for option in (("--jwks-file", str(keys)), ("--jwks-url", "https://lms.example/keys")):
        made = told(run(*CREATE, *option))
        assert made["client_secret"] is None
        shown = told(run("client", "show", made["client_id"], "--tenant", "acme", "--json"))
        assert (shown["auth_method"], shown["secrets"]) == ("private_key_jwt", [])
        assert run("client", "rotate", made["client_id"], "--tenant", "acme").exit_code == 2
    assert shown["jwks_url"] == "https://lms.example/keys"


@pytest.mark.parametrize(
    "text", ["{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AA"}]}', '{"keys": [{"d": "x"}]}']
)
def test_a_key_set_that_is_none(run: Command, tmp_path: Path, text: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(text)
    assert run(*CREATE, "--jwks-file", str(keys)).exit_code == 2
