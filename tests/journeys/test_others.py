"""The programs of others work with each other: what fails beside them with us, fails because of us."""

from __future__ import annotations

import pytest

from tests.journeys.browser import Browser
from tests.journeys.others import Other

pytestmark = pytest.mark.journey


def test_the_relying_party_signs_in_at_the_openid_provider(
    openid_provider: Other, relying_party: Other, browser: Browser
) -> None:
    openid_provider.control(
        clients=[
            {
                "client_id": "lms",
                "client_secret": "lms-secret-lms-secret-lms-secret",
                "redirect_uris": [f"{relying_party.url}/callback"],
                "post_logout_redirect_uris": [f"{relying_party.url}/signed-out"],
                "backchannel_logout_uri": f"{relying_party.url}/backchannel",
                "backchannel_logout_session_required": True,
                "grant_types": ["authorization_code", "refresh_token"],
            }
        ],
        people={"amara": {"groups": ["teachers"], "email": "amara@quay.example"}},
    )
    secret = "lms-secret-lms-secret-lms-secret"
    party = relying_party.ask(
        "/parties",
        issuer=openid_provider.url,
        client_id="lms",
        client_secret=secret,
        scope="openid email offline_access",
    )
    place = f"/parties/{party['id']}"

    def sign_in() -> dict[str, object]:
        asked = relying_party.ask(f"{place}/start", extra={"prompt": "consent"})
        page = browser.get(asked["url"])
        while page.forms:
            form = page.forms[0]
            page = browser.submit(page, form, **({"login": "amara"} if "login" in form.fields else {}))
        return relying_party.told(place)

    signed_in = sign_in()
    assert signed_in["error"] is None
    claims = signed_in["claims"]
    assert isinstance(claims, dict)
    assert (claims["sub"], claims["groups"], claims["email_verified"]) == ("amara", ["teachers"], True)
    assert relying_party.ask(f"{place}/userinfo")["email"] == "amara@quay.example"
    assert relying_party.ask(f"{place}/introspect")["active"] is True
    assert relying_party.ask(f"{place}/refresh")["error"] is None
    relying_party.ask(f"{place}/revoke")
    assert relying_party.ask(f"{place}/introspect") == {"active": False}

    openid_provider.control(bend={"aud": "another"})
    assert sign_in()["error"] is not None
    openid_provider.control(bend={"exp": -600})
    assert sign_in()["error"] is not None
    openid_provider.control(bend=None)
    assert sign_in()["error"] is None

    leave = relying_party.ask(f"{place}/end", post_logout_redirect_uri=f"{relying_party.url}/signed-out")
    page = browser.get(leave["url"])
    page = browser.submit(page, page.forms[0], logout="yes")
    assert page.url.startswith(f"{relying_party.url}/signed-out")
    [logout] = relying_party.told(place)["logouts"]
    assert logout["sub"] == "amara"
