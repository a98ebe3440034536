"""A provider under attack: somebody signed in at each of two tenants, their clients, and how answers are judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from app.events.issuing import Issuer as Signing
from app.store import tenants
from app.store.engine import writing
from tests.attacks import provider
from tests.attacks.provider import CALLBACK
from tests.journeys import agreement, attacking, clients, server
from tests.journeys.attacking import Answer, send
from tests.journeys.clients import Client
from tests.journeys.platform import CHALLENGE, VERIFIER, Platform, back, error
from tests.journeys.server import Server
from tests.signed_in import SignedIn, sign_in

STRICT: Final = {
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass
class Target:
    """A server with two tenants: somebody signed in at each, clients of the first, one of the other."""

    server: Server
    engine: sa.Engine
    tenant: tenants.Tenant
    scim: Client
    web: Platform
    public: Platform
    native: Platform
    signed: Platform
    all: Platform
    foreign: Platform
    held: int = 0
    people: int = 0

    def person(self, name: str) -> tuple[str, SignedIn]:
        """A new person: their id at SCIM, and a session."""
        made = self.scim.send("POST", "/Users", clients.person(name))
        assert made.status_code == 201, made.text
        self.people += 1
        account = agreement.accounts_by_name(self.engine, self.tenant.id)[f"{name}@quay.example"]
        return made.json()["id"], sign_in(self.engine, self.tenant.id, account.id)

    def of(self, who: SignedIn) -> Platform:
        """The web client with another person's browser."""
        return Platform(self.server, who, self.web.id, self.web.secret)


@contextmanager
def attacked() -> Iterator[Target]:
    """The server, which is gone at the end; what is right is accepted before it is attacked."""
    with server.running() as started, started.engine() as engine:
        with writing(engine) as conn:
            tenant, other = tenants.create(conn, "attacked"), tenants.create(conn, "elsewhere")
            source = tenants.create_source(conn, tenant.id, "entra", kind="idp", system="entra")
        with clients.scim(engine, started.url, source) as scim:
            assert scim.send("POST", "/Users", clients.person("amara")).status_code == 201
            account = agreement.accounts_by_name(engine, tenant.id)["amara@quay.example"]
            amara, ada = sign_in(engine, tenant.id, account.id), sign_in(engine, other.id)
            register = partial(Platform.register, started, tenant.name, amara)
            native = register("--native", "--public", callback=provider.NATIVE)
            made = Target(
                *(started, engine, tenant, scim, register(), register("--public"), native),
                *(register("--token-format", "jwt"), register("--introspects")),
                Platform.register(started, other.name, ada, "--introspects"),
            )
            for _ in range(10):
                assert made.web.is_good(made.web.tokens()), "what is right is accepted, before"
            made.people, made.held = agreement.count_accounts(engine, tenant.id), attacking.memory(started)
            yield made


@contextmanager
def genuine_beside_them(target: Target) -> Iterator[None]:
    """Around attacks: what was given before stays good, and what is right is accepted after them."""
    held = target.web.tokens()
    yield
    assert target.web.is_good(held), "no attack ended it"
    for platform in (target.web, target.public, target.native, target.signed, target.foreign):
        assert platform.is_good(platform.tokens()), "and what is right is accepted, after"


Judge = Callable[[Answer], object]


def played(plays: dict[str, Callable[[], Answer]], judge: Judge) -> None:
    """Each is answered in time, and as the judge wants it: what it returns is what is wrong."""
    wrong = []
    for name, play in plays.items():
        try:
            found = judge(attacking.in_time(play))
        except AssertionError as failed:
            found = failed
        if found:
            wrong.append(f"{name}: {found}")
    assert not wrong, attacking.told(wrong)


def a_page(answer: Answer) -> object:
    """Told to the person, sent nowhere, with nothing of the request in it."""
    lax = [name for name, value in STRICT.items() if answer.headers.get(name) != value]
    sound = "frame-ancestors 'none'" in answer.headers["content-security-policy"] and not lax
    echoed = any(part in answer.body for part in ("evil", "alert", "callback", provider.NOBODY, "<script"))
    right = answer.status == 400 and "location" not in answer.headers and sound and not echoed
    return None if right else (answer.status, answer.headers, answer.body[:300])


def is_refused(*errors: str) -> Judge:
    """JSON with one of these errors, that nobody keeps."""

    def judge(answer: Answer) -> object:
        kept = answer.headers.get("cache-control") != "no-store"
        return (answer.status, answer.body, kept) if answer.status >= 500 or error(answer) not in errors or kept else 0

    return judge


def is_told(answer: Answer, wanted: str) -> object:
    """The client is told, with its state and who tells it; there is no code."""
    said, leads = back(answer), answer.headers.get("location", "")
    right = leads.startswith(CALLBACK) and said.get("error") == wanted and "code" not in said and "iss" in said
    return None if right and answer.headers["referrer-policy"] == "no-referrer" else (answer.status, leads)


def exchanged(web: Platform, changes: dict[str, Any], by: Platform | None = None) -> Answer:
    """A new code of the web client's, at the token endpoint with these changes."""
    by = by or web
    return by.post("/oauth/token", web.form(web.code(), **changes))


def check(target: Target, token: str | None, said: str = "", jar: dict[str, str] | None = None) -> Answer:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return send(f"{target.server.url}/oauth/check{said}", headers=headers, cookies=jar)


def is_inactive(answer: Answer) -> object:
    return None if (answer.status, answer.body) == (200, '{"active":false}') else (answer.status, answer.body)


def is_unauthorized(answer: Answer) -> object:
    return None if answer.status == 401 and not answer.body.count("@") else (answer.status, answer.body)


def asks_first(answer: Answer) -> object:
    """The person is asked; nothing is ended."""
    asked = answer.status == 200 and "asks to sign you out" in answer.body
    gone = any(name.startswith(("rollcall-", "__Host-")) for name in answer.cookies)
    return None if asked and not gone else (answer.status, answer.headers)


def minted(target: Target, typ: str) -> str:
    """Signed by our own key, about the person, the client and the session as an ID token would be."""
    now, who = int(time.time()), target.web.who
    claims = {"iss": target.server.url, "aud": target.web.id, "sub": who.account_id, "sid": who.session_id}
    signing = Signing(target.engine, target.server.vault(), target.server.url)
    return signing.sign({**claims, "iat": now, "exp": now + 300}, type=typ, algorithm="RS256")


def unchanged(target: Target) -> None:
    """Nobody came in, nothing failed, no secret is in the log, and nothing stays in memory."""
    log = target.server.log()
    secrets = (target.web.secret, target.web.who.secret, VERIFIER, CHALLENGE, "rc_pt_", "rc_rt_", "eyJ")
    assert not [secret for secret in secrets if secret in log]
    assert "a request failed" not in log
    assert agreement.count_accounts(target.engine, target.tenant.id) == target.people
    assert attacking.memory(target.server) - target.held < attacking.MOST_GROWTH
