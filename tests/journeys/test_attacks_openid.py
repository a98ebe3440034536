"""Every hostile token and answer known to us, over HTTP: at both of our doors as a client, and as the provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import pytest
import requests
import sqlalchemy as sa

from app.events.issuing import Issuer as Signing
from app.store import tenants
from app.store.engine import writing
from sso import cookies
from sso.connections import Addresses
from tests.attacks.jwts import SIGNER, tokens
from tests.attacks.oidc_answers import ANSWERS, CODE, EXCHANGES, STATE, USERINFOS
from tests.attacks.oidc_issuer import CLIENT, SECRET, Issuer, serving
from tests.attacks.oidc_tokens import ID_TOKENS, LOGOUT_TOKENS, Forged
from tests.journeys import agreement, attacking, server
from tests.journeys.attacking import Answer, send
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

REFUSED: Final = frozenset({400, 401, 431})
UNASKED: Final = frozenset({"other_browser", "unknown_request", "unsolicited"})

UNREADABLE: Final = {"half a character in the state": "malformed"}  # no text at all, on the wire


@dataclass
class Target:
    """A tenant of a server of its own, with three connections to lying providers."""

    server: Server
    engine: sa.Engine
    tenant: tenants.Tenant
    issuers: dict[str, Issuer] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    held: int = 0
    people: int = 0

    def connect(self, name: str, issuer: Issuer, *settings: str) -> None:
        made = self.server.rollcall(
            *("connection", "create", "--tenant", self.tenant.name, "--type", "oidc", "--name", name),
            *("--arrival", "create", "--issuer", issuer.url, "--client-id", CLIENT, "--client-secret-stdin"),
            *(part for setting in settings for part in ("--setting", setting)),
            stdin=SECRET,
        )
        self.issuers[name], self.connections[name] = issuer, str(made["id"])

    def addresses(self, name: str) -> Addresses:
        return Addresses(self.server.url, self.connections[name])

    def ask(self, name: str) -> tuple[str, dict[str, str]]:
        """A browser asks to sign in: where it is sent, and its cookies."""
        begun = send(f"{self.server.url}/sign-in/{self.tenant.name}/{name}")
        assert begun.status in (302, 303), begun.body
        return begun.headers["location"], dict(begun.cookies)

    def sign_in(self, name: str = "tokens", forge: Callable[[dict[str, Any]], str] = SIGNER.sign) -> Answer:
        """The whole way with whatever ID token comes of it."""
        leads, jar = self.ask(name)
        issuer = self.issuers[name]
        token = forge(issuer.claims(parse_qs(urlsplit(leads).query)["nonce"][0]))  # what takes time here, is not ours
        issuer.forge = lambda _: token
        return send(send(leads).headers["location"], cookies=jar)

    def answer(self, said: dict[str, str]) -> Answer:
        """An answer at the callback that the provider never gave."""
        leads, jar = self.ask("answers")
        [state] = parse_qs(urlsplit(leads).query)["state"]
        meant = {name: value.replace(STATE, state).replace(CODE, "code") for name, value in said.items()}
        query = urlencode(meant, errors="surrogatepass").encode()
        return send(self.addresses("answers").callback, query=query, cookies=jar)

    def log_out(self, token: str) -> Answer:
        body = f"logout_token={quote_plus(token)}".encode()
        return send(self.addresses("tokens").back_channel, "POST", body=body)

    def is_signed_in(self, came: Answer) -> bool:
        url = f"{self.server.url}/signed-in/{self.tenant.name}"
        return "You are signed in" in send(url, cookies=came.cookies).body

    def wrong(self, name: str, right: frozenset[str], play: Callable[[], Answer]) -> list[str]:
        """What is to be said against how the play ended."""
        try:
            answer, found = attacking.judged(self.engine, self.tenant.id, play)
        except AssertionError as error:
            return [f"{name}: {error}"]
        held = cookies.session(self.server.url, self.tenant.id) in answer.cookies
        if found in right and not held:
            return []
        return [f"{name}: expected {set(right)}, found {found} ({answer.status})"]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with (
        server.running() as started,
        started.engine() as engine,
        serving() as one,
        serving() as two,
        serving() as three,
    ):
        with writing(engine) as conn:
            tenant = tenants.create(conn, "attacked")
        made = Target(started, engine, tenant)
        made.connect("tokens", one)
        two.document = {"authorization_response_iss_parameter_supported": False}
        made.connect("answers", two)
        made.connect("userinfo", three, "use_userinfo=true")
        for _ in range(20):
            assert made.is_signed_in(made.sign_in()), "what is right is accepted, before"
        assert made.is_signed_in(made.sign_in("userinfo"))
        made.people = agreement.count_accounts(engine, tenant.id)
        made.held = attacking.memory(started)
        yield made


@pytest.fixture(autouse=True)
def genuine_beside_them(target: Target) -> Iterator[None]:
    came = target.sign_in()
    yield
    assert target.is_signed_in(came), "no attack ended it"
    assert target.is_signed_in(target.sign_in()), "and what is right is accepted, after"


def test_hostile_id_tokens(target: Target) -> None:
    """Each is refused before its nonce is looked at: all of them can be made at once."""
    wrong = []
    for name, attack in tokens(SIGNER, target.issuers["tokens"].claims("nonce")).items():
        wrong += target.wrong(
            name, frozenset({attack.code}), partial(target.sign_in, forge=partial(_ready, attack.token))
        )
    assert not wrong, attacking.told(wrong)


def test_id_tokens_that_do_not_answer_us(target: Target) -> None:
    wrong = []
    for name, forged in ID_TOKENS.items():
        wrong += target.wrong(name, frozenset({forged.code}), partial(target.sign_in, "tokens", _forger(forged)))
    assert not wrong, attacking.told(wrong)


def test_answers_that_are_not_ours(target: Target) -> None:
    wrong = []
    for name, (said, code) in ANSWERS.items():
        right = UNASKED if code in UNASKED and name not in UNREADABLE else frozenset({UNREADABLE.get(name, code)})
        wrong += target.wrong(name, right, partial(target.answer, said))
    assert not wrong, attacking.told(wrong)


def test_exchanges_that_fail(target: Target) -> None:
    wrong = []
    for name, (status, body, code) in EXCHANGES.items():
        target.issuers["tokens"].answers["/token"] = (status, "application/json", body)
        wrong += target.wrong(name, frozenset({code}), target.sign_in)
    target.issuers["tokens"].answers.clear()
    assert not wrong, attacking.told(wrong)


def test_userinfo_that_is_not_the_persons(target: Target) -> None:
    wrong = []
    for name, (status, kind, body, code) in USERINFOS.items():
        target.issuers["userinfo"].answers["/userinfo"] = (status, kind, body)
        wrong += target.wrong(name, frozenset({code}), partial(target.sign_in, "userinfo"))
    target.issuers["userinfo"].answers.clear()
    assert not wrong, attacking.told(wrong)


def test_hostile_logout_tokens(target: Target) -> None:
    issuer, wrong = target.issuers["tokens"], []
    for name, attack in tokens(SIGNER, issuer.logout_claims()).items():
        wrong += target.wrong(name, frozenset({attack.code}), partial(target.log_out, attack.token))
    for name, forged in LOGOUT_TOKENS.items():
        token = _forger(forged)(issuer.logout_claims())
        wrong += target.wrong(name, frozenset({forged.code}), partial(target.log_out, token))
    assert not wrong, attacking.told(wrong)


def test_a_logout_token_is_taken_once(target: Target) -> None:
    token = SIGNER.sign(target.issuers["answers"].logout_claims(), typ="logout+jwt")
    assert target.log_out(token).status == 400, "another provider's"
    claims = {**target.issuers["tokens"].logout_claims(), "sub": "nobody", "sid": "none"}
    token = SIGNER.sign(claims, typ="logout+jwt")
    assert [target.log_out(token).status for _ in range(2)] == [200, 400]


def test_hostile_access_tokens(target: Target) -> None:
    """Also what is signed with our own key, but is no access token, or none that we gave."""
    url, now = target.server.url, int(time.time())
    claims = {"iss": url, "aud": "lms", "sub": "s-1", "client_id": "lms", "iat": now, "exp": now + 300, "jti": "j-1"}
    target.server.rollcall("key", "rotate")
    ours = Signing(target.engine, target.server.vault(), url)
    played = {name: attack.token for name, attack in tokens(SIGNER, claims).items()} | {
        f"our own key, typ {typ}": ours.sign(claims, type=typ, algorithm="RS256")
        for typ in ("at+jwt", "JWT", "logout+jwt", "secevent+jwt")
    }
    wrong = []
    for name, token in played.items():
        for path in ("/oauth/check", "/oauth/userinfo", "/api/v1/accounts"):
            try:
                answer = attacking.in_time(partial(_bear, f"{url}{path}", token))
            except AssertionError as error:
                wrong.append(f"{name} at {path}: {error}")
                continue
            if answer.status not in REFUSED:
                wrong.append(f"{name} at {path}: {answer.status}")
    assert not wrong, attacking.told(wrong)


def test_hostile_tokens_at_introspection_say_nothing(target: Target) -> None:
    command = ("client", "create", "lms", "--tenant", target.tenant.name, "--introspects")
    party = target.server.rollcall(*command, "--redirect-uri", "http://127.0.0.1:9/callback")
    client = (party["client_id"], party["client_secret"])
    for name, attack in tokens(SIGNER, {"iss": target.server.url, "sub": "s-1"}).items():
        url = f"{target.server.url}/oauth/introspect"
        answer = requests.post(url, {"token": attack.token}, auth=client, timeout=attacking.SECONDS)
        inactive = answer.status_code == 200 and answer.json() == {"active": False}
        assert inactive or answer.status_code in (400, 413), f"{name}: {answer.status_code} {answer.text}"


def test_nobody_came_in_but_who_may_and_nothing_stays_in_memory(target: Target) -> None:
    assert agreement.count_accounts(target.engine, target.tenant.id) == target.people
    grown = attacking.memory(target.server) - target.held
    assert grown < attacking.MOST_GROWTH, f"{grown / 2**20:.1f} MiB"


def _ready(token: str, _claims: dict[str, Any]) -> str:
    return token


def _forger(forged: Forged) -> Callable[[dict[str, Any]], str]:
    return lambda claims: SIGNER.sign(forged.of(claims, time.time()), **forged.header)


def _bear(url: str, token: str) -> Answer:
    """In a header no line can end: whoever sends such a token sends another one."""
    plain = "".join(sign for sign in token if sign not in "\r\n\0")
    return send(url, headers={"Authorization": f"Bearer {plain}"})
