"""`rollcall connection`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.adapters.connections import Connections
from app.cli import rollcall
from app.cli.context import Context
from app.store import tenants
from app.store.vault import Vault
from sso import certificates
from tests.certificates import certificate
from tests.cli.commands import told
from tests.metadata import ENTITY, URL, Answer, FakeWeb, metadata

KEY = b"k" * 32
BASE = "https://id.example"
Run = Callable[..., Result]
OIDC = ("connection", "create", "--tenant", "acme", "--type", "oidc", "--name", "entra", "--issuer")
SAML = ("connection", "create", "--tenant", "acme", "--type", "saml", "--name", "okta-login")


@pytest.fixture
def run(engine: sa.Engine, database_url: str, okta: tenants.SourceRow) -> Run:
    def _run(*words: object, answer: str = "") -> Result:
        environ = {
            "DATABASE_URL": database_url,
            "ROLLCALL_LOG_LEVEL": "error",
            "ROLLCALL_SECRET_KEY": base64.b64encode(KEY).decode(),
            "ROLLCALL_PUBLIC_URL": BASE,
        }
        return CliRunner().invoke(rollcall, [str(word) for word in words], obj=Context(environ), input=answer)

    return _run


def _oidc(run: Run, *more: object) -> Result:
    words = (*OIDC, "https://idp.example", "--client-id", "abc", "--client-secret-stdin", "--json", *more)
    return run(*words, answer="s3cret\n")


def _pem(folder: Path, *texts: str) -> Path:
    path = folder / "idp.pem"
    path.write_text("".join(texts))
    return path


def test_an_openid_connection_from_creation_to_removal(run: Run, engine: sa.Engine) -> None:
    made = told(
        _oidc(run, "--title", "Acme", "--domain", "Acme.example", "--claim", "email=mail", "--claim", "email=m2")
    )
    at = f"{BASE}/oidc/{made['id']}"
    assert made["addresses"] == {
        "redirect_uri": f"{at}/callback",
        "post_logout_redirect_uri": f"{BASE}/signed-out",
        "backchannel_logout_uri": f"{at}/backchannel-logout",
        "frontchannel_logout_uri": f"{at}/frontchannel-logout",
        "sign_in_url": f"{BASE}/sign-in/acme/entra",
    }
    assert (made["state"], made["title"], made["domains"], made["arrival"]) == ("on", "Acme", ["acme.example"], "link")
    assert made["claims"] == {"email": ["mail", "m2"]}
    assert "s3cret" not in str(made)
    known = Connections(engine, lambda: Vault([KEY]), BASE)
    found = known.find(made["id"])
    assert found is not None
    assert found.secret == "s3cret"
    of = ("entra", "--tenant", "acme")
    shown = run("connection", "show", *of)
    assert f"{at}/callback" in shown.stdout
    assert "s3cret" not in shown.stdout
    assert told(run("connection", "disable", *of, "--end-sessions", "--json"))["enabled"] is False
    assert told(run("connection", "list", "--tenant", "acme", "--json"))[0]["state"] == "off"
    assert "switched on" in run("connection", "enable", *of).stdout
    changed = told(run("connection", "set", *of, "--arrival", "create", "--setting", "max-age=60", "--json"))
    assert (changed["arrival"], changed["settings"]["max_age"]) == ("create", 60)
    assert run("connection", "remove", *of, answer="n\n").exit_code == 1
    assert told(run("connection", "remove", *of, "--yes", "--json"))["removed"]
    assert run("connection", "show", *of).exit_code == 1


def test_a_saml_connection_by_hand(run: Run, tmp_path: Path) -> None:
    old, new = certificate("old", days=30), certificate("new", days=-1)
    words = (
        "--entity-id",
        "http://www.okta.com/abc",
        "--sso-url",
        "https://okta.example/sso",
        "--paired-source",
        "okta",
    )
    more = ("--paired-source", "okta", "--allow-unsolicited", "--json")
    made = told(run(*SAML, *words, "--certificate", _pem(tmp_path, old, new), *more))
    at = f"{BASE}/saml/{made['id']}"
    assert made["addresses"] == {
        "entity_id": at,
        "acs_url": f"{at}/acs",
        "slo_url": f"{at}/slo",
        "metadata_url": at,
        "sign_in_url": f"{BASE}/sign-in/acme/okta-login",
    }
    assert [one["fingerprint"] for one in made["certificates"]] == [
        certificates.read(one).fingerprint for one in (old, new)
    ]
    assert made["settings"]["allow_unsolicited"] is True
    [warning] = made["warnings"]
    assert "no signing certificate is valid beyond" in warning
    shown = run("connection", "show", "okta-login", "--tenant", "acme").stdout
    assert certificates.read(old).fingerprint in shown
    assert "warning: " in shown
    of = ("okta-login", "--tenant", "acme")
    changed = told(run("connection", "set", *of, "--certificate", _pem(tmp_path, certificate("next")), "--json"))
    assert (len(changed["certificates"]), changed["warnings"]) == (1, [])
    assert changed["paired_source_id"] == made["paired_source_id"]
    assert made["paired_source_id"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*OIDC, "http://idp.example", "--client-id", "a", "--client-secret-stdin"), "issuer: plain http"),
        ((*OIDC, "https://idp.example", "--client-id", "a"), "needs a client secret"),
        ((*OIDC, "https://idp.example", "--client-secret-stdin"), "client_id: Missing"),
        ((*OIDC, "https://idp.example", "--client-id", "a", "--claim", "mail"), "is not NAME=VALUE"),
        ((*OIDC, "https://idp.example", "--client-id", "a", "--setting", "x=1"), "x: there is no such setting"),
        ((*SAML, "--entity-id", "e", "--sso-url", "https://idp.example/"), "certificates: Missing"),
        ((*SAML[:-1], "Okta Login"), "is not a name for a connection"),
    ],
)
def test_what_cannot_be_is_a_usage_error(run: Run, words: tuple[str, ...], sentence: str) -> None:
    failed = run(*words, answer="s\n")
    assert (failed.exit_code, sentence in failed.output) == (2, True), failed.output


def test_a_name_that_is_taken(run: Run) -> None:
    assert _oidc(run).exit_code == 0
    failed = _oidc(run)
    assert (failed.exit_code, "has a source entra already" in failed.output) == (1, True)


def test_metadata_from_a_file_and_from_standard_input(run: Run, tmp_path: Path) -> None:
    old, new = certificate("old"), certificate("new")
    path = tmp_path / "idp.xml"
    path.write_bytes(metadata(old))
    made = told(run(*SAML, "--metadata", path, "--json"))
    assert made["settings"]["entity_id"] == ENTITY
    assert (made["settings"]["sso_url"], made["settings"]["slo_url"]) == (
        "https://idp.example/sso",
        "https://idp.example/slo",
    )
    assert (made["metadata_url"], len(made["certificates"])) == (None, 1)
    of = ("okta-login", "--tenant", "acme")
    changed = told(run("connection", "set", *of, "--metadata", "-", "--json", answer=metadata(new, slo=False).decode()))
    assert [one["subject"] for one in changed["certificates"]] == ["CN=new"]
    assert changed["settings"]["slo_url"] is None
    path.write_bytes(metadata(new, entity_id="https://other.example"))
    failed = run("connection", "set", *of, "--metadata", path)
    assert (failed.exit_code, "found none" in failed.output) == (2, True), failed.output


def test_metadata_from_an_address_is_read_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = certificate("old"), certificate("new")
    web = FakeWeb({URL: Answer(body=metadata(old))})
    monkeypatch.setattr("app.cli.connection_making.way_out", lambda *_: web)
    monkeypatch.setattr("app.cli.connection_testing.way_out", lambda *_: web)
    made = told(run(*SAML, "--metadata", URL, "--json"))
    assert made["metadata_url"] == URL
    assert made["refresh_at"]
    of = ("okta-login", "--tenant", "acme")
    assert run("connection", "refresh", *of).stdout == "Nothing is new.\n"
    web.answers[URL] = Answer(body=metadata(new))
    failed = run("connection", "refresh", *of)
    assert (failed.exit_code, "--accept-certificates" in failed.stdout) == (1, True)
    assert "its metadata was not taken over" in run("connection", "show", *of).stdout
    done = told(run("connection", "refresh", *of, "--accept-certificates", "--json"))
    assert done == {"changed": ["certificates"], "failure": None}
    assert told(run("connection", "show", *of, "--json"))["warnings"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*SAML, "--metadata", "/does/not/exist"), "--metadata: "),
        ((*SAML, "--metadata", "http://idp.example/"), "plain http is for loopback only"),
        ((*SAML, "--metadata", "https://10.0.0.1/"), "private network"),
        ((*OIDC, "https://idp.example", "--metadata", "x"), "--metadata is for SAML"),
    ],
)
def test_metadata_that_cannot_be_had(run: Run, words: tuple[str, ...], sentence: str) -> None:
    failed = run(*words)
    assert (failed.exit_code, sentence in failed.output) == (2, True), failed.output


def test_addresses_beforehand(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "idp.xml"
    path.write_bytes(metadata(certificate()))
    of = ("--tenant", "acme", "--type", "saml", "--name", "okta-login")
    told_before = told(run("connection", "prepare", *of, "--json"))
    assert "then: rollcall connection create --id" in run("connection", "prepare", *of).stdout
    made = told(run(*SAML, "--metadata", path, "--id", told_before["id"], "--json"))
    assert made["addresses"] == told_before["addresses"]
    assert made["id"] == told_before["id"]
    again = run(*SAML[:-1], "other", "--metadata", path, "--id", told_before["id"])
    assert (again.exit_code, "of the id" in again.output) == (1, True)
    assert run(*SAML[:-1], "other", "--metadata", path, "--id", "x").exit_code == 2
