"""Signing in at an OpenID provider: what we ask, who comes back, and everybody who is sent away."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from sso import jwts, oidc
from sso.connections import ClaimMap
from sso.demands import Demands
from sso.discovery import read
from sso.errors import SignInError
from sso.issuer_keys import IssuerKeys, through
from sso.refusals import SENTENCES
from tests.attacks.jwts import ALGORITHMS, SIGNER, tokens
from tests.attacks.oidc_answers import ANSWERS, EXCHANGES, USERINFOS
from tests.attacks.oidc_tokens import ID_TOKENS
from tests.sso.provider_at_hand import ADDRESSES, DOCUMENT, ISSUER, NOW, AtHand, connection, half_hash, id_claims

HOSTILE = tokens(SIGNER, id_claims())
OURS = {"state": "state-1", "code": "code-1"}


@pytest.fixture
def idp() -> AtHand:
    return AtHand()


def refused(idp: AtHand, code: str, **changes: Any) -> SignInError:
    began = time.thread_time()
    with pytest.raises(SignInError) as caught:
        idp.accept(**changes)
    assert caught.value.code == code, caught.value.detail
    assert caught.value.code in SENTENCES
    assert len(caught.value.detail) <= 500
    assert time.thread_time() - began < 0.25  # of this thread alone: the machine may be busy
    return caught.value


def url_of(demands: Demands | None = None, document: dict[str, Any] | None = None, **settings: Any) -> dict[str, str]:
    provider = read({**DOCUMENT, **(document or {})}, ISSUER)
    url = oidc.login_url(
        connection(**settings),
        ADDRESSES,
        provider,
        state="S",
        nonce="N",
        verifier="v" * 43,
        demands=demands or Demands(),
    )
    assert url.startswith(str(provider.authorization_endpoint))
    assert all(len(values) == 1 for values in parse_qs(urlsplit(url).query).values())
    return dict(parse_qsl(urlsplit(url).query))


def test_what_is_asked() -> None:
    assert url_of() == {
        "response_type": "code",
        "client_id": "hub",
        "redirect_uri": ADDRESSES.callback,
        "scope": "openid profile email",
        "state": "S",
        "nonce": "N",
        "code_challenge": "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM",
        "code_challenge_method": "S256",
    }


def test_what_may_be_demanded() -> None:
    asked = url_of(Demands(force=True, max_age=60, login_hint="a&b@c"), max_age=30, response_mode="form_post")
    assert (asked["prompt"], asked["max_age"], asked["login_hint"], asked["response_mode"]) == (
        "login",
        "30",
        "a&b@c",
        "form_post",
    )
    assert url_of(Demands(contexts=("x", "y")))["acr_values"] == "x y"
    assert url_of(Demands(contexts=("weak",)), contexts=("mfa",), demand_context=True)["acr_values"] == "mfa"
    assert url_of(hosted_domain="acme.example")["hd"] == "acme.example"
    assert url_of(scopes=("groups",))["scope"] == "openid groups"
    assert url_of(document={"authorization_endpoint": f"{ISSUER}/a?tenant=7"})["tenant"] == "7"


def test_each_request_is_another() -> None:
    made = [oidc.begin(Demands()) for _ in range(3)]
    assert len({each for one in made for each in (one.state, one.nonce, one.verifier)}) == 9
    assert all(len(one.verifier) == 43 for one in made)
    assert made[0].verifier not in repr(made[0])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_genuine_token_of_each_algorithm(idp: AtHand, algorithm: str) -> None:
    hashed = half_hash("at-1", "sha512" if algorithm == "EdDSA" else "sha256")
    token = SIGNER.sign(id_claims(at_hash=hashed, auth_time=NOW - 60, acr="mfa", amr=["pwd", "otp"]), algorithm)
    idp.gives(token)
    found = idp.accept()
    assert (found.subject, found.user_name, found.email, found.email_trusted) == (
        "s-1",
        "ada",
        "ada@acme.example",
        True,
    )
    assert (found.issuer, found.connection_id, found.protocol) == (ISSUER, connection().id, "oidc")
    assert (found.given_name, found.family_name, found.display_name) == ("Ada", "Lovelace", "Ada Lovelace")
    assert (found.groups, found.context, found.methods) == (("g1", "g2"), "mfa", ("pwd", "otp"))
    assert (found.authenticated_at.timestamp(), found.valid_until.timestamp()) == (NOW - 60, NOW + 420)
    session = found.provider_session
    assert (session.subject, session.session, session.hint) == ("s-1", "session-1", token)
    assert found.request_id == "state-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["hub"]},
        {"aud": ["other", "hub"], "azp": "hub"},
        {"azp": "hub"},
        {"exp": NOW - 100},
        {"iat": NOW + 100, "nbf": NOW + 100},
        {"iat": NOW - 500},
        {"exp": NOW + 80_000.5},
        {"sub": "s" * 255},
        {"sid": ...},
        {"name": "Jörg ✓ 😀"},
        {"groups": ["g"] * 300},
    ],
)
def test_genuine_tokens(idp: AtHand, changes: dict[str, Any]) -> None:
    idp.gives(SIGNER.sign(id_claims(**changes)))
    assert idp.accept()


def test_genuine_answers(idp: AtHand) -> None:
    assert idp.accept(answer={**OURS, "iss": ISSUER, "session_state": "x", "scope": "openid"})


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tokens(idp: AtHand, name: str) -> None:
    idp.gives(HOSTILE[name].token)
    refused(idp, HOSTILE[name].code)


@pytest.mark.parametrize("name", ID_TOKENS)
def test_signed_tokens_that_do_not_answer_us(idp: AtHand, name: str) -> None:
    forged = ID_TOKENS[name]
    idp.gives(SIGNER.sign(forged.of(id_claims(), NOW), **forged.header))
    refused(idp, forged.code)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_that_are_not_ours(idp: AtHand, name: str) -> None:
    answer, code = ANSWERS[name]
    refused(idp, code, answer=answer)
    assert idp.asked == []


def test_a_provider_that_names_itself_must(idp: AtHand) -> None:
    provider = read({**DOCUMENT, "authorization_response_iss_parameter_supported": True}, ISSUER)
    assert idp.accept(answer={**OURS, "iss": ISSUER}, provider=provider)
    refused(idp, "issuer", provider=provider)


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchanges_that_fail(idp: AtHand, name: str) -> None:
    status, body, code = EXCHANGES[name]
    idp.say("/token", body, status)
    refused(idp, code)


def test_nobody_answers(idp: AtHand) -> None:
    idp.answers[f"{ISSUER}/token"] = None
    refused(idp, "provider_unreachable")
    idp = AtHand()
    idp.answers[f"{ISSUER}/keys"] = None
    refused(idp, "provider_unreachable")


def _exchange(idp: AtHand, **changes: Any) -> tuple[dict[str, str], dict[str, str]]:
    idp.accept(connection(**changes))
    [(_, _, headers, form)] = [one for one in idp.asked if one[0] == "POST"]
    return dict(headers), form


def test_how_the_code_is_exchanged(idp: AtHand) -> None:
    headers, form = _exchange(idp, secret="a+b:ü %", client_id="hub")
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == "hub:a%2Bb%3A%C3%BC+%25"
    assert form == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": ADDRESSES.callback,
        "code_verifier": "v" * 43,
    }


def test_other_ways_to_prove_ourselves() -> None:
    headers, form = _exchange(AtHand(), auth_method="client_secret_post", secret="s&=")
    assert ("Authorization" not in headers, form["client_id"], form["client_secret"]) == (True, "hub", "s&=")
    headers, form = _exchange(AtHand(), auth_method="none", secret=None)
    assert ("Authorization" not in headers, form["client_id"], "client_secret" in form) == (True, "hub", False)


def test_a_signed_assertion_of_ours(idp: AtHand) -> None:
    refused(idp, "provider_refused", of=connection(auth_method="private_key_jwt"))
    said: dict[str, Any] = {}

    def sign(claims: Any) -> str:
        said.update(claims)
        return "signed"

    used = connection(auth_method="private_key_jwt", secret=None)
    keys = type("Keys", (), {"of": lambda *_: SIGNER.public})()
    pending = oidc.Pending("state-1", "nonce-1", "v" * 43)
    oidc.accept(used, ADDRESSES, read(DOCUMENT, ISSUER), OURS, pending, idp, keys, NOW, sign)
    [(_, _, headers, form)] = [one for one in idp.asked if one[0] == "POST"]
    assert ("Authorization" not in headers, form["client_assertion"], form["client_id"]) == (True, "signed", "hub")
    assert (said["iss"], said["sub"], said["aud"]) == ("hub", "hub", DOCUMENT["token_endpoint"])
    assert said["exp"] - said["iat"] == 60


@pytest.mark.parametrize("name", USERINFOS)
def test_userinfo_that_is_not_the_persons(idp: AtHand, name: str) -> None:
    status, kind, body, code = USERINFOS[name]
    idp.say("/userinfo", body, status, kind)
    refused(idp, code, of=connection(use_userinfo=True))


def test_userinfo_fills_what_the_token_leaves_unsaid(idp: AtHand) -> None:
    more = {"sub": "s-1", "iss": "x", "aud": "x", "acr": "mfa", "name": "Eve", "groups": ["g9"], "tid": "t", "hd": "x"}
    idp.gives(SIGNER.sign(id_claims(groups=..., given_name=...)))
    idp.say(
        "/userinfo", {**more, "given_name": "Adele", "email": "eve@acme.example"}, kind="application/json;charset=x"
    )
    found = idp.accept(connection(use_userinfo=True))
    assert (found.groups, found.given_name, found.display_name) == (("g9",), "Adele", "Ada Lovelace")
    assert (found.email, found.context, found.issuer) == ("ada@acme.example", None, ISSUER)
    assert idp.asked[-1][2]["Authorization"] == "Bearer at-1"


@pytest.mark.parametrize(
    ("token", "more", "trusted"),
    [
        ({"email_verified": ...}, {"email_verified": True}, False),
        ({"email": ...}, {"email": "eve@acme.example"}, False),
        ({"email": ...}, {"email": "eve@acme.example", "email_verified": True}, True),
        ({"email": ..., "email_verified": ...}, {"email": "eve@acme.example", "email_verified": False}, False),
    ],
)
def test_an_address_comes_with_its_own_vouching(
    idp: AtHand, token: dict[str, Any], more: dict[str, Any], trusted: bool
) -> None:
    idp.gives(SIGNER.sign(id_claims(**token)))
    idp.say("/userinfo", {"sub": "s-1", **more})
    assert idp.accept(connection(use_userinfo=True)).email_trusted is trusted


def test_a_provider_without_userinfo(idp: AtHand) -> None:
    bare = {name: value for name, value in DOCUMENT.items() if name != "userinfo_endpoint"}
    refused(idp, "malformed", of=connection(use_userinfo=True), provider=read(bare, ISSUER))


@pytest.mark.parametrize(
    ("settings", "demands", "changes", "code"),
    [
        ({"contexts": ("mfa",), "demand_context": True}, {}, {}, "context"),
        ({"contexts": ("mfa",), "demand_context": True}, {}, {"acr": "pwd"}, "context"),
        ({"contexts": ("mfa",), "demand_context": True}, {}, {"acr": ["mfa"]}, "context"),
        ({"contexts": ("mfa",), "demand_context": True}, {"contexts": ("pwd",)}, {"acr": "pwd"}, "context"),
        ({"contexts": ("mfa",), "demand_context": True}, {}, {"acr": "mfa"}, None),
        ({"contexts": ("mfa",)}, {}, {"acr": "pwd"}, None),
        ({"max_age": 60}, {}, {}, "conditions"),
        ({"max_age": 60}, {}, {"auth_time": NOW - 200}, "conditions"),
        ({"max_age": 60}, {}, {"auth_time": NOW - 100}, None),
        ({}, {"max_age": 60}, {"auth_time": NOW - 200}, "conditions"),
        ({"max_age": 60}, {"max_age": 9_000}, {"auth_time": NOW - 200}, "conditions"),
        ({}, {"max_age": 0}, {"auth_time": NOW - 800}, "conditions"),
        ({}, {"max_age": 0}, {"auth_time": NOW - 300}, None),
        ({}, {"force": True}, {"auth_time": NOW - 800}, "conditions"),
        ({}, {"force": True}, {"auth_time": NOW - 300}, None),
        ({}, {"force": True}, {}, None),
        ({"hosted_domain": "acme.example"}, {}, {"hd": "acme.example"}, None),
        ({"hosted_domain": "acme.example"}, {}, {"hd": "other.example"}, "issuer"),
        ({"hosted_domain": "acme.example"}, {}, {}, "issuer"),
    ],
)
def test_what_is_demanded_is_checked(
    idp: AtHand, settings: dict[str, Any], demands: dict[str, Any], changes: dict[str, Any], code: str | None
) -> None:
    idp.gives(SIGNER.sign(id_claims(**changes)))
    if code is None:
        assert idp.accept(connection(**settings), demands=Demands(**demands))
    else:
        refused(idp, code, of=connection(**settings), demands=Demands(**demands))


def test_the_trace_names_the_check_and_quotes_little(idp: AtHand) -> None:
    idp.gives(SIGNER.sign(id_claims(aud="x" * 5_000)))
    error = refused(idp, "audience")
    assert error.detail.startswith("ID token: its aud is not the registered one: found 'xxx")
    said = refused(idp, "provider_refused", answer={**OURS, "error": "e" * 9_000, "error_description": "d" * 9_000})
    assert "eee" in said.detail


def test_the_same_token_is_the_same_message(idp: AtHand) -> None:
    first = idp.accept()
    idp.gives(SIGNER.sign(id_claims(), "ES256"))  # another spelling, the same claims
    assert idp.accept().id == first.id
    idp.gives(SIGNER.sign(id_claims(iat=NOW - 6)))
    assert idp.accept().id != first.id


def test_a_claim_map_of_the_connection(idp: AtHand) -> None:
    idp.gives(SIGNER.sign(id_claims(staff="42")))
    used = replace(connection(), claims=ClaimMap(subject=("staff",), user_name=("email",)))
    found = idp.accept(used)
    assert (found.subject, found.user_name, found.provider_session.subject) == ("42", "ada@acme.example", "s-1")
    idp.gives(SIGNER.sign(id_claims(staff="42", email_verified=False)))
    found = idp.accept(used)
    assert (found.user_name, found.email, found.email_trusted) == (None, "ada@acme.example", False)
    refused(idp, "subject", of=replace(used, claims=ClaimMap(subject=("email",))))


@pytest.mark.parametrize("kid", ["rsa", ...])
def test_a_new_key_under_the_old_name_or_none_is_fetched_within_a_minute(idp: AtHand, kid: Any) -> None:
    """Else nobody would come in for the hour that keys are kept."""
    clock = [0.0]
    keys = IssuerKeys(through(idp), lambda: clock[0])
    token = SIGNER.sign(id_claims(), kid=kid)
    head = jwts.header(token, ("jwt",))

    def publish(key: Any) -> None:
        idp.say("/keys", {"keys": [{name: value for name, value in key.items() if name != "kid" or kid is not ...}]})

    publish(SIGNER.jwk(SIGNER.stranger))
    for _ in range(5):
        with pytest.raises(jwts.JwtError, match="signature does not hold"):
            jwts.verified_by(token, head, read(DOCUMENT, ISSUER), keys)
    publish(SIGNER.jwk(SIGNER.rsa))
    asked = len(idp.asked)
    with pytest.raises(jwts.JwtError, match="signature does not hold"):
        jwts.verified_by(token, head, read(DOCUMENT, ISSUER), keys)
    clock[0] = 60.0
    assert jwts.verified_by(token, head, read(DOCUMENT, ISSUER), keys)[0] == id_claims()
    assert len(idp.asked) == asked + 1


def test_what_the_map_calls_a_person_is_one_directorys_word(idp: AtHand) -> None:
    """Whoever administers one directory can give its people any number: it is not another's person for that."""
    base = "https://login.example/{tenantid}/v2.0"
    here, there, person = (f"0190aaaa-0000-7000-8000-00000000000{digit}" for digit in "123")
    provider = read({**DOCUMENT, "issuer": base}, base)
    used = replace(
        connection(issuer=base, tenants=(here, there)), claims=ClaimMap(subject=("staff",), user_name=("staff",))
    )
    for directory in (here, there):
        issuer = base.replace("{tenantid}", directory)
        idp.gives(SIGNER.sign(id_claims(iss=issuer, tid=directory, oid=person, staff="42")))
        assert idp.accept(used, provider=provider).subject == f"{directory}/42"
