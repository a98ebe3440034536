"""People sign in through pysaml2, an identity provider that is not ours: right, wrong, encrypted, and out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa

from app.store import tenants
from tests.journeys import agreement, clients, signing_in
from tests.journeys.browser import Browser, Page
from tests.journeys.others import Other
from tests.journeys.server import Server
from tests.journeys.signing_in import AMARA, Stand
from tests.waiting import soon

pytestmark = pytest.mark.journey

LEAVES: Final = {"op": "Replace", "path": "active", "value": "False"}
OF_ONE_SECOND: Final = 1.0


@pytest.fixture
def stand(running: Server, tenant: tenants.Tenant, saml_idp: Other) -> Stand:
    """A connection that makes accounts, and allows what nobody asked for."""
    return signing_in.saml(running, tenant, saml_idp, "--arrival", "create", "--allow-unsolicited")


def test_signing_in_meets_the_record_that_scim_made(
    running: Server,
    engine: sa.Engine,
    tenant: tenants.Tenant,
    saml_idp: Other,
    browser: Browser,
    idp: Callable[[], clients.Client],
) -> None:
    scim = idp()
    made = scim.send("POST", "/Users", clients.person("amara")).json()
    stand = signing_in.saml(running, tenant, saml_idp, "--paired-source", "entra")
    page = stand.sign_in(browser)
    assert (page.url, page.status) == (stand.home, 200), page.text
    assert "Amara" in page.text
    assert list(agreement.accounts_by_name(engine, tenant.id)) == [AMARA], "the login found the account that SCIM made"
    [attempt] = stand.attempts()
    assert (attempt["outcome"], attempt["reason"]) == ("accepted", None)

    with Browser() as other:
        page = stand.sign_in(other, "nobody@quay.example")
        assert (page.status, stand.trace(page)["reason"]) == (403, "not_provisioned")
        assert not stand.is_signed_in(other)

    assert scim.patch(f"/Users/{made['id']}", LEAVES).ok
    signing_in.after_a_second()
    assert not any(stand.is_signed_in(browser) for _ in range(20)), "in no process"
    page = stand.sign_in(browser)
    assert (page.status, stand.trace(page)["reason"]) == (403, "inactive")


def test_every_binding_and_signature_that_the_provider_may_choose(stand: Stand) -> None:
    idp = stand.provider
    assert _signed_in(stand)
    stand.command("connection", "set", "quay", "--setting", "sso_binding=post")
    assert _signed_in(stand)
    idp.control(sign_response=False)
    assert _signed_in(stand), "the assertion alone is signed"
    stand.command("connection", "set", "quay", "--setting", "want_assertions_signed=false")
    idp.control(sign_response=True, sign_assertion=False)
    assert _signed_in(stand), "the response alone is signed"
    idp.control(sign_response=False)
    assert _refusal(stand) == "signature"


@pytest.mark.parametrize("cipher", ["gcm", "cbc"])
def test_an_encrypted_assertion(stand: Stand, cipher: str) -> None:
    stand.provider.control(encrypt=cipher)
    assert _signed_in(stand)


def test_what_is_wrong_is_named_in_the_trace_and_not_to_the_person(stand: Stand) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"audience": "https://other.example"}, "audience"),
        ({"lifetime": -10}, "expired"),
        ({"sign_with": 1}, "signature"),
        ({"encrypt": "3des", "sign_assertion": False}, "encryption"),
    ]
    for wanted, reason in wrong:
        stand.provider.control(**wanted)
        assert _refusal(stand) == reason, wanted
        stand.provider.control(**signing_in.ASSERTION)
    assert _signed_in(stand), "and beside it what is right"


def test_the_keys_of_the_provider_roll_over(stand: Stand) -> None:
    idp = stand.provider
    idp.control(publish=[0, 1])
    stand.command("connection", "refresh", "quay")
    assert _signed_in(stand), "the old key signs still"
    idp.control(sign_with=1)
    assert _signed_in(stand), "the new one does"
    idp.control(publish=[1])
    stand.command("connection", "refresh", "quay")
    assert _signed_in(stand)
    idp.control(sign_with=0)
    assert _refusal(stand) == "signature", "the old one is gone"


def test_nobody_asked(stand: Stand, browser: Browser) -> None:
    form = _unsolicited(stand, browser)
    page = browser.settle(form)
    assert page.url == stand.home, page.text
    with Browser() as thief:
        page = thief.settle(form)
        assert (page.status, stand.trace(page)["reason"]) == (403, "replayed")

    stand.command("connection", "set", "quay", "--no-unsolicited")
    with Browser() as late:
        page = late.settle(_unsolicited(stand, late))
        assert (page.status, stand.trace(page)["reason"]) == (403, "unsolicited")


def test_an_answer_is_taken_once_and_from_the_browser_that_asked(stand: Stand, browser: Browser) -> None:
    page = stand.begin(browser)
    answered = browser.submit(page, page.form("user"), user=AMARA)
    with Browser() as victim:
        page = victim.settle(answered)
        assert (page.status, stand.trace(page)["reason"]) == (403, "other_browser")
        assert not stand.is_signed_in(victim)
    assert browser.settle(answered).url == stand.home
    page = browser.settle(answered)
    assert (page.status, stand.trace(page)["reason"]) == (403, "unknown_request")


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_signing_out_here_signs_out_there(stand: Stand, browser: Browser, binding: str) -> None:
    _slo(stand, binding)
    page = stand.sign_in(browser)
    page = browser.settle(browser.submit(page, page.form("session", "token"), session="this"))
    assert page.url.startswith(f"{stand.server.url}/signed-out"), page.text
    assert stand.provider.events("logout asked")[-1]["ended"] == 1
    assert not stand.is_signed_in(browser)
    assert "user" in stand.begin(browser).form("user").fields, "the provider asks who it is"


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_signing_out_there_signs_out_here(stand: Stand, browser: Browser, binding: str) -> None:
    _slo(stand, binding)
    stand.sign_in(browser)
    assert stand.is_signed_in(browser)
    page = browser.settle(browser.get(f"{stand.provider.url}/logout"))
    assert "You are signed out." in page.text
    assert stand.provider.events("logout answered")[-1]["success"] is True
    assert not stand.is_signed_in(browser)


def test_signing_out_everywhere(stand: Stand, browser: Browser) -> None:
    page = stand.sign_in(browser)
    with Browser() as phone:
        stand.sign_in(phone)
        assert stand.is_signed_in(phone)
        browser.settle(browser.submit(page, page.form("session", "token"), session="all"))
        assert soon(lambda: not stand.is_signed_in(phone), OF_ONE_SECOND)
    assert not stand.is_signed_in(browser)


def _signed_in(stand: Stand) -> bool:
    with Browser() as browser:
        page = stand.sign_in(browser)
        assert (page.url, page.status) == (stand.home, 200), stand.trace(page)
        return stand.is_signed_in(browser)


def _refusal(stand: Stand) -> str:
    """Why nobody is signed in; the page says it in one sentence and shows nothing of the message."""
    with Browser() as browser:
        page = stand.sign_in(browser)
        assert page.status == 403
        assert "You are not signed in" in page.text
        assert not stand.is_signed_in(browser)
        return str(stand.trace(page)["reason"])


def _unsolicited(stand: Stand, browser: Browser) -> Page:
    start = f"{stand.provider.url}/start?sp={stand.addresses.entity_id}&user={AMARA}"
    return browser.get(start)


def _slo(stand: Stand, binding: str) -> None:
    """The provider speaks this binding when it signs out; we hear of it by its metadata."""
    stand.provider.control(binding=binding)
    stand.command("connection", "refresh", "quay")
