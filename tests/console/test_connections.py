"""Connections in the console: set up step by step, understood before they are saved, tested, switched on, removed."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.adapters import understanding
from app.console.connections.place import BASE
from app.store import connection_setups, connections, saml_keys, sign_ins, tenants
from app.store.connections import Stored
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from app.store.vault import Vault
from sso.discovery import ProviderMetadata
from tests.console.conftest import KEY, Console, Seen
from tests.metadata import metadata
from tests.sso import saml_idp

Enter = Callable[..., Console]
IDP = saml_idp.idp_of("rsa")


@pytest.fixture(autouse=True)
def our_key(engine: sa.Engine) -> None:
    """Else the first set-up makes one, which takes long."""
    with writing(engine) as conn:
        if not saml_keys.current(conn):
            key = saml_idp.our_key("ours")
            saml_keys.add(conn, key.certificate, key.private, datetime.now(UTC), Vault([KEY]))


def _begin(console: Console, vendor: str = "okta", kind: str = "saml") -> str:
    seen = console.post(f"{BASE}/new", vendor=vendor, kind=kind)
    assert seen.status == 200, seen.text
    return seen.at.removeprefix(f"{BASE}/").partition("/")[0]


def _made(console: Console) -> str:
    """A connection by pasted metadata, switched off."""
    id = _begin(console)
    console.post(f"{BASE}/{id}/provider", document=_metadata())
    seen = console.post(f"{BASE}/{id}/provider/save")
    assert seen.status == 200, seen.text
    return id


def _metadata(entity_id: str = IDP.entity_id) -> str:
    return metadata(f"-----BEGIN CERTIFICATE-----\n{IDP.body}\n-----END CERTIFICATE-----", entity_id=entity_id).decode()


def _stored(engine: sa.Engine, id: str) -> Stored:
    with reading(engine) as conn:
        found = connections.find(conn, id)
    assert found is not None
    return found


def _actions(engine: sa.Engine) -> list[str]:
    with reading(engine) as conn:
        return list(conn.execute(sa.text("SELECT action FROM audit ORDER BY number")).scalars())


def test_nothing_yet_says_the_next_step(console: Enter) -> None:
    seen = console("admin").get(BASE)
    assert "Nobody can sign in yet" in seen.text
    assert f"{BASE}/new" in seen.links
    assert f"{BASE}/new" not in console("auditor").get(BASE).links


def test_the_values_are_there_before_the_connection_is(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _begin(admin)
    seen = admin.get(f"{BASE}/{id}/guide")
    assert "Create App Integration" in seen.text
    assert f"/saml/{id}/acs" in seen.html
    assert "Audience URI (SP Entity ID)" in seen.text
    with reading(engine) as conn:
        assert connections.find(conn, id) is None
    assert admin.client.get(f"/saml/{id}").status_code == 200
    assert f"/saml/{id}/acs".encode() in admin.client.get(f"{BASE}/{id}/metadata.xml").data
    assert admin.client.post(f"/saml/{id}/acs", data={"SAMLResponse": "eA=="}).status_code in (400, 403)


def test_it_can_be_left_and_gone_on_with(console: Enter) -> None:
    admin = console("admin")
    id = _begin(admin)
    admin.post(f"{BASE}/{id}/provider", document=_metadata())
    seen = admin.get(BASE)
    assert "Being set up" in seen.text
    seen = admin.get(f"{BASE}/{id}")
    assert seen.at == f"{BASE}/{id}/provider"
    assert "What we understood" in seen.text


def test_metadata_is_shown_before_it_is_saved(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _begin(admin)
    seen = admin.post(f"{BASE}/{id}/provider", document=_metadata())
    assert IDP.entity_id in seen.text
    assert "Signing certificate" in seen.text
    with reading(engine) as conn:
        assert connections.find(conn, id) is None
    seen = admin.post(f"{BASE}/{id}/provider/save")
    assert seen.at == f"{BASE}/{id}/people"
    stored = _stored(engine, id)
    assert (stored.enabled, stored.settings["entity_id"], stored.name) == (False, IDP.entity_id, "okta-login")
    assert _actions(engine)[-2:] == ["connection.prepared", "connection.created"]


def test_a_file_serves_as_well(console: Enter) -> None:
    admin = console("admin")
    id = _begin(admin, "google")
    file = (io.BytesIO(_metadata().encode()), "GoogleIDPMetadata.xml")
    seen = admin.post(f"{BASE}/{id}/provider", files={"file": file})
    assert "What we understood" in seen.text


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("-----BEGIN CERTIFICATE-----\nMII", "This is a certificate"),
        ("<!DOCTYPE html><html></html>", "This is a web page"),
        ("https://idp.example.com/metadata", "This is an address"),
        (
            "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'><SPSSODescriptor/></EntityDescriptor>",
            "service provider",
        ),
        ("hello", "Xml"),
        ("", "one of them is enough"),
    ],
)
def test_what_is_pasted_by_mistake_comes_back_with_its_sentence(console: Enter, pasted: str, sentence: str) -> None:
    admin = console("admin")
    id = _begin(admin)
    seen = admin.post(f"{BASE}/{id}/provider", document=pasted)
    assert seen.status == 422
    assert sentence.lower() in seen.text.lower()
    assert 'aria-invalid="true"' in seen.html


def test_a_provider_without_metadata_is_entered_by_hand(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _begin(admin, "other")
    said = {"hand_entity_id": "https://idp.example/id", "sso_url": "https://idp.example/sso", "certificate": "nonsense"}
    seen = admin.post(f"{BASE}/{id}/provider", **said)
    assert seen.status == 422
    assert "no certificate" in seen.text
    assert "https://idp.example/sso" in seen.html
    admin.post(f"{BASE}/{id}/provider", **{**said, "certificate": IDP.body})
    admin.post(f"{BASE}/{id}/provider/save")
    assert _stored(engine, id).settings["sso_url"] == "https://idp.example/sso"


def test_who_gets_in_is_said_and_changed(console: Enter, engine: sa.Engine, okta: tenants.SourceRow) -> None:
    admin = console("admin")
    id = _made(admin)
    said = {"title": "Acme staff", "domains": "acme.example, acme.test", "arrival": "create", "paired": "okta"}
    seen = admin.post(f"{BASE}/{id}/people", **said)
    assert seen.at == f"{BASE}/{id}/claims"
    stored = _stored(engine, id)
    assert (stored.title, list(stored.domains)) == ("Acme staff", ["acme.example", "acme.test"])
    assert stored.source_settings == {"arrival": "create", "paired_source_id": okta.id}
    before = len(_actions(engine))
    assert admin.post(f"{BASE}/{id}/people", **said).said == ["Nothing changed."]
    assert len(_actions(engine)) == before
    seen = admin.post(f"{BASE}/{id}/people", **{**said, "domains": "not a domain!"})
    assert seen.status == 422
    assert "is not a domain name" in seen.text


def test_the_one_scim_source_of_the_provider_is_proposed(
    console: Enter, engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow
) -> None:
    admin = console("admin")
    id = _made(admin)
    proposed = f'<option value="{okta.name}" selected>'
    assert proposed in admin.get(f"{BASE}/{id}/people").html
    with writing(engine) as conn:
        tenants.create_source(conn, tenant.id, "okta-partners", kind="idp", system="okta")
    assert proposed not in admin.get(f"{BASE}/{id}/people").html


def test_attributes_are_named(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _made(admin)
    admin.post(f"{BASE}/{id}/claims", email="mail, workMail", groups="memberships")
    assert _stored(engine, id).claims == {"email": ["mail", "workMail"], "groups": ["memberships"]}
    admin.post(f"{BASE}/{id}/claims", email="", groups="memberships")
    assert _stored(engine, id).claims == {"groups": ["memberships"]}


def test_it_is_switched_on_and_off_and_removed(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _made(admin)
    admin.post(f"{BASE}/{id}/enable")
    assert _stored(engine, id).enabled
    seen = admin.post(f"{BASE}/{id}/disable", sessions="yes")
    assert "switched off" in seen.text
    assert not _stored(engine, id).enabled
    assert admin.post(f"{BASE}/{id}/remove", name="wrong").status == 422
    seen = admin.post(f"{BASE}/{id}/remove", name="okta-login")
    assert seen.at == BASE
    with reading(engine) as conn:
        assert connections.find(conn, id) is None
        assert connection_setups.waiting(conn, _tenant(conn)) == []
    assert admin.get(f"{BASE}/{id}").status == 404


def _tenant(conn: sa.Connection) -> str:
    return tenants.find(conn, "acme").id


def test_settings_come_back_with_what_is_wrong(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _made(admin)
    form = {"want_assertions_signed": "yes", "sso_binding": "redirect", "slo_binding": "redirect", "skew": "60"}
    seen = admin.post(f"{BASE}/{id}/settings", **form)
    assert seen.said == ["Saved."]
    assert _stored(engine, id).settings["skew"] == 60
    seen = admin.post(f"{BASE}/{id}/settings", **{**form, "skew": "9999"})
    assert seen.status == 422
    assert "300" in seen.text
    seen = admin.post(f"{BASE}/{id}/settings", **{**form, "demand_context": "yes"})
    assert seen.status == 422


def test_an_openid_provider_is_read_before_its_client_is_saved(
    console: Enter, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = console("admin")
    id = _begin(admin, "entra", "oidc")
    seen = admin.post(f"{BASE}/{id}/provider", issuer="https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0")
    assert seen.status == 422
    assert "Put your own domain or directory" in seen.text
    told = ProviderMetadata(
        "https://idp.example", "https://idp.example/a", "https://idp.example/t", "https://idp.example/k"
    )
    monkeypatch.setattr(understanding.discovery, "fetch", lambda _web, _issuer: told)
    seen = admin.post(f"{BASE}/{id}/provider", issuer="https://idp.example")
    assert "https://idp.example/a" in seen.text
    seen = admin.post(f"{BASE}/{id}/provider/save", client_id="hub", client_secret="")
    assert seen.status == 422
    seen = admin.post(f"{BASE}/{id}/provider/save", client_id="hub", client_secret="s3cret")
    stored = _stored(engine, id)
    assert (stored.settings["issuer"], stored.settings["client_id"]) == ("https://idp.example", "hub")
    assert stored.secret is not None
    assert b"s3cret" not in stored.secret
    assert "s3cret" not in admin.get(f"{BASE}/{id}").html
    seen = admin.post(f"{BASE}/{id}/secret", client_secret="other")
    assert "kept" in seen.said[0]
    assert _stored(engine, id).secret != stored.secret


def test_metadata_of_another_provider_is_not_taken_over(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    id = _made(admin)
    seen = admin.post(f"{BASE}/{id}/provider", document=_metadata(entity_id="https://else.example"))
    assert seen.status == 422
    assert _stored(engine, id).settings["entity_id"] == IDP.entity_id


def test_the_checks_are_shown_with_their_remedies(console: Enter) -> None:
    admin = console("admin")
    id = _made(admin)
    seen = admin.get(f"{BASE}/{id}/checks")
    assert "it is switched off" in seen.text
    assert "Certificate" in seen.text


def test_another_tenants_connection_is_not_there(console: Enter, engine: sa.Engine) -> None:
    id = _made(console("admin"))
    with writing(engine) as conn:
        other = tenants.create(conn, "other").id
    stranger = console("owner", tenant_id=other)
    for path in ("", "/guide", "/provider", "/people", "/claims", "/test", "/checks", "/settings", "/metadata.xml"):
        assert stranger.get(f"{BASE}/{id}{path}").status == 404, path
    for path in ("/enable", "/disable", "/remove", "/provider", "/provider/save", "/test", "/people", "/claims"):
        assert stranger.post(f"{BASE}/{id}{path}", name="okta-login").status == 404, path
    assert _stored(engine, id)


def test_a_set_up_link_leads_to_one_connection_alone(console: Enter, engine: sa.Engine) -> None:
    admin = console("admin")
    mine, other = _made(admin), _made(admin)
    it = console(link="connection", connection_id=mine)
    for path in ("", "/guide", "/provider", "/claims", "/test"):
        seen = it.get(f"{BASE}/{mine}{path}")
        assert seen.status == 200, path
        assert it.get(f"{BASE}/{other}{path}").status == 404, path
    for path in (
        BASE,
        f"{BASE}/new",
        f"{BASE}/log",
        f"{BASE}/platforms",
        f"{BASE}/{mine}/people",
        f"{BASE}/{mine}/checks",
    ):
        assert it.get(path).status == 403, path
    for act in ("disable", "remove", "people", "settings", "secret", "sessions/end", "refresh"):
        assert it.post(f"{BASE}/{mine}/{act}", name="okta-login").status == 403, act
    seen = it.post(f"{BASE}/{mine}/enable")
    assert (seen.status, _stored(engine, mine).enabled) == (409, False)
    _log_test(engine, mine, reason="audience")
    assert it.post(f"{BASE}/{mine}/enable").status == 409
    _log_test(engine, mine)
    assert it.post(f"{BASE}/{mine}/enable").status == 200
    assert _stored(engine, mine).enabled


def test_a_change_after_the_test_wants_another_test(console: Enter, engine: sa.Engine) -> None:
    id = _made(console("admin"))
    it = console(link="connection", connection_id=id)
    _log_test(engine, id)
    it.post(f"{BASE}/{id}/claims", email="mail")
    assert it.post(f"{BASE}/{id}/enable").status == 409
    assert not _stored(engine, id).enabled


def test_a_set_up_link_serves_a_set_up_that_is_not_made(console: Enter, engine: sa.Engine) -> None:
    id = _begin(console("admin"))
    it = console(link="connection", connection_id=id)
    assert it.get(f"{BASE}/{id}").at == f"{BASE}/{id}/guide"
    it.post(f"{BASE}/{id}/provider", document=_metadata())
    seen = it.post(f"{BASE}/{id}/provider/save")
    assert seen.at == f"{BASE}/{id}/claims"
    assert not _stored(engine, id).enabled
    with reading(engine) as conn:
        actors = set(conn.execute(sa.text("SELECT actor FROM audit WHERE action = 'connection.created'")).scalars())
    assert all(actor.startswith("set-up link ") for actor in actors)


def _log_test(engine: sa.Engine, id: str, reason: str | None = None) -> None:
    stored = _stored(engine, id)
    with writing(engine) as conn:
        sign_ins.write(conn, sign_ins.Attempt(stored.tenant_id, "tested", id, reason=reason))


def test_who_may_only_read_is_shown_no_acts(console: Enter) -> None:
    id = _made(console("admin"))
    auditor = console("auditor")
    seen = auditor.get(f"{BASE}/{id}")
    assert seen.status == 200
    assert "Remove it" not in seen.text
    for act in ("enable", "disable", "remove", "test", "provider"):
        assert auditor.post(f"{BASE}/{id}/{act}").status == 403


def test_certificates_of_both_sides_are_shown_with_their_ends(console: Enter) -> None:
    admin = console("admin")
    id = _made(admin)
    seen: Seen = admin.get(f"{BASE}/{id}")
    assert "Signing certificates of the provider" in seen.text
    assert "rollcall saml-key rotate" in seen.text


def test_the_list_says_how_each_fares(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    admin = console("admin")
    id = _made(admin)
    with writing(engine) as conn:
        for outcome in ("accepted", "refused", "refused"):
            sign_ins.write(
                conn, sign_ins.Attempt(tenant.id, outcome, id, reason="audience" if outcome == "refused" else None)
            )  # type: ignore[arg-type]
        conn.execute(
            sa.text("UPDATE sign_ins SET at = :at WHERE outcome = 'accepted'"),
            {"at": datetime.now(UTC) - timedelta(hours=3)},
        )
    seen = admin.get(BASE)
    assert "3 hours ago" in seen.text
    assert f"{BASE}/log?connection={id}&outcome=refused" in seen.links
    assert ">2</a>" in seen.html
