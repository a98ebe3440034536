"""An LMS that is not ours, npm's openid-client, lets people sign in through Rollcall and gives their tokens back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
import requests
import sqlalchemy as sa

from app.store import tenants
from tests.journeys import clients, signing_in
from tests.journeys.browser import Browser, Page
from tests.journeys.others import Other
from tests.journeys.server import Server
from tests.journeys.signing_in import AMARA, Stand
from tests.waiting import soon

pytestmark = pytest.mark.journey

LEAVES: Final = {"op": "Replace", "path": "active", "value": "False"}
SCOPES: Final = ("openid", "profile", "email", "roles", "groups", "offline_access")
NUMBER: Final = "E-7"
OF_ONE_SECOND: Final = 1.0


@dataclass(frozen=True, slots=True)
class Lms:
    """A relying party of the stand's tenant. `told` is what creating the client printed."""

    stand: Stand
    program: Other
    told: dict[str, Any]
    place: str

    def sign_in(self, browser: Browser, **extra: str) -> dict[str, Any]:
        """The person signs in at the LMS; what the LMS has then: tokens, claims, error."""
        page = browser.get(self.ask("start", extra=extra)["url"])
        self.stand.go_on(browser, page)
        return self.shown()

    def shown(self) -> dict[str, Any]:
        return self.program.told(self.place)

    def ask(self, what: str, **told: Any) -> dict[str, Any]:
        """One act of the library."""
        return self.program.ask(f"{self.place}/{what}", **told)

    def is_active(self, token: str) -> bool:
        return bool(self.ask("introspect", token=token)["active"])


@pytest.fixture
def stand(running: Server, tenant: tenants.Tenant, openid_provider: Other, idp: Callable[[], clients.Client]) -> Stand:
    """People whom SCIM made sign in through an OpenID provider."""
    person = clients.person("amara", **{clients.ENTERPRISE: {"employeeNumber": NUMBER}})
    assert idp().send("POST", "/Users", person).ok
    return signing_in.openid(running, tenant, openid_provider, "--paired-source", "entra")


def lms(stand: Stand, program: Other, *options: str, scopes: tuple[str, ...] = SCOPES, **party: Any) -> Lms:
    """A client of the tenant, registered by command, and the program that is it."""
    addresses = (f"{program.url}/callback", f"{program.url}/signed-out", f"{program.url}/backchannel")
    told = stand.command(
        *("client", "create", "lms", "--redirect-uri", addresses[0], "--post-logout-redirect-uri", addresses[1]),
        *("--back-channel-logout-uri", addresses[2]),
        *(part for scope in scopes for part in ("--scope", scope)),
        *options,
    )
    issuer, secret = stand.server.url, told.get("client_secret")
    given = {"client_secret": secret} if secret else {}
    made = program.ask("/parties", issuer=issuer, client_id=told["client_id"], scope=" ".join(scopes), **given, **party)
    assert "id" in made, made
    return Lms(stand, program, told, f"/parties/{made['id']}")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("format", ["opaque", "jwt"])
def test_the_whole_code_flow(stand: Stand, relying_party: Other, browser: Browser, algorithm: str, format: str) -> None:
    options = ("--id-token-algorithm", algorithm, "--token-format", format)
    school = lms(stand, relying_party, *options, algorithm=algorithm)
    signed_in = school.sign_in(browser)
    assert signed_in["error"] is None
    assert signed_in["claims"]["email"] == AMARA
    tokens = signed_in["tokens"]
    assert (tokens["access_token"].count(".") == 2) is (format == "jwt")
    found = school.ask("userinfo")
    assert (found["sub"], found["email"], found["name"]) == (signed_in["claims"]["sub"], AMARA, "Amara")
    told = school.ask("introspect")
    assert (told["active"], told["sub"], told["client_id"]) == (True, found["sub"], school.told["client_id"])
    assert _check(stand, tokens["access_token"]) == 204
    for other in (tokens["id_token"], tokens["refresh_token"]):
        assert _check(stand, other) == 401, "no access token"
    assert "error" in school.ask("userinfo", token=tokens["id_token"])
    assert not school.is_active(tokens["id_token"])


def test_a_second_sign_in_asks_nobody_anything(stand: Stand, relying_party: Other, browser: Browser) -> None:
    school = lms(stand, relying_party)
    assert school.ask("start", extra={"prompt": "none"})["url"]
    assert school.sign_in(browser, prompt="none")["error"]["error"] == "login_required"
    first = school.sign_in(browser)
    page = browser.get(school.ask("start", extra={"prompt": "none"})["url"])
    assert page.url.startswith(f"{relying_party.url}/callback")
    assert school.shown()["claims"]["sub"] == first["claims"]["sub"]


