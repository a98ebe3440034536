"""Into the console by a tenant's own sign-in: the whole road, with a provider that signs."""

from __future__ import annotations

import base64
import re
import zlib
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.console.visit import cookie_name
from app.store.engine import writing
from app.store.tenants import SourceRow
from app.sync import mappings
from app.sync.mapping_changes import Change
from tests.adapters.sign_in_people import BASE, Browser, Town

CHOICES = "/admin/sign-in/acme"


@pytest.fixture
def town(engine: sa.Engine, okta: SourceRow) -> Town:
    made = Town(engine, okta)
    id = made.saml()
    made.provision()
    made.provision("bob@acme.example")
    # A group that is to come gets no administrator role without a person's yes: it has to be there first.
    Browser(made, id).sign_in("bob", user_name="bob@acme.example", groups=["hub-admins"])
    made.map_group("hub-admins", "admin")
    return made


@pytest.fixture
def ada(town: Town) -> Browser:
    return Browser(town, town.rows("connections")[0].id)


def csrf(browser: Browser, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get(path).get_data(as_text=True))
    assert found
    return found[1]


def sent(browser: Browser, href: str, token: str, **fields: str) -> str:
    """Where the form leads to: an address of ours that goes on to the provider."""
    answer = browser.client.post(href, base_url=BASE, data={"csrf": token, **fields})
    page = answer.get_data(as_text=True)
    found = re.search(r'href="(/sign-in/acme/okta-login\?flow=[^"]+)"', page)
    assert found, page
    return unescape(found[1])


def arrived(browser: Browser, *groups: str, to: str = "/admin/access") -> str:
    """Sign in at the provider; the address that the browser comes back to."""
    way = sent(browser, f"{CHOICES}/connection", csrf(browser, CHOICES), connection="okta-login", to=to)
    answer = browser.answer(browser.begin(way), groups=groups)
    assert answer.status_code == 303
    return str(answer.location)


def opened(browser: Browser) -> TestResponse:
    return browser.get("/admin/access")


def test_a_role_brings_in_and_leads_on(town: Town, ada: Browser) -> None:
    page = ada.get(CHOICES).get_data(as_text=True)
    assert "Continue with Okta" in page
    back = ada.get(arrived(ada, "hub-admins"))
    assert (back.status_code, back.location) == (303, "/admin/access")
    page = opened(ada).get_data(as_text=True)
    assert "Your credentials are kept there" in page
    assert "Okta" in page
    [entry] = [row for row in town.rows("audit") if row.action == "console.signed_in"]
    assert (entry.actor, entry.facts["role"]) == (f"administrator ada@acme.example ({entry.subject})", "admin")


def test_who_holds_no_role_is_told_so_and_stays_out(ada: Browser) -> None:
    answer = ada.get(arrived(ada))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "none of your roles at acme opens the console" in page
    assert ada.client.get_cookie(cookie_name(BASE), domain="hub.example.com") is None
    assert ada.is_signed_in()  # the learning platform is not concerned


def test_an_address_that_somebody_else_made_brings_nobody_in(town: Town, ada: Browser) -> None:
    """Login CSRF: the address is good in the browser that was sent, for where it was to go."""
    address = arrived(ada, "hub-admins")
    eve = Browser(town, ada.connection_id)
    eve.sign_in("eve", user_name="ada@acme.example", groups=["hub-admins"])
    assert eve.is_signed_in()
    for other in (address, "/admin/arrive/acme", "/admin/arrive/acme?ticket=%C3%A9&to=/admin"):
        answer = eve.get(other)
        assert answer.status_code == 303
        assert urlsplit(answer.location).path == CHOICES
    assert ada.get(address.replace("to=%2Fadmin%2Faccess", "to=%2Fadmin%2Faudit")).location.startswith(CHOICES)
    assert opened(eve).status_code == 303
    assert opened(ada).status_code == 303


def test_a_mapping_that_changes_takes_the_console_away_at_once(town: Town, ada: Browser) -> None:
    ada.get(arrived(ada, "hub-admins"))
    assert opened(ada).status_code == 200
    with writing(town.engine) as conn:  # else the platform's last administrators are kept
        conn.exec_driver_sql("UPDATE roles SET administrator = false")
        conn.exec_driver_sql("UPDATE tenants SET revision = revision + 1")
    change = Change("remove", "group", "hub-admins", role="admin", source="okta-login")
    mappings.save(town.engine, town.okta.tenant_id, [change], actor="test", wait=True)
    assert opened(ada).status_code == 303


def test_signing_out_takes_the_console_along(ada: Browser) -> None:
    ada.get(arrived(ada, "hub-admins"))
    assert opened(ada).status_code == 200
    ada.press("all")
    assert opened(ada).status_code == 303


def test_whoever_leaves_is_out_of_the_console(town: Town, ada: Browser) -> None:
    ada.get(arrived(ada, "hub-admins"))
    address = "ada@acme.example"
    [record] = [row for row in town.rows("records") if row.source_id == town.okta.id and row.user_name == address]
    town.set_active(record.id, False)
    assert opened(ada).status_code == 303


def test_what_is_grave_asks_the_provider_anew(town: Town, ada: Browser) -> None:
    ada.get(arrived(ada, "hub-admins"))
    with writing(town.engine) as conn:
        conn.exec_driver_sql("UPDATE console_sessions SET proven_at = now() - interval '31 minutes'")
    token = csrf(ada, "/admin/access")
    answer = ada.client.post("/admin/set-up-links", base_url=BASE, data={"csrf": token})
    assert answer.location == "/admin/proof?to=%2Fadmin"
    assert "Continue with Okta" in ada.get(answer.location).get_data(as_text=True)
    way = sent(ada, "/admin/proof/connection", token, to="/admin/set-up-links")
    request = ada.get(way).location
    [packed] = parse_qs(urlsplit(request).query)["SAMLRequest"]
    assert b'ForceAuthn="true"' in zlib.decompress(base64.b64decode(packed), -15)
    back = ada.get(str(ada.answer(ada.request_id(request), groups=["hub-admins"]).location))
    assert back.location == "/admin/set-up-links"
    sessions = town.rows("console_sessions")
    assert [row.ended_by for row in sessions].count("replaced") == 1
    assert max(row.proven_at for row in sessions) > datetime.now(UTC).replace(year=2020)
    answer = ada.client.post("/admin/set-up-links", base_url=BASE, data={"csrf": csrf(ada, "/admin/access")})
    assert answer.status_code == 422


def test_a_connection_that_is_off_leads_nowhere(town: Town, ada: Browser) -> None:
    token = csrf(ada, CHOICES)
    with writing(town.engine) as conn:
        conn.exec_driver_sql("UPDATE connections SET enabled = false")
    answer = ada.client.post(f"{CHOICES}/connection", base_url=BASE, data={"csrf": token, "connection": "okta-login"})
    assert answer.status_code == 404
    assert "Continue with" not in ada.get(CHOICES).get_data(as_text=True)
