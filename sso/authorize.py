"""GET /oauth/authorize: what a client asks for, and what is answered (OpenID Connect Core §3.1.2, RFC 9700, RFC 7636).

    parameters ─client_of─▶ client ─read─▶ Asked ─decide─▶ None: go on with the person who is signed in
                   │                  │        └▶ Demands: sign in first
                   └ NoWayBack        └ NoWayBack until the redirect URI fits, RefusedError (sent back) from then on

Each parameter is honoured, or refused by its name; what the standards do not know is ignored, as they ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sso import redirect_uris
from sso.authorizations import SignedIn
from sso.demands import Demands
from sso.relying_parties import SCOPES, RelyingParty

MARK: Final = "rollcall_asked"  # that the person was sent to sign in for this request, and when: sealed by us
LARGEST: Final = 8000  # characters of a request: it comes back in an address after signing in
MOST_PARAMETERS: Final = 50
LONGEST_STATE: Final = 2048
LONGEST_NONCE: Final = 512
LONGEST_HINT: Final = 320
JUST_NOW: Final = timedelta(minutes=2)  # somebody who comes back from signing in
SLACK: Final = timedelta(seconds=5)  # between our clock and the database's

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CONNECTION: Final = re.compile(r"[a-z0-9-]{1,63}")
_UNSUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
    "claims": "invalid_request",
    "resource": "invalid_target",
}
_PROMPTS: Final = frozenset({"none", "login", "select_account", "consent"})

Parameters = Mapping[str, Sequence[str]]


class NoWayBack(Exception):
    """Nobody can be told but the person: where the answer should go is not known to be the client's."""


class RefusedError(Exception):
    """An error that the client is told (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6)."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Way:
    """Where the answer goes, and the state that goes with it."""

    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be answered."""

    way: Way
    scopes: tuple[str, ...]
    challenge: str = field(repr=False)
    nonce: str = field(repr=False)
    silent: bool
    anew: bool
    max_age: int | None
    contexts: tuple[str, ...]
    login_hint: str | None
    connection: str | None
    account_id: str | None = None  # whom an id_token_hint named


def client_id_of(said: Parameters) -> str:
    """The client that the request names.

    Raises:
        NoWayBack: none, or several.
    """
    [client_id] = said.get("client_id") or [""] if len(said.get("client_id", ())) < 2 else [""]
    if not _UUID.fullmatch(client_id):
        raise NoWayBack("its client_id is not that of a registered client")
    return client_id


def way_back(said: Parameters, party: RelyingParty) -> Way:
    """Where the answer goes.

    Raises:
        NoWayBack: the redirect URI is not one that the client registered, to the letter.
    """
    uris, states = said.get("redirect_uri", ()), said.get("state", ())
    if len(uris) != 1:
        raise NoWayBack("its redirect_uri is missing, or there more than once")
    if not redirect_uris.matches(uris[0], party.redirect_uris, native=party.kind == "native"):
        raise NoWayBack("its redirect_uri is not registered for this client")
    state = states[0] if len(states) == 1 and len(states[0]) <= LONGEST_STATE else None
    return Way(uris[0], state)


def read(said: Parameters, party: RelyingParty, way: Way) -> Asked:
    """The whole request.

    Raises:
        RefusedError: a parameter is wrong, missing, or not supported.
    """
    twice = sorted(name for name, values in said.items() if len(values) > 1 and name.isascii() and name.isidentifier())
    if twice or any(len(values) > 1 for values in said.values()):
        raise RefusedError("invalid_request", f"There more than once: {', '.join(twice)[:100] or 'a parameter'}.")
    one = {name: values[0] for name, values in said.items() if values}
    for name, code in _UNSUPPORTED.items():
        if name in one:
            raise RefusedError(code, f"The parameter {name} is not supported.")
    if len(one.get("state", "")) > LONGEST_STATE or len(one.get("nonce", "")) > LONGEST_NONCE:
        raise RefusedError("invalid_request", f"state has at most {LONGEST_STATE}, nonce {LONGEST_NONCE} characters.")
    _check_answer(one)
    prompts = _prompts(one)
    return Asked(
        way,
        _scopes(one, party),
        _challenge(one),
        one.get("nonce", ""),
        silent="none" in prompts,
        anew=bool(prompts & {"login", "select_account"}),
        max_age=_max_age(one),
        contexts=tuple(dict.fromkeys(one.get("acr_values", "").split())),
        login_hint=one.get("login_hint", "")[:LONGEST_HINT] or None,
        connection=_connection(one),
    )


