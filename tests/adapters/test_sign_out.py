"""Single logout by SAML through the whole application: whose sessions end, and what never ends one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.store import connections, tenants
from app.store.engine import writing
from sso.connections import Addresses
from tests.adapters.sign_in_people import BASE, IDP, Browser, Town
from tests.sso.saml_idp import PERSISTENT, World, form, sign
from tests.sso.saml_logouts import logout_request, logout_response, query

SLO = {"slo_url": "https://idp.example.com/slo"}


@pytest.fixture
def town(engine: sa.Engine, okta: tenants.SourceRow) -> Town:
    made = Town(engine, okta)
    made.provision()
    return made


def world_of(browser: Browser, request_id: str | None = None) -> World:
    now = datetime.now(UTC).replace(microsecond=0)
    return World(Addresses(BASE, browser.connection_id), request_id=request_id, now=now)


def order(browser: Browser, id: str, name_id: str = "ada", session: str | None = None, **pieces: str) -> TestResponse:
    """The provider's LogoutRequest, through this browser."""
    said = {
        "id": id,
        "name_id": f'<saml:NameID Format="{PERSISTENT}">{name_id}</saml:NameID>',
        "indexes": f"<samlp:SessionIndex>{session}</samlp:SessionIndex>" if session else "",
        **pieces,
    }
    raw = query(logout_request(world_of(browser), **said), IDP, "state")
    return browser.get(f"/saml/{browser.connection_id}/slo?{raw.decode()}")


def two(town: Town, **settings: Any) -> tuple[Browser, Browser]:
    id = town.saml(settings={**SLO, **settings})
    ada, phone = Browser(town, id), Browser(town, id)
    ada.sign_in(session="_one")
    phone.sign_in(session="_two")
    return ada, phone


def test_the_provider_ends_the_session_that_it_names_in_whichever_browser(town: Town) -> None:
    ada, phone = two(town)
    answer = order(Browser(town, ada.connection_id), "_l1", session="_one")
    assert answer.status_code == 303
    assert answer.location.startswith("https://idp.example.com/slo?SAMLResponse=")
    assert parse_qs(urlsplit(answer.location).query)["RelayState"] == ["state"]
    assert not ada.is_signed_in()
    assert phone.is_signed_in()
    order(ada, "_l2")  # no SessionIndex: all of the person
    assert not phone.is_signed_in()


def test_a_provider_whose_connection_is_switched_off_still_signs_out(town: Town) -> None:
    """Whoever is signed in stays so when it is: the provider's word that they left must not be lost."""
    ada, phone = two(town)
    with writing(town.engine) as conn:
        connections.change(conn, town.okta.tenant_id, ada.connection_id, enabled=False)
    assert ada.is_signed_in()
    assert order(ada, "_l1").status_code == 303
    assert not ada.is_signed_in()
    assert not phone.is_signed_in()


def test_what_names_nobody_here_ends_nothing(town: Town) -> None:
    ada, phone = two(town)
    for number, (name_id, session) in enumerate([("eve", None), ("ada", "_three"), ("eve", "_one"), ("ADA", None)]):
        assert order(ada, f"_n{number}", name_id, session).status_code == 303
    assert ada.is_signed_in()
    assert phone.is_signed_in()


def test_another_connection_s_provider_ends_nothing(town: Town) -> None:
    ada, _ = two(town)
    other = Browser(town, town.saml("second", settings=SLO))
    order(other, "_l1")
    assert ada.is_signed_in()


def test_a_logout_message_counts_once_and_signed_alone(town: Town) -> None:
    ada, phone = two(town)
    order(ada, "_l1", session="_one")
    ada.sign_in(session="_one")
    assert order(ada, "_l1", session="_one").status_code == 403
    assert town.last().reason == "replayed"
    unsigned = query(logout_request(world_of(ada), id="_l3", indexes=""), IDP).decode().partition("&SigAlg")[0]
    assert ada.get(f"/saml/{ada.connection_id}/slo?{unsigned}").status_code == 403
    assert town.last().steps[0] == {"check": "message", "ok": True, "detail": "sign-out"}
    assert ada.is_signed_in()
    assert phone.is_signed_in()


def test_a_logout_by_form(town: Town) -> None:
    ada, _ = two(town, slo_binding="post")
    name_id = f'<saml:NameID Format="{PERSISTENT}">ada</saml:NameID>'
    document = logout_request(world_of(ada), name_id=name_id, indexes="")
    raw = form(sign(document, "_l1", IDP), "state", "SAMLRequest")
    answer = ada.post(f"/saml/{ada.connection_id}/slo", raw)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert 'action="https://idp.example.com/slo"' in page
    assert 'name="SAMLResponse"' in page
    assert not ada.is_signed_in()


def test_signing_out_here_asks_the_provider_and_takes_its_answer_once(town: Town) -> None:
    ada, phone = two(town)
    page = ada.press("this")
    assert "SAMLRequest=" in page
    assert not ada.is_signed_in()
    assert phone.is_signed_in()
    request_id = ada.request_id(page.partition("url=")[2].partition('"')[0].replace("&amp;", "&"))
    raw = query(logout_response(world_of(ada, request_id)), IDP, kind="SAMLResponse").decode()
    path = f"/saml/{ada.connection_id}/slo?{raw}"
    attempts = len(town.rows("sign_ins"))
    assert phone.get(path).location == "/signed-out?tenant=acme"  # another browser's answer is nobody's
    assert town.last().reason == "unknown_request"
    assert ada.get(path).location == "/signed-out?tenant=acme"
    assert len(town.rows("sign_ins")) == attempts + 1
    ada.get(path)
    assert town.last().reason == "unknown_request"
    assert phone.is_signed_in()


def test_the_session_ends_here_also_when_the_connection_is_gone(town: Town) -> None:
    ada, _ = two(town)
    with writing(town.engine) as conn:
        connections.remove(conn, town.okta.tenant_id, ada.connection_id)
    ada.press("this")
    assert not ada.is_signed_in()
