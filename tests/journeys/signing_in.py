"""People sign in at the running server, through a provider of others, with a browser."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from app.store import tenants
from sso import cookies
from sso.connections import Addresses
from tests.journeys.browser import Browser, Page
from tests.journeys.others import Other
from tests.journeys.server import Server
from tests.waiting import soon

SECRET: Final = "rollcall-at-the-provider-0123456789abcdef"
AMARA: Final = "amara@quay.example"
ASSERTION: Final = {
    "encrypt": None,
    "sign_assertion": True,
    "sign_response": True,
    "audience": None,
    "lifetime": 5,
    "sign_with": 0,
    "publish": [0],
    "binding": "redirect",
    "elsewhere": None,
}


@dataclass(frozen=True, slots=True)
class Stand:
    """A tenant of the server with a connection to a provider. `told` is what creating the connection printed."""

    server: Server
    tenant: tenants.Tenant
    provider: Other
    told: dict[str, Any] = field(repr=False)

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.server.url, self.told["id"])

    @property
    def cookie(self) -> str:
        """The name of the tenant's session cookie."""
        return cookies.session(self.server.url, self.tenant.id)

    @property
    def home(self) -> str:
        """Where somebody lands who was going nowhere else."""
        return f"{self.server.url}/signed-in/{self.tenant.name}"

    def command(self, *args: str, stdin: str = "") -> Any:
        """A command on this tenant."""
        return self.server.rollcall(*args, "--tenant", self.tenant.name, stdin=stdin)

    def begin(self, browser: Browser) -> Page:
        """The person goes to the tenant's sign-in page, and so to the provider."""
        return browser.get(f"{self.server.url}/sign-in/{self.tenant.name}")

    def sign_in(self, browser: Browser, user: str = AMARA) -> Page:
        """The whole way; the page at its end."""
        return self.go_on(browser, self.begin(browser), user)

    def go_on(self, browser: Browser, page: Page, user: str = AMARA) -> Page:
        """From the provider's page, wherever it was come to from, to the end."""
        page = browser.settle(page)
        for name in ("user", "login"):
            if any(name in form.fields for form in page.forms):
                page = browser.submit(page, page.form(name), **{name: user})
        return browser.settle(page)

    def is_signed_in(self, browser: Browser) -> bool:
        """Whether our own page knows the browser. Over a connection of its own, so that any process may answer."""
        browser.session.headers["Connection"] = "close"
        page = browser.get(self.home)
        return page.status == 200 and any("session" in form.fields for form in page.forms)

    def trace(self, page: Page) -> dict[str, Any]:
        """The attempt whose code the page shows."""
        code = page.text.partition('class="code">')[2].partition("<")[0]
        assert code, page.text
        found: dict[str, Any] = self.command("sign-in", "show", code)
        return found

    def attempts(self) -> list[dict[str, Any]]:
        """The sign-in log, newest first."""
        found: list[dict[str, Any]] = self.command("sign-in", "list")
        return found


def after_a_second() -> None:
    """Returns when a second has passed: what was withdrawn before is remembered by no process any more."""
    end = time.monotonic() + 1.0
    assert soon(lambda: time.monotonic() >= end)


def saml(server: Server, tenant: tenants.Tenant, idp: Other, *options: str, name: str = "quay") -> Stand:
    """A SAML connection, known on both sides."""
    idp.control(**ASSERTION, people={AMARA: {"groups": ["teachers"]}})
    metadata = ("--metadata", f"{idp.url}/metadata")
    stand = Stand(server, tenant, idp, _create(server, tenant, "saml", name, *metadata, *options))
    idp.control(sp=server.read(stand.addresses.metadata))
    return stand


def openid(server: Server, tenant: tenants.Tenant, provider: Other, *options: str, name: str = "quay") -> Stand:
    """An OpenID connection, known on both sides."""
    provider.control(clients=[], bend=None, keys=[0, 2], drop_session=True)
    issuer = ("--issuer", provider.url, "--client-id", tenant.name, "--client-secret-stdin")
    stand = Stand(server, tenant, provider, _create(server, tenant, "oidc", name, *issuer, *options, stdin=SECRET))
    client = {
        "client_id": tenant.name,
        "client_secret": SECRET,
        "redirect_uris": [stand.addresses.callback],
        "post_logout_redirect_uris": [f"{server.url}/signed-out"],
        "backchannel_logout_uri": stand.addresses.back_channel,
        "backchannel_logout_session_required": True,
    }
    provider.control(clients=[client], people={AMARA: {"groups": ["teachers"], "preferred_username": AMARA}})
    return stand


def _create(
    server: Server, tenant: tenants.Tenant, kind: str, name: str, *options: str, stdin: str = ""
) -> dict[str, Any]:
    command = ("connection", "create", "--tenant", tenant.name, "--type", kind, "--name", name)
    told: dict[str, Any] = server.rollcall(*command, *options, stdin=stdin)
    return told