def expecting(asked: Asked, account_id: str) -> Asked:
    """The same request, for this person alone."""
    return replace(asked, account_id=account_id)


def decide(asked: Asked, who: SignedIn | None, asked_at: datetime | None, now: datetime) -> Demands | None:
    """What the person must do first: None is nothing, then the client gets its code.

    `asked_at`: when the person was sent to sign in for this very request, if so. Whoever comes straight back from it
    has done what could be asked; sending them again would go round in circles.

    Raises:
        RefusedError: the client wants no page and there would be one, or signing in did not bring what it asked for.
    """
    if who is None:
        return _first(asked, "login_required")
    fresh = asked_at is not None and who.created_at >= asked_at - SLACK and now - who.created_at < JUST_NOW
    unmet = _unmet(asked, who, fresh, now)
    if unmet is None:
        return None
    if asked_at is not None and now - asked_at < JUST_NOW:
        raise RefusedError(unmet, "The person was asked to sign in, and that did not bring what was asked for.")
    return _first(asked, unmet, force=True)


def _unmet(asked: Asked, who: SignedIn, fresh: bool, now: datetime) -> str | None:
    """The error for what this session is not; None: it will do."""
    aged = asked.max_age is not None and now - who.authenticated_at > timedelta(seconds=asked.max_age)
    if (aged or asked.anew) and not fresh:
        return "login_required"
    if asked.account_id is not None and asked.account_id != who.account_id:
        return "login_required"
    if asked.contexts and who.context not in asked.contexts:
        return "unmet_authentication_requirements"
    return None


def _first(asked: Asked, otherwise: str, *, force: bool = False) -> Demands:
    if asked.silent:
        raise RefusedError(otherwise, "The person would have to sign in, and prompt=none asks for no page.")
    return Demands(force or asked.anew, asked.max_age, asked.contexts, asked.login_hint)


def _check_answer(one: Mapping[str, str]) -> None:
    if "response_type" not in one:
        raise RefusedError("invalid_request", "The parameter response_type is missing.")
    if one["response_type"] != "code":
        raise RefusedError("unsupported_response_type", "The only response_type is code.")
    if one.get("response_mode", "query") != "query":
        raise RefusedError("invalid_request", "The only response_mode is query.")


def _challenge(one: Mapping[str, str]) -> str:
    """PKCE, asked of every client (RFC 9700 §2.1.1); without a method it would be `plain` (RFC 7636 §4.3)."""
    if one.get("code_challenge_method") != "S256":
        raise RefusedError("invalid_request", "PKCE is required: code_challenge_method must be S256.")
    found = one.get("code_challenge", "")
    if not _CHALLENGE.fullmatch(found):
        raise RefusedError("invalid_request", "PKCE is required: code_challenge must be a SHA-256 in base64url.")
    return found


def _scopes(one: Mapping[str, str], party: RelyingParty) -> tuple[str, ...]:
    """What nobody knows is ignored (OpenID Connect Core §3.1.2.1); what the client may not have is refused."""
    asked = tuple(scope for scope in dict.fromkeys(one.get("scope", "").split()) if scope in SCOPES)
    if not asked or not set(asked) <= set(party.scopes):
        raise RefusedError("invalid_scope", f"This client may ask for: {' '.join(party.scopes)}.")
    return asked


def _prompts(one: Mapping[str, str]) -> frozenset[str]:
    found = frozenset(one.get("prompt", "").split())
    if not found <= _PROMPTS or ("none" in found and len(found) > 1):
        raise RefusedError("invalid_request", "prompt is none alone, login, or select_account.")
    if "consent" in found:
        raise RefusedError("consent_required", "Nobody is asked here: the administrator consented for all.")
    return found


def _max_age(one: Mapping[str, str]) -> int | None:
    if "max_age" not in one:
        return None
    text = one["max_age"]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RefusedError("invalid_request", "max_age is a number of seconds.")
    return int(text)


def _connection(one: Mapping[str, str]) -> str | None:
    if "connection" not in one:
        return None
    if not _CONNECTION.fullmatch(one["connection"]):
        raise RefusedError("invalid_request", "connection is the name of a connection.")
    return one["connection"]