def test_groups_that_the_provider_tells_of_become_roles(stand: Stand, relying_party: Other, browser: Browser) -> None:
    school = lms(stand, relying_party)
    before = school.sign_in(browser)["claims"]
    assert (before["groups"], "instructor" in before["roles"]) == (["teachers"], False), (
        "what nobody mapped gives nothing"
    )
    stand.command("mapping", "set", "--source", "quay", "--group", "teachers", "--role", "instructor", "--yes")
    assert "instructor" in school.ask("userinfo")["roles"], "at once, for the token that is there"
    assert "instructor" in school.sign_in(browser)["claims"]["roles"]


def test_refresh_tokens_rotate_and_reuse_ends_the_family(stand: Stand, relying_party: Other, browser: Browser) -> None:
    school = lms(stand, relying_party)
    first = school.sign_in(browser)["tokens"]
    second = school.ask("refresh")["tokens"]
    assert second["refresh_token"] != first["refresh_token"]
    third = school.ask("refresh")["tokens"]
    assert school.is_active(third["access_token"])
    assert "error" in school.ask("refresh", token=first["refresh_token"]), "it was used before"
    assert "error" in school.ask("refresh", token=third["refresh_token"]), "so the whole family is gone"
    assert soon(lambda: not school.is_active(third["access_token"]), OF_ONE_SECOND)


def test_revocation(stand: Stand, relying_party: Other, browser: Browser) -> None:
    school = lms(stand, relying_party)
    tokens = school.sign_in(browser)["tokens"]
    school.ask("revoke", token=tokens["access_token"])
    assert soon(lambda: not school.is_active(tokens["access_token"]), OF_ONE_SECOND)
    assert "error" in school.ask("userinfo", token=tokens["access_token"])
    school.ask("revoke", token=tokens["refresh_token"])
    assert "error" in school.ask("refresh", token=tokens["refresh_token"])


def test_signing_out_at_the_lms(stand: Stand, relying_party: Other, browser: Browser) -> None:
    school = lms(stand, relying_party)
    tokens = school.sign_in(browser)["tokens"]
    leave = school.ask("end", post_logout_redirect_uri=f"{relying_party.url}/signed-out", state="abc")
    page = _leave(browser, browser.get(leave["url"]), relying_party)
    assert page.url.startswith(f"{relying_party.url}/signed-out"), page.text
    assert not stand.is_signed_in(browser)
    assert soon(lambda: not school.is_active(tokens["access_token"]), OF_ONE_SECOND)
    assert soon(lambda: len(school.shown()["logouts"]) == 1)
    [logout] = school.shown()["logouts"]
    assert "http://schemas.openid.net/event/backchannel-logout" in logout["events"]


@pytest.mark.parametrize("who", ["the identity provider", "HR"])
def test_whoever_leaves_is_out_everywhere_within_a_second(
    stand: Stand,
    relying_party: Other,
    browser: Browser,
    engine: sa.Engine,
    idp: Callable[[], clients.Client],
    hr: tenants.SourceRow,
    who: str,
) -> None:
    scim = idp()
    [person] = scim.send("GET", "/Users").json()["Resources"]
    with clients.api(engine, stand.server.url, stand.tenant, "records:write") as payroll:
        assert payroll.send("POST", f"/sources/{hr.name}/records", _worker("active")).ok
        school = lms(stand, relying_party)
        tokens = school.sign_in(browser)["tokens"]
        access = tokens["access_token"]
        assert {_check(stand, access) for _ in range(20)} == {204}, "each process has seen the token"
        if who == "HR":
            assert payroll.send("POST", f"/sources/{hr.name}/records", _worker("terminated")).ok
        else:
            assert scim.patch(f"/Users/{person['id']}", LEAVES).ok
    signing_in.after_a_second()
    assert {_check(stand, access) for _ in range(20)} == {401}, "in no process"
    assert not school.is_active(access)
    assert "error" in school.ask("userinfo", token=access)
    assert "error" in school.ask("refresh", token=tokens["refresh_token"])
    assert not any(stand.is_signed_in(browser) for _ in range(20))


def _worker(status: str) -> dict[str, str]:
    return {"id": "w-1", "status": status, "employeeNumber": NUMBER, "email": AMARA}


def _check(stand: Stand, token: str) -> int:
    """The forward-auth answer, over a connection of its own, so that any process may give it."""
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    return requests.get(f"{stand.server.url}/oauth/check", headers=headers, timeout=30).status_code


def _leave(browser: Browser, page: Page, program: Other) -> Page:
    """Through the providers that have a say in it, until the LMS."""
    for _ in range(5):
        if page.url.startswith(program.url) or not page.forms:
            break
        page = browser.submit(page, page.forms[0], **({"logout": "yes"} if "xsrf" in page.forms[0].fields else {}))
    return page
