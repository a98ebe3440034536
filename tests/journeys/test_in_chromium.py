"""Signing in and out in a real browser, at providers of others: over http on one machine, and over https across sites.

Over https the SAML provider is another site (`localhost`, we are 127.0.0.1): its answer is a form that another site
posts, which brings no cookie but the one that is made for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import uuid_utils

from app.store import tenants
from app.store.engine import writing
from tests.journeys import server, signing_in, tls
from tests.journeys.chromium import Chromium, Sight, Tab
from tests.journeys.others import Other
from tests.journeys.server import Server
from tests.journeys.signing_in import AMARA, Stand

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def behind_tls() -> Iterator[Server]:
    """A server that people reach over https."""
    port = server.free_port()
    with server.running(workers=1, public_url=f"https://127.0.0.1:{port}") as started, tls.front(port, started.port):
        yield started


@pytest.fixture(params=["http"])
def place(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue("running" if request.param == "http" else "behind_tls")
    return found


@pytest.fixture
def stand(place: Server, saml_idp: Other, openid_provider: Other) -> Stand:
    """A tenant with two connections. The SAML one takes its requests by POST, and asks people at another address."""
    with place.engine() as engine, writing(engine) as conn:
        tenant = tenants.create(conn, f"quay-{uuid_utils.uuid7().hex[-12:]}")
    arrival = ("--arrival", "create")
    quay = ("--title", "Quay College", "--domain", "quay.example", "--setting", "sso_binding=post")
    harbour = ("--title", "Harbour Institute", "--domain", "harbour.example")
    signing_in.openid(place, tenant, openid_provider, *arrival, *harbour, name="harbour")
    made = signing_in.saml(place, tenant, saml_idp, *arrival, *quay)
    saml_idp.control(elsewhere=saml_idp.url.replace("localhost", "127.0.0.1"))
    return made


@pytest.mark.parametrize("place", ["http", "https"], indirect=True)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_by_an_address_to_a_provider_that_takes_forms_and_out_again(
    stand: Stand, chrome: Chromium, scripts: bool
) -> None:
    look = stand.server.url.startswith("http:")  # over https it looks the same
    with chrome.tab(stand.server.url, scripts=scripts) as tab, chrome.tab(stand.server.url, scripts=scripts) as other:
        page = _by_saml(stand, tab, scripts, look=look)
        assert (page.url, page.status) == (stand.home, 200)
        assert "Chrome" in page.text
        _by_saml(stand, other, scripts)
        tab.go(stand.home, "You are signed in to")
        if look:
            tab.inspect("devices")
        tab.press(".devices li:not(:has(.badge)) button")
        assert "You are signed out" in other.go(stand.home, "Sign in again").text

        page = tab.click("Sign out everywhere", "Sign in again")
        assert page.url.startswith(f"{stand.server.url}/signed-out")
        assert stand.provider.events("logout asked")[-1]["ended"] > 0
        if look:
            tab.inspect("signed-out")
        assert "You are signed out" in tab.go(stand.home, "Sign in again").text


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_learning_platform_asks_to_sign_out(stand: Stand, chrome: Chromium, scripts: bool) -> None:
    after = f"{stand.provider.url}/left"
    urls = ("--redirect-uri", f"{stand.provider.url}/callback", "--post-logout-redirect-uri", after)
    client = stand.command("client", "create", "The LMS", *urls)["client_id"]
    with chrome.tab(stand.server.url, scripts=scripts) as tab:
        assert _by_openid(stand, tab).url == stand.home
        tab.go(f"{stand.server.url}/oauth/end-session?client_id={client}&post_logout_redirect_uri={after}", "Sign out?")
        tab.inspect("end-session")
        tab.click("Sign out", "Yes, sign me out")
        assert tab.click("Yes, sign me out", "not found").url == after
        assert "You are signed out" in tab.go(stand.home, "Sign in again").text

        _by_openid(stand, tab)
        tab.click("Sign out here", "Yes, sign me out")
        assert tab.click("Yes, sign me out", "Sign in again").url.startswith(f"{stand.server.url}/signed-out")


def test_what_is_not_there_or_not_let_in(stand: Stand, chrome: Chromium) -> None:
    with chrome.tab(stand.server.url, scripts=True, still=True) as tab:
        assert tab.go(stand.server.url, "Rollcall").status == 200
        tab.inspect("home")
        assert tab.go(f"{stand.server.url}/sign-in/nobody-here", "Nothing here").status == 404
        tab.inspect("nothing-here")
        assert tab.go(f"{stand.server.url}/oauth/authorize?client_id=nobody").status == 400
        tab.inspect("no-way-back")
        stand.provider.control(audience="https://other.example")
        page = _by_saml(stand, tab, scripts=False, look=True, end="You are not signed in")
        assert (page.status, "was not accepted" in page.text) == (403, True)
        tab.inspect("not-accepted")


def _by_openid(stand: Stand, tab: Tab) -> Sight:
    """From the chooser to the provider and back."""
    tab.go(f"{stand.server.url}/sign-in/{stand.tenant.name}", "Harbour Institute")
    tab.click("Harbour Institute", "Sign-in")
    tab.type("[name=login]", AMARA)
    tab.type("[name=password]", "none")
    return tab.press("button[type=submit]", "You are signed in to")


def _by_saml(stand: Stand, tab: Tab, scripts: bool, *, look: bool = False, end: str = "You are signed in to") -> Sight:
    """From the chooser by the domain of an address to the provider and back; without scripts a form wants a click."""
    tab.go(f"{stand.server.url}/sign-in/{stand.tenant.name}", "Harbour Institute")
    if look:
        tab.inspect("chooser")
        tab.type("#email", "somebody@elsewhere.example")
        tab.click("Continue", "No sign-in belongs to this address")
        tab.inspect("chooser-notice")
    tab.type("#email", AMARA)
    tab.click("Continue")
    if not scripts:
        tab.find("form[data-submit]")
        if look:
            tab.inspect("one-moment")
        tab.click("Continue")
    tab.type("[name=user]", AMARA)
    tab.press("form[action$='/login'] button")
    return tab.press("form[action$='/acs'] button", end)
