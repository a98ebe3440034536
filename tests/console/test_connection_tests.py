"""A test of a connection from its button to its report: for the tester alone, and nobody is signed in."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import sqlalchemy as sa
from lxml import etree

from app.console.connections import log
from app.console.connections.place import BASE
from app.store import connections, saml_keys, sign_in_log, sign_ins, tables, tenants
from app.store.connections import NewConnection
from app.store.engine import reading, writing
from app.store.sign_in_log import Wanted
from app.store.tenants import Tenant
from app.store.vault import Vault
from sso import discovery
from sso.connections import Addresses
from sso.errors import SignInError
from tests.console.conftest import KEY, SETTINGS, Console, Seen
from tests.sso import saml_idp
from tests.sso.saml_idp import World, attribute, attributes

Enter = Callable[..., Console]
IDP = saml_idp.idp_of("rsa")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def connection_id(engine: sa.Engine, tenant: Tenant) -> str:
    """A SAML connection that makes accounts, switched off."""
    settings = {"entity_id": IDP.entity_id, "sso_url": "https://idp.example.com/sso", "certificates": [IDP.body]}
    with writing(engine) as conn:
        if not saml_keys.current(conn):
            key = saml_idp.our_key("ours")
            saml_keys.add(conn, key.certificate, key.private, datetime.now(UTC), Vault([KEY]))
        new = NewConnection(tenant.id, "okta-login", "Okta", "saml", settings, arrival="create", enabled=False)
        return connections.create(conn, new)


def _begin(console: Console, id: str) -> str:
    """The ID of the request with which the browser leaves."""
    page = console.post(f"{BASE}/{id}/test", follow=False)
    assert page.status == 200
    [href] = re.findall(r'url=(https://idp\.example\.com/sso[^"]*)"', unescape(page.html))
    [packed] = parse_qs(urlsplit(href).query)["SAMLRequest"]
    return str(etree.fromstring(zlib.decompress(base64.b64decode(packed), -15)).get("ID"))


def _answer(console: Console, id: str, request_id: str | None, *said: str, **changes: Any) -> Any:
    world = World(
        Addresses(SETTINGS.public_url, id), request_id=request_id, now=datetime.now(UTC).replace(microsecond=0)
    )
    assertion_id = f"_{uuid4().hex}"
    document = saml_idp.assertion(world, id=assertion_id, attributes=attributes(*said), **changes)
    form = saml_idp.form(saml_idp.signed(world, saml_idp.response(world, document), (assertion_id,)))
    return console.client.post(f"/saml/{id}/acs", data=form, content_type=FORM)


def _report(console: Console, id: str, *said: str, **changes: Any) -> Seen:
    answer = _answer(console, id, _begin(console, id), *said, **changes)
    assert answer.status_code == 303
    return console.get(answer.location)


SAID = (
    attribute("userName", "ada@acme.example"),
    attribute("email", "ada@acme.example"),
    attribute("firstName", "Ada"),
    attribute("shoeSize", "38"),
)


def test_the_report_lists_everything(console: Enter, connection_id: str, engine: sa.Engine) -> None:
    admin = console("admin")
    seen = _report(admin, connection_id, *SAID)
    assert seen.status == 200
    assert "The test went well" in seen.text
    assert "ada@acme.example" in seen.text
    assert "Mapped given name" in seen.text
    assert re.search(r"shoeSize 38 Unknown", seen.text)
    assert "a new one would be made" in seen.text
    assert "Passed" in seen.text
    assert "Switch the connection on" in seen.text
    with reading(engine) as conn:
        for table in (tables.accounts, tables.records):
            assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
        stored = connections.find(conn, connection_id)
    assert stored is not None
    assert not stored.enabled


def test_nobody_else_reads_it(console: Enter, connection_id: str) -> None:
    admin = console("admin")
    seen = _report(admin, connection_id, *SAID)
    assert console("owner").get(seen.at).status == 404
    assert console("admin").get(seen.at).status == 404
    link = console(link="connection", connection_id=connection_id)
    assert link.get(seen.at).status == 404
    assert admin.get(seen.at).status == 200


def test_another_browser_cannot_bring_the_answer(console: Enter, connection_id: str) -> None:
    admin, eve = console("admin"), console("admin")
    request_id = _begin(admin, connection_id)
    _begin(eve, connection_id)
    assert _answer(eve, connection_id, request_id, *SAID).status_code == 403


def test_a_failure_names_its_check_and_what_to_do(console: Enter, connection_id: str) -> None:
    admin = console("admin")
    seen = _report(admin, connection_id, attribute("email", "a@acme.example", "b@acme.example"))
    assert "The test failed" in seen.text
    assert "Failed: attributes" in seen.text
    assert "What to do: Send one value for each" in seen.text
    assert "b@acme.example" in seen.text
    assert "Switch the connection on" not in seen.text
    [code] = re.findall(r"sign-in-connections/log/([\w-]+)", seen.html)
    log = admin.get(f"{BASE}/log/{code}")
    assert "Test" in log.text
    assert "b@acme.example" not in log.text


def test_the_holder_of_a_set_up_link_sees_neither_account_nor_roles(
    console: Enter, connection_id: str, engine: sa.Engine, tenant: Tenant
) -> None:
    admin = console("admin")
    with writing(engine) as conn:
        connections.change(conn, tenant.id, connection_id, enabled=True)
    answer = admin.client.get("/sign-in/acme/okta-login")
    [packed] = parse_qs(urlsplit(answer.location).query)["SAMLRequest"]
    asked = str(etree.fromstring(zlib.decompress(base64.b64decode(packed), -15)).get("ID"))
    assert _answer(admin, connection_id, asked, *SAID).location == "/signed-in/acme"
    mine = _report(admin, connection_id, *SAID)
    [person] = re.findall(r'href="(/admin/people/[0-9a-f-]{36})"', mine.html)
    timeline = admin.get(f"{person}/timeline")
    assert "Tested a connection" in timeline.text
    assert any(href.startswith(f"{BASE}/log/") for href in timeline.links)
    seen = _report(console(link="connection", connection_id=connection_id), connection_id, *SAID)
    assert "The test went well" in seen.text
    assert "ada@acme.example" in seen.text
    assert "/admin/people/" not in seen.html
    assert "/admin/sign-in-connections/log" not in seen.html


def test_a_test_brings_the_names_to_the_attributes(console: Enter, connection_id: str) -> None:
    admin = console("admin")
    _report(admin, connection_id, *SAID)
    seen = admin.get(f"{BASE}/{connection_id}/claims")
    assert "shoeSize" in seen.text
    assert "Your last test went well" in admin.get(f"{BASE}/{connection_id}/test").text


def test_a_report_that_is_over_says_so(console: Enter, connection_id: str, engine: sa.Engine) -> None:
    admin = console("admin")
    seen = _report(admin, connection_id, *SAID)
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE sign_in_tests SET expires_at = now()"))
    gone = admin.get(seen.at)
    assert gone.status == 404
    assert "older than 15 minutes" in gone.text


def test_a_provider_that_does_not_answer_is_a_report(
    console: Enter, engine: sa.Engine, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: Any) -> Any:
        raise SignInError("provider_unreachable", "no answer within 5 s")

    monkeypatch.setattr(discovery, "fetch", silent)
    with writing(engine) as conn:
        settings = {"issuer": "https://idp.example", "client_id": "hub", "auth_method": "none"}
        id = connections.create(conn, NewConnection(tenant.id, "oidc", "OpenID", "oidc", settings))
    admin = console("admin")
    seen = admin.post(f"{BASE}/{id}/test")
    assert "Failed: provider unreachable" in seen.text
    assert "no answer within 5 s" in seen.text


def _attempt(engine: sa.Engine, tenant_id: str, outcome: Any, **more: Any) -> str:
    with writing(engine) as conn:
        return sign_ins.write(conn, sign_ins.Attempt(tenant_id, outcome, **more))


def test_the_log_is_filtered_and_paged(
    console: Enter, connection_id: str, engine: sa.Engine, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "SHOWN", 2)
    codes = [
        _attempt(engine, tenant.id, outcome, connection_id=connection_id, reason=reason)
        for outcome, reason in (
            ("accepted", None),
            ("refused", "audience"),
            ("refused", "inactive"),
            ("tested", "audience"),
        )
    ]
    admin = console("auditor")
    first = admin.get(f"{BASE}/log")
    assert [code in first.text for code in codes] == [False, False, True, True]
    [onward] = [href for href in first.links if "after=" in href]
    second = admin.get(onward)
    assert [code in second.text for code in codes] == [True, True, False, False]
    for query, wanted in (
        ("outcome=refused", [False, True, True, False]),
        ("reason=audience", [False, True, False, True]),
        (f"connection={connection_id}&reason=audience&outcome=tested", [False, False, False, True]),
        (f"connection={connection_id}", [False, False, True, True]),
        (f"connection={uuid4()}", [False] * 4),
        ("since=2200-01-01", [False] * 4),
        ("outcome=nonsense&connection=x&since=y&after=z", [False, False, True, True]),
    ):
        seen = admin.get(f"{BASE}/log?{query}")
        assert seen.status == 200
        assert [f"/log/{code}" in seen.html for code in codes] == wanted, query


def test_an_attempt_is_found_by_the_code_that_is_read_out(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    steps = [
        {"check": "form", "ok": True, "detail": ""},
        {"check": "audience", "ok": False, "detail": "expected us, found them", "remedy": "At Okta, set the audience."},
    ]
    code = _attempt(engine, tenant.id, "refused", reason="audience", steps=steps, agent="curl/8")
    help_desk = console("help_desk")
    seen = help_desk.get(f"{BASE}/log?code={code.lower().replace('-', '')}")
    assert seen.at == f"{BASE}/log/{code}"
    assert "The check that failed: audience" in seen.text
    assert "expected us, found them" in seen.text
    assert "At Okta, set the audience." in seen.text
    assert "The person read:" in seen.text
    assert "No attempt has the code" in " ".join(help_desk.get(f"{BASE}/log?code=ZZZZZZ").said)
    assert help_desk.get(f"{BASE}/log/ZZZ-ZZZ").status == 404
    with writing(engine) as conn:
        other = tenants.create(conn, "other").id
    assert console("owner", tenant_id=other).get(f"{BASE}/log/{code}").status == 404


def test_the_store_of_the_log_is_one_walk_a_page(engine: sa.Engine, tenant: Tenant) -> None:
    connection = str(uuid4())
    for outcome in ("accepted", "refused", "tested"):
        _attempt(engine, tenant.id, outcome, connection_id=connection)
    with reading(engine) as conn:
        found = sign_in_log.page(conn, tenant.id, Wanted(connection_id=connection))
        assert [row.outcome for row in found] == ["tested", "refused", "accepted"]
        more = sign_in_log.page(conn, tenant.id, Wanted(connection_id=connection), (found[0].at, found[0].id))
        assert [row.id for row in more] == [row.id for row in found[1:]]
        assert sign_in_log.page(conn, str(uuid4()), Wanted()) == []
        lately = sign_in_log.lately(conn, tenant.id, [connection], datetime(2020, 1, 1, tzinfo=UTC))[connection]
    assert (lately.refused, lately.last) == (1, found[2].at)
