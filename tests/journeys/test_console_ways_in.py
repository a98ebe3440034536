"""The ways into the console in a real browser: invitation, password and code, passkey, a connection, a set-up link."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pyotp
import pytest
import sqlalchemy as sa

from app.demo import stage
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from tests.journeys.chromium import Chromium, Sight, Tab
from tests.journeys.demo_served import Demo
from tests.journeys.server import Server

pytestmark = pytest.mark.journey
PASSWORD = "three grey herons wade"
HOST = "http://localhost"
WITH_A_WAY = "People with a way of their own"


def invite(running: Server, tenant: Tenant, role: str = "owner") -> str:
    said = running.rollcall("admin", "invite", "ada@acme.example", "--tenant", tenant.name, "--role", role)
    return str(said["link"])


def code(secret: str, off: int) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=off)


def secret_on(page: Sight) -> str:
    found = re.search(r"\b[A-Z2-7]{32}\b", page.text)
    assert found, page.text
    return found[0]


def sign_in(tab: Tab, password: str, digits: str, see: str) -> Sight:
    tab.type("#field-email", "ada@acme.example")
    tab.type("#field-password", password)
    tab.type("#field-code", digits)
    return tab.press(".ways-password button[type=submit]", see)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_invited_set_up_signed_out_and_in_again(
    running: Server, tenant: Tenant, chrome: Chromium, scripts: bool
) -> None:
    with chrome.tab(running.url, scripts=scripts) as tab:
        link = invite(running, tenant)
        page = tab.go(link, "You are invited to administer")
        assert tenant.name in page.text
        tab.inspect("console-invitation")
        page = tab.click("Accept and come in", "Set up a way back in")
        assert page.url == f"{running.url}/admin/access/way-back"
        tab.inspect("console-way-back")
        tab.go(f"{running.url}/admin/administrators", "You cannot come in again yet")
        tab.inspect("console-reminder")
        tab.click("Set up a way back in", "Set up a way back in")
        secret = secret_on(tab.click("Set up password and code", "Nothing is kept before"))
        tab.inspect("console-password")
        tab.type("#field-password", PASSWORD)
        tab.type("#field-code", "000000")
        assert secret_on(tab.click("Set up", "not the one of this moment")) == secret
        tab.inspect("console-password-wrong")
        tab.type("#field-password", PASSWORD)
        tab.type("#field-code", code(secret, -1))
        tab.click("Set up", "you can come in again")
        tab.inspect("console-access")
        assert "You cannot come in again yet" not in tab.go(f"{running.url}/admin/administrators", WITH_A_WAY).text

        tab.go(f"{running.url}/admin/access", "Your sessions")
        tab.click("Use another authenticator app", "The old one counts until")
        tab.inspect("console-authenticator")
        tab.go(f"{running.url}/admin/access", "Your sessions")
        tab.press(".page-actions button", "You are signed out of the console")
        tab.inspect("console-sign-in")
        sign_in(tab, PASSWORD, "000000", "That did not let you in")
        tab.inspect("console-sign-in-wrong")
        sign_in(tab, PASSWORD, code(secret, 0), "Needs attention")
        assert tab.go(link, "does not work any more").status == 410
        tab.inspect("console-invitation-used")


def test_a_passkey_is_made_and_lets_in(running: Server, tenant: Tenant, chrome: Chromium) -> None:
    """At localhost: at 127.0.0.1 browsers know no passkeys."""
    here = f"{HOST}:{running.port}"
    with chrome.tab(here, scripts=True) as tab:
        tab.device()
        tab.go(invite(running, tenant).replace(running.url, here), "You are invited")
        tab.click("Accept and come in", "Set up a way back in")
        tab.inspect("console-way-back-passkey")
        page = tab.click("Add a passkey", "Done: you can come in again with this passkey")
        assert page.url == f"{here}/admin/access"
        tab.inspect("console-access-passkey")
        tab.press(".page-actions button", "You are signed out of the console")
        tab.inspect("console-sign-in-passkey")
        tab.click("Use a passkey", "Needs attention")
        assert "passkey" in tab.go(f"{here}/admin/access", "Your sessions").text

        tab.go(f"{here}/admin/proof?to=/admin/administrators", "Show that it is you")
        tab.inspect("console-proof")
        assert tab.click("Use a passkey", "Thank you").url == f"{here}/admin/administrators"


def test_a_browser_without_a_passkey_of_ours_is_told_so(running: Server, tenant: Tenant, chrome: Chromium) -> None:
    here = f"{HOST}:{running.port}"
    with chrome.tab(here, scripts=True) as tab:
        tab.go(f"{here}/admin/sign-in/{tenant.name}", "Use a passkey")
        tab.device()
        tab.click("Use a passkey", "Nothing was shown, or it took too long")
        tab.inspect("console-sign-in-no-passkey")
        tab.go(f"{running.url}/admin/sign-in/{tenant.name}", "Passkeys need an address with a name")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_role_of_the_platform_brings_somebody_in(demo: Demo, chrome: Chromium, scripts: bool) -> None:
    with demo.server.engine() as engine, reading(engine) as conn:
        boss = conn.execute(
            sa.text("SELECT attributes ->> 'displayName' FROM accounts WHERE 'admin' = ANY(roles) LIMIT 1")
        ).scalar_one()
        learner = conn.execute(
            sa.text("SELECT attributes ->> 'displayName' FROM accounts WHERE 'learner' = ANY(roles) LIMIT 1")
        ).scalar_one()
    with chrome.tab(demo.rollcall, demo.academy, scripts=scripts) as tab:
        tab.go(f"{demo.rollcall}/admin/people", "Organisation")
        tab.inspect("console-organisation")
        tab.type("#field-organisation", stage.TENANT)
        tab.click("Continue", "Continue with")
        tab.inspect("console-sign-in-connections")
        tab.press(".ways-connections button", "Everybody else")
        page = tab.click(str(learner), "none of your roles")
        assert page.status == 403
        tab.inspect("console-no-role")
        tab.go(f"{demo.rollcall}/admin/people", "Continue with")
        tab.press(".ways-connections button", "Everybody else")
        tab.click(str(boss))
        page = tab.find(".search-field")
        assert (page.url, page.status) == (f"{demo.rollcall}/admin/people", 200)
        tab.go(f"{demo.rollcall}/admin/access", "Your credentials are kept there")
        tab.inspect("console-access-by-connection")
        tab.press(".page-actions button", "You are signed out of the console")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_set_up_link_leads_to_one_thing(
    running: Server, tenant: Tenant, entra: SourceRow, chrome: Chromium, scripts: bool
) -> None:
    with chrome.tab(running.url, scripts=scripts) as tab, chrome.tab(running.url, scripts=scripts) as theirs:
        tab.go(invite(running, tenant), "You are invited")
        tab.click("Accept and come in", "Set up a way back in")
        tab.go(f"{running.url}/admin/set-up-links", "No set-up links yet")
        tab.inspect("console-set-up-links-empty")
        tab.type("#field-note", "Kim of IT")
        page = tab.click("Make the link", "Pass this address on")
        tab.inspect("console-set-up-link")
        found = re.search(rf"{running.url}/admin/set-up/[\w-]{{43}}", page.text)
        assert found
        theirs.go(found[0], "Set up provisioning for")
        theirs.inspect("console-set-up")
        page = theirs.click("Begin", entra.name)
        assert page.url == f"{running.url}/admin/provisioning/{entra.id}/set-up"
        assert theirs.go(f"{running.url}/admin/people", "does not lead here").status == 403
        theirs.inspect("console-set-up-elsewhere")

        tab.go(f"{running.url}/admin/set-up-links", "Opened")
        tab.inspect("console-set-up-links")
        tab.press("tbody summary")
        tab.click("Take the link back", "whoever came in by it is out")
        assert "/admin/sign-in" in theirs.go(f"{running.url}/admin/provisioning/{entra.id}/set-up", "Organisation").url
        assert theirs.go(found[0], "does not work any more").status == 410
