"""People sign in through npm's oidc-provider: right, wrong, and out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa

from app.store import tenants
from tests.journeys import agreement, clients, others, signing_in
from tests.journeys.browser import Browser, Page
from tests.journeys.others import Other
from tests.journeys.server import Server
from tests.journeys.signing_in import AMARA, Stand
from tests.waiting import soon

pytestmark = pytest.mark.journey

LEAVES: Final = {"op": "Replace", "path": "active", "value": "False"}
OF_ONE_SECOND: Final = 1.0


@pytest.fixture
def stand(running: Server, tenant: tenants.Tenant, openid_provider: Other) -> Stand:
    """A connection that makes accounts."""
    return signing_in.openid(running, tenant, openid_provider, "--arrival", "create")


def test_signing_in_meets_the_record_that_scim_made(
    running: Server,
    engine: sa.Engine,
    tenant: tenants.Tenant,
    openid_provider: Other,
    browser: Browser,
    idp: Callable[[], clients.Client],
) -> None:
    scim = idp()
    made = scim.send("POST", "/Users", clients.person("amara")).json()
    stand = signing_in.openid(running, tenant, openid_provider, "--paired-source", "entra")
    page = stand.sign_in(browser)
    assert (page.url, page.status) == (stand.home, 200), page.text
    assert list(agreement.accounts_by_name(engine, tenant.id)) == [AMARA], "the login found the account that SCIM made"

    with Browser() as other:
        page = stand.sign_in(other, "nobody@quay.example")
        assert (page.status, stand.trace(page)["reason"]) == (403, "not_provisioned")

    assert scim.patch(f"/Users/{made['id']}", LEAVES).ok
    signing_in.after_a_second()
    assert not any(stand.is_signed_in(browser) for _ in range(20)), "in no process"
    page = stand.sign_in(browser)
    assert (page.status, stand.trace(page)["reason"]) == (403, "inactive")


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"aud": "another"}, "audience"),
        ({"aud": ["another", "more"]}, "audience"),
        ({"azp": "another"}, "audience"),
        ({"exp": -600, "iat": -900}, "expired"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"nonce": "another"}, "replayed"),
        ({"nonce": None}, "replayed"),
        ({"sub": ""}, "subject"),
    ],
)
def test_what_is_wrong_is_named_in_the_trace(stand: Stand, bent: dict[str, Any], reason: str) -> None:
    stand.provider.control(bend=bent)
    with Browser() as browser:
        page = stand.sign_in(browser)
        assert page.status == 403
        assert stand.trace(page)["reason"] == reason, stand.trace(page)
        assert not stand.is_signed_in(browser)
        stand.provider.control(bend=None)
        assert stand.sign_in(browser).url == stand.home, "and beside it what is right"


def test_the_keys_of_the_provider_roll_over(running: Server, tenant: tenants.Tenant) -> None:
    with others.openid_provider() as provider:  # one whose keys nobody has read yet
        stand = signing_in.openid(running, tenant, provider, "--arrival", "create")
        provider.control(keys=[0, 1])
        assert _signed_in(stand), "the next key is published"
        provider.control(keys=[1, 0])
        assert _signed_in(stand), "it signs"
        provider.control(keys=[1])
        assert _signed_in(stand), "it is alone"


def test_an_answer_is_taken_once_and_from_the_browser_that_asked(stand: Stand, browser: Browser) -> None:
    page = stand.begin(browser)
    answered = browser.submit(page, page.form("login"), stop=stand.addresses.callback, login=AMARA)
    with Browser() as victim:
        page = victim.get(answered.url)
        assert (page.status, stand.trace(page)["reason"]) == (403, "other_browser")
        assert not stand.is_signed_in(victim)
    assert browser.get(answered.url).url == stand.home
    page = browser.get(answered.url)
    assert (page.status, stand.trace(page)["reason"]) == (403, "unknown_request")


def test_signing_out_here_signs_out_there(stand: Stand, browser: Browser) -> None:
    page = stand.sign_in(browser)
    page = browser.submit(page, page.form("session", "token"), session="this")
    assert page.url.startswith(f"{stand.provider.url}/session/end"), page.text
    page = _confirm(browser, page)
    assert page.url.startswith(f"{stand.server.url}/signed-out")
    assert not stand.is_signed_in(browser)
    assert stand.begin(browser).form("login"), "the provider asks who it is"


def test_signing_out_there_signs_out_here(stand: Stand, browser: Browser) -> None:
    stand.sign_in(browser)
    assert stand.is_signed_in(browser)
    _confirm(browser, browser.get(f"{stand.provider.url}/session/end"))
    assert stand.provider.events("backchannel.error") == []
    assert soon(lambda: not stand.is_signed_in(browser), OF_ONE_SECOND)


def _confirm(browser: Browser, page: Page) -> Page:
    return browser.submit(page, page.form("xsrf"), logout="yes")


def _signed_in(stand: Stand) -> bool:
    with Browser() as browser:
        page = stand.sign_in(browser)
        assert (page.url, page.status) == (stand.home, 200), stand.trace(page)
        return stand.is_signed_in(browser)
