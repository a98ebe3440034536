"""Signing in at an OpenID provider: code flow with PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9207, RFC 9700).

    begin ─▶ login_url ─▶ the provider … callback ─▶ accept: state ─▶ iss ─▶ error? ─▶ code ─▶ tokens ─▶ ID token
                                                             └▶ userinfo, if the connection uses it ─▶ `Assertion`

authlib builds the request, the challenge and the exchange; what it leaves unchecked is checked here and in `id_tokens`.
Who calls keeps `Pending` bound to the browser, and uses it once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from sso import claims as person
from sso import code_exchange, id_tokens, issuer_rules
from sso.assertion import Assertion, ProviderSession
from sso.connections import Addresses, Connection
from sso.demands import Demands
from sso.discovery import DIRECTORY, ProviderMetadata, settings_of
from sso.errors import SignInError
from sso.jwks import Keys
from sso.jwt_claims import identifier
from sso.jwts import JwtError
from sso.web import Web

LONGEST_CODE: Final = 4_096
_NEVER_ASKED: Final = ("id_token", "access_token", "response")
# What speaks of the token or vouches for an address counts only in the document that says it.
_TOGETHER: Final = ("email", "email_verified", "xms_edov")


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that is under way, of one browser. Each of the three is 256 bits of chance."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    demands: Demands = field(default_factory=Demands)


def begin(demands: Demands) -> Pending:
    """A new request."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Pending(state, nonce, verifier, demands)


def login_url(
    connection: Connection,
    addresses: Addresses,
    provider: ProviderMetadata,
    *,
    state: str,
    nonce: str,
    verifier: str,
    demands: Demands,
) -> str:
    """Where the browser goes to sign in."""
    settings = settings_of(connection)
    contexts = id_tokens.asked_contexts(settings, demands)
    asked = {
        "scope": " ".join(dict.fromkeys(("openid", *settings.scopes))),
        "nonce": nonce,
        "response_mode": "form_post" if settings.response_mode == "form_post" else None,
        "prompt": "login" if demands.force else None,
        "max_age": id_tokens.asked_age(settings, demands),
        "acr_values": " ".join(contexts) or None,
        "login_hint": demands.login_hint,
        "hd": settings.hosted_domain,
    }
    client = code_exchange.client_of(connection, addresses)
    given = {name: str(value) for name, value in asked.items() if value is not None}
    url, _ = client.create_authorization_url(
        provider.authorization_endpoint, state=state, code_verifier=verifier, **given
    )
    return url


def accept(
    connection: Connection,
    addresses: Addresses,
    provider: ProviderMetadata,
    answer: Mapping[str, str],
    pending: Pending,
    web: Web,
    keys: Keys,
    now: float,
    sign: code_exchange.Sign | None = None,
    steps: list[str] | None = None,
) -> Assertion:
    """Who signed in, by the provider's `answer` at the callback (each parameter once). `now` in epoch seconds.

    `steps` is filled with the names of the checks that passed, for the administrator's trace.

    Raises:
        SignInError: it is not the answer to this request, or does not hold.
    """
    settings, passed = settings_of(connection), [] if steps is None else steps
    code = _code(answer, pending, provider)
    passed.append("the answer: state, iss, code")
    tokens = code_exchange.exchange(connection, addresses, provider, code, pending.verifier, web, now, sign)
    passed.append("code exchanged")
    wanted = id_tokens.Wanted(settings, provider, pending.nonce, tokens.access_token, pending.demands, connection.skew)
    try:
        token = id_tokens.read(tokens.id_token, wanted, keys, now)
        _check_answering_issuer(answer, str(token.claims["iss"]))
        passed.append("ID token: signature, issuer, audience, times, nonce")
        said = token.claims
        if settings.use_userinfo:
            more = code_exchange.userinfo(provider, tokens.access_token, str(said["sub"]), web)
            said = _joined(said, more)
            passed.append("userinfo: the same person")
        many = DIRECTORY in provider.issuer
        return _assertion(connection, token, said, tokens.id_token, pending.state, many=many)
    except JwtError as error:
        raise SignInError(error.code, f"ID token: {error.detail}") from None


