"""In a real browser: a connection set up step by step at a SAML provider of others, tested, and a failure read.

The provider is pysaml2; the guide is Okta's, whose words the page shows. With and without JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
import sqlalchemy as sa
import uuid_utils

from app.console.visit import cookie_name
from app.store import console_sessions, tenants
from app.store import tables as t
from app.store.console_sessions import NewConsoleSession
from app.store.engine import writing
from tests.journeys import signing_in
from tests.journeys.chromium import Chromium, Sight, Tab
from tests.journeys.others import Other
from tests.journeys.server import Server
from tests.journeys.signing_in import AMARA

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Desk:
    """An administrator of a tenant of its own, in a browser."""

    server: Server
    tenant: tenants.Tenant
    tab: Tab
    provider: Other

    @property
    def home(self) -> str:
        return f"{self.server.url}/admin/sign-in-connections"


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def desk(request: pytest.FixtureRequest, running: Server, saml_idp: Other, chrome: Chromium) -> Iterator[Desk]:
    with running.engine() as engine, writing(engine) as conn:
        tenant = tenants.create(conn, f"quay-{uuid_utils.uuid7().hex[-12:]}")
        id = console_sessions.new_id()
        conn.execute(
            sa.insert(t.administrators).values(
                tenant_id=tenant.id, id=id, email="olga@quay.example", name="Olga", role="admin", created_by="test"
            )
        )
        begun = console_sessions.begin(conn, NewConsoleSession(tenant.id, "password", administrator_id=id, proven=True))
    saml_idp.control(**signing_in.ASSERTION, people={AMARA: {"groups": ["teachers"]}})
    with chrome.tab(running.url, scripts=request.param) as tab:
        tab.cookie(running.url, cookie_name(running.url), begun.secret)
        yield Desk(running, tenant, tab, saml_idp)


def test_from_nothing_to_a_tested_connection_and_a_failure_that_is_read(desk: Desk) -> None:
    tab, look = desk.tab, desk.provider
    tab.go(desk.home, see="Nobody can sign in yet")
    tab.click("Add a connection", see="Which identity provider")
    page = tab.click("Okta, by SAML 2.0", see="Create an app integration")
    assert "Audience URI (SP Entity ID)" in page.text
    id = page.url.split("/")[-2]
    look.control(sp=_our_metadata(desk, id))
    tab.click("Done there, go on", see="Address of the metadata")
    tab.type("[name=url]", f"{look.url}/nothing-here")
    tab.click("Look at it", see="answers with status 404")
    tab.type("[name=url]", f"{look.url}/metadata")
    page = tab.click("Look at it", see="What we understood")
    assert "Is this your provider?" in page.text
    tab.inspect("console-sign-in-understood")
    tab.click("Yes, save it", see="People who are not here yet")
    tab.press("#field-arrival-create")
    tab.click("Save and go on", see="Which attribute says what")
    tab.click("Save and go on", see="Test now")
    tab.click("Test the sign-in")
    page = _as_amara(tab)
    assert "The test went well" in page.text
    assert AMARA in page.text
    assert "a new one would be made" in page.text
    tab.inspect("console-sign-in-tested")
    _refused(desk)
    tab.go(f"{desk.home}/{id}/test", see="Test now")
    look.control(audience=None)
    tab.go(f"{desk.home}/{id}", see="It is switched off")
    page = tab.click("Switch on", see="is switched on: people can sign in by it")
    tab.inspect("console-sign-in-connection-on")
    assert "Last sign-in" in page.text


def _our_metadata(desk: Desk, id: str) -> str:
    """As the provider would read it at its address, before there is a connection."""
    answer = requests.get(f"{desk.server.url}/saml/{id}", timeout=30)
    assert answer.status_code == 200
    return answer.text


def _as_amara(tab: Tab) -> Sight:
    """The provider's own page asks who somebody is."""
    tab.type("[name=user]", AMARA)
    tab.press("form[action$='/login'] button")
    return tab.press("form[action$='/acs'] button", see="Every check, in its order")


def _refused(desk: Desk) -> None:
    """The provider sends something wrong; the report says what, and the log says it to whoever hears the code."""
    desk.provider.control(audience="https://other.example")
    tab = desk.tab
    tab.click("Test again")
    page = tab.press("form[action$='/acs'] button", see="The test failed")
    assert "Failed: audience" in page.text
    assert "It is meant for another application." in page.text
    tab.inspect("console-sign-in-test-failed")
    tab.go(f"{desk.home}/log?outcome=tested&reason=audience", see="shown")
    page = tab.press("td[data-label=Code] a", see="The check that failed: audience")
    assert "https://other.example" in page.text
    tab.inspect("console-sign-in-trace")
