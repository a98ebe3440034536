"""Provisioning: the sources, their credentials, and connecting a provider."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.adapters import issuing
from app.store import tables as t
from app.store import tenants
from app.store.engine import reading, writing
from app.store.tenants import SourceRow
from tests.waiting import soon

HOME = "/admin/provisioning"


def secret(html: str) -> str:
    """The token that a page shows this once."""
    return re.findall(r"rc_(?:scim|key|client)_[\w-]{43}", html)[0]


def told(engine: sa.Engine) -> list[Any]:
    with reading(engine) as conn:
        return list(conn.execute(sa.select(t.audit.c.actor, t.audit.c.action).order_by(t.audit.c.number)))


def test_without_a_source_the_next_step_is_said(console: Any) -> None:
    seen = console("admin").get(HOME)
    assert "No provider is connected yet" in seen.text
    assert f"{HOME}/new" in seen.links
    assert f"{HOME}/new" not in console("auditor").get(HOME).links


def test_a_source_is_added_connected_and_seen_at_work(console: Any, scim: Any, engine: sa.Engine) -> None:
    admin = console("admin")
    seen = admin.post(f"{HOME}/new", name="okta", system="okta", affiliation="employee")
    assert seen.at.endswith("/set-up")
    assert "Connect Okta" in seen.text
    assert "Waiting for the first request" in seen.text
    assert 'hx-trigger="every 2s"' in seen.html
    assert "/scim/v2" in seen.text

    made = admin.post(seen.at, name="Okta", lives="90", idp="okta")
    token = secret(made.html)
    assert made.headers["Cache-Control"] == "no-store"
    assert token not in admin.get(seen.at).html
    assert scim(token).status_code == 200

    arrived = admin.get(seen.at)
    assert "It works: a request has arrived" in arrived.text
    assert 'hx-trigger="every 2s"' not in arrived.html
    assert "GET /Users" in arrived.text
    overview = admin.get(HOME)
    assert "never used" not in overview.text
    assert "Expires in 90 days" in overview.text
    assert [row.action for row in told(engine)] == ["source.created", "credential.issued"]
    assert told(engine)[0].actor.startswith("administrator admin-")


def test_a_refused_first_request_says_what_to_do(console: Any, scim: Any, engine: sa.Engine, okta: SourceRow) -> None:
    token = issuing.issue(engine, okta.tenant_id, "scim_token", "x", actor="t", source_id=okta.id).secret
    scim(token, path='/Users?filter=nothing eq "x"')
    seen = console("auditor").get(f"{HOME}/{okta.id}/set-up")
    assert "arrived and was refused" in seen.text
    assert "Match by userName or externalId" in seen.text
    assert "every 2s" in seen.html


def test_wrong_forms_come_back_with_their_values(console: Any, okta: SourceRow) -> None:
    admin = console("admin")
    seen = admin.post(f"{HOME}/new", name="No Name", system="other", other="Key Cloak", affiliation="employee")
    assert seen.status == 422
    assert 'value="No Name"' in seen.html
    assert 'aria-invalid="true"' in seen.html
    assert admin.post(f"{HOME}/new", name="okta", system="okta", affiliation="employee").status == 422
    assert admin.post(f"{HOME}/{okta.id}/tokens", name="", lives="90").status == 422
    assert admin.post(f"{HOME}/{okta.id}/tokens", name="x", lives="soon").status == 422
    assert admin.post(f"{HOME}/{okta.id}/set-up", name="", lives="90", idp="okta").status == 422


def test_a_source_that_nobody_names_is_called_as_its_product(console: Any, okta: SourceRow) -> None:
    assert okta.name == "okta"
    seen = console("admin").post(f"{HOME}/new", name="", system="okta", affiliation="employee")
    assert seen.said == ["The source okta-2 is there. Now connect it."]
    seen = console("admin").post(f"{HOME}/new", name="Partners", system="okta", affiliation="customer")
    assert seen.said == ["The source partners is there. Now connect it."]


def test_rotating_with_an_overlap_keeps_both_until_the_old_is_revoked(
    console: Any, scim: Any, engine: sa.Engine, okta: SourceRow
) -> None:
    admin, at = console("admin"), f"{HOME}/{okta.id}"
    old = secret(admin.post(f"{at}/tokens", name="Okta", lives="never").html)
    ids = _ids(engine)
    again = admin.post(f"{at}/tokens/{ids[0]}/rotate", overlap="24", lives="365")
    new = secret(again.html)
    assert "stays valid for a day" in again.text
    assert [scim(one).status_code for one in (old, new)] == [200, 200]
    done = admin.post(f"{at}/tokens/{ids[0]}/revoke")
    assert "is revoked" in done.said[0]
    assert soon(lambda: scim(old).status_code == 401)  # a server remembers for a second
    assert scim(new).status_code == 200
    assert admin.post(f"{at}/tokens/{ids[0]}/revoke").status == 409
    assert admin.post(f"{at}/tokens/{ids[0]}/rotate", overlap="24", lives="365").status == 409
    actions = [row.action for row in told(engine)]
    assert actions == ["credential.issued", "credential.rotated", "credential.revoked"]


def test_an_oauth_client_lives_by_its_secrets(
    console: Any, application: Flask, engine: sa.Engine, okta: SourceRow
) -> None:
    admin, at = console("admin"), f"{HOME}/{okta.id}"
    seen = admin.post(f"{at}/clients", name="Entra", lives="365")
    [client_id] = _ids(engine, "client")
    assert client_id in seen.text

    def works(one: str) -> bool:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": one}
        return application.test_client().post("/oauth/token", data=form).status_code == 200

    first, second = (
        secret(seen.html),
        secret(admin.post(f"{at}/clients/{client_id}/secrets", overlap="1", lives="90").html),
    )
    assert [works(first), works(second)] == [True, True]
    [first_id, _] = _ids(engine, "client_secret")
    admin.post(f"{at}/clients/{client_id}/secrets/{first_id}/revoke")
    assert [works(first), works(second)] == [False, True]
    admin.post(f"{at}/clients/{client_id}/remove")
    assert not works(second)
    assert (
        "Entra"
        not in admin.get(at).text.split("OAuth clients")[1].split("Newest requests")[0].split("There is none")[0]
    )


def test_an_issuer_is_trusted_or_said_to_be_wrong(console: Any, engine: sa.Engine, entra: SourceRow) -> None:
    admin, at = console("admin"), f"{HOME}/{entra.id}"
    trust = {"name": "Entra", "proof": "issuer", "lives": "never", "issuer": "https://i.example", "subject": "s"}
    wrong = admin.post(f"{at}/clients", **trust, audience="", jwks_url="http://i.example/keys")
    assert wrong.status == 422
    assert "letter by letter" in wrong.text
    done = admin.post(f"{at}/clients", **trust, audience="a", jwks_url="https://i.example/keys")
    assert done.status == 200
    assert "Trusts an issuer" in done.text
    assert _ids(engine, "client")[0] in done.text


def test_api_keys_have_scopes_that_are_explained(console: Any, engine: sa.Engine, okta: SourceRow) -> None:
    admin, at = console("admin"), f"{HOME}/api-keys"
    assert "Send records of an HR system or CRM." in admin.get(at).text
    assert admin.post(at, name="payroll", lives="90").status == 422
    assert admin.post(at, name="payroll", lives="90", scopes=["everything"]).status == 422
    made = admin.post(at, name="payroll", lives="90", scopes=["records:write"], source=okta.id)
    assert secret(made.html).startswith("rc_key_")
    [id] = _ids(engine, "api_key")
    assert secret(admin.post(f"{at}/{id}/rotate", overlap="0", lives="90").html) != secret(made.html)
    assert "is revoked" in admin.post(f"{at}/{_ids(engine, 'api_key')[1]}/revoke").said[0]


def test_a_set_up_link_leads_to_one_source_and_one_act(
    console: Any, scim: Any, okta: SourceRow, entra: SourceRow
) -> None:
    it = console(link="scim", source_id=okta.id)
    seen = it.get(f"{HOME}/{okta.id}/set-up?idp=generic")
    assert seen.status == 200
    assert f"{HOME}/{okta.id}" not in seen.links
    token = secret(it.post(f"{HOME}/{okta.id}/set-up", name="IT", lives="90", idp="generic").html)
    assert scim(token).status_code == 200
    assert "It works" in it.get(f"{HOME}/{okta.id}/set-up").text
    assert it.get(f"{HOME}/{entra.id}/set-up").status == 404
    assert it.post(f"{HOME}/{entra.id}/set-up", name="IT", lives="90").status == 404
    for path in (HOME, f"{HOME}/{okta.id}", f"{HOME}/requests", f"{HOME}/api-keys"):
        assert it.get(path).status == 403
    assert it.post(f"{HOME}/{okta.id}/tokens", name="x", lives="90").status == 403


def test_nobody_reaches_another_tenants_source(console: Any, engine: sa.Engine, okta: SourceRow) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    token = issuing.issue(engine, okta.tenant_id, "scim_token", "x", actor="t", source_id=okta.id)
    stranger = console("owner", tenant_id=other.id)
    for path in (f"{HOME}/{okta.id}", f"{HOME}/{okta.id}/set-up", f"{HOME}/no-id", f"{HOME}/no-id/set-up"):
        assert stranger.get(path).status == 404
    assert "okta" not in stranger.get(HOME).text.lower().split("identity provider")[0]
    for act in ("rotate", "revoke"):
        assert stranger.post(f"{HOME}/{okta.id}/tokens/{token.id}/{act}", overlap="0", lives="90").status == 404


def test_an_auditor_sees_and_cannot_act(console: Any, engine: sa.Engine, okta: SourceRow) -> None:
    token = issuing.issue(engine, okta.tenant_id, "scim_token", "Okta", actor="t", source_id=okta.id)
    auditor = console("auditor")
    seen = auditor.get(f"{HOME}/{okta.id}")
    assert "Okta" in seen.text
    assert "Revoke this token" not in seen.text
    assert auditor.post(f"{HOME}/{okta.id}/tokens/{token.id}/revoke").status == 403


def _ids(engine: sa.Engine, kind: str = "scim_token") -> list[str]:
    with reading(engine) as conn:
        chosen = sa.select(t.credentials.c.id).where(t.credentials.c.kind == kind).order_by(t.credentials.c.id)
        return [str(one) for one in conn.execute(chosen).scalars()]