def _code(answer: Mapping[str, str], pending: Pending, provider: ProviderMetadata) -> str:
    """The code, of an answer to this very request. An error is looked at only when it is one, too."""
    state = answer.get("state", "")
    if not pending.state or not hmac.compare_digest(state.encode("utf-8", "replace"), pending.state.encode()):
        raise SignInError("other_browser", f"state: {'another' if state else 'none'}, expected that of our request")
    issuer = answer.get("iss")
    if issuer is None and provider.answers_with_issuer:
        raise SignInError("issuer", "the answer has no iss, though this provider sends it")
    if DIRECTORY not in provider.issuer:
        _check_answering_issuer(answer, provider.issuer)
    if "error" in answer:
        said = f"{answer['error']!r:.100} {answer.get('error_description', '')!r:.300}"
        raise SignInError("provider_refused", f"the provider answered {said}")
    if any(name in answer for name in _NEVER_ASKED):
        raise SignInError("malformed", "the answer holds a token, expected a code only")
    code = answer.get("code", "")
    if not 0 < len(code) <= LONGEST_CODE or not code.isascii() or not code.isprintable():
        raise SignInError("malformed", f"code: {len(code)} characters")
    return code


def _check_answering_issuer(answer: Mapping[str, str], issuer: str) -> None:
    """RFC 9207 §2.4: whoever answered is whom we asked."""
    if answer.get("iss", issuer) != issuer:
        raise SignInError("issuer", f"iss of the answer: expected {issuer}, found {answer['iss']!r:.200}")


def _joined(claims: Mapping[str, Any], more: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ID token's claims, and of userinfo what they leave unsaid; an address comes with its own vouching."""
    left_out = _TOGETHER if "email" in claims else ()
    taken = {name: value for name, value in claims.items() if name not in _TOGETHER or "email" in claims}
    return {**{name: value for name, value in more.items() if name not in left_out}, **taken}


def _assertion(
    connection: Connection,
    token: id_tokens.IdToken,
    said: Mapping[str, Any],
    hint: str,
    state: str,
    *,
    many: bool,
) -> Assertion:
    """`many`: the provider is one of many directories, each of which gives its people any value of a claim."""
    claims, settings = token.claims, settings_of(connection)
    facts = {**said, **{name: claims.get(name) for name in ("iss", "sub", "tid", "oid", "hd", "acr", "amr")}}
    values = person.flat(facts)
    trusted = issuer_rules.vouches_for_email(facts, settings)
    claimed = _claimed(connection, values, issuer_rules.lasting_subject(claims), trusted)
    return Assertion(
        connection_id=connection.id,
        protocol="oidc",
        issuer=str(claims["iss"]),
        subject=f"{claims['tid']}/{claimed.subject}" if many and connection.claims.subject else claimed.subject,
        id=hashlib.sha256(json.dumps(claims, sort_keys=True).encode()).hexdigest(),
        valid_until=_at(token.ends + connection.skew),
        authenticated_at=_at(token.authenticated),
        provider_session=ProviderSession(str(claims["sub"]), session=identifier(claims, "sid"), hint=hint),
        user_name=claimed.user_name,
        email=claimed.email,
        email_trusted=trusted and claimed.email == said.get("email"),
        given_name=claimed.given_name,
        family_name=claimed.family_name,
        display_name=claimed.display_name,
        employee_number=claimed.employee_number,
        groups=claimed.groups,
        attributes=values,
        context=next(iter(values.get("acr", ())), None),
        methods=values.get("amr", ()),
        request_id=state,
    )


def _claimed(
    connection: Connection, values: Mapping[str, tuple[str, ...]], subject: str, trusted: bool
) -> person.Claimed:
    """By the claim map. An address that nobody vouches for is no user name and no subject: it could be anybody's."""
    claim_map = connection.claims
    if trusted:
        claimed = person.read(claim_map, "oidc", values, subject)
        return replace(claimed, user_name=claimed.user_name or claimed.email)
    naming = {name: value for name, value in values.items() if name != "email"}
    named = person.read(claim_map, "oidc", naming, subject)
    return replace(named, email=person.read(replace(claim_map, subject=()), "oidc", values, subject).email)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
