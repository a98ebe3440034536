"""`sso.checking.Keeper` on our store: tokens, sessions and askers, each remembered for less than a second.

The promise is that a revocation shows within one second in every process: what is remembered is younger than that by
the time that an answer may take.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_plus

import sqlalchemy as sa

from app.adapters.remembered import Remembered
from app.store import sessions, token_reads
from app.store.credentials import PREFIXES, digest
from app.store.engine import reading
from app.store.held import Held
from sso.checking import Asker, Good
from sso.cookies import is_value
from sso.cookies import session as cookie_name
from sso.tokens import B64TOKEN, Client

SECONDS: Final = 0.8
INTROSPECT: Final = "tokens:introspect"
_LONGEST_AUTHORIZATION: Final = 1_024
Asserting = Callable[[Mapping[str, str]], Client | None]
_SECRETS: Final = ("client", "client_secret")
_BEARERS: Final = ("api_key", "access_token")


class TokenChecks:
    """Answers from memory, else by one statement. `public_url` names the session cookies.

    `hold` is for the engine of a worker process: a connection of it is held between requests. `asserting` tells which
    client the assertion in a form is from.
    """

    def __init__(
        self,
        engine: sa.Engine,
        public_url: str,
        *,
        seconds: float = 0.0,
        hold: bool = False,
        asserting: Asserting = lambda _: None,
    ) -> None:
        self._engine, self._public_url, self._asserting = engine, public_url, asserting
        self._held = Held(engine, hold=hold)
        self.tokens: Remembered[tuple[bytes, token_reads.Reach | None], Good] = Remembered(seconds)
        self.sessions: Remembered[tuple[str, bytes], Good] = Remembered(seconds)
        self._tenants: Remembered[str, str] = Remembered(seconds, 1_000)
        self.askers: Remembered[tuple[bytes, bytes], Asker] = Remembered(seconds, 1_000)

    def access(self, token: str) -> Good | None:
        """Whose access token this is, if it is a person's and good."""
        return self._token(token, None)

    def session(self, tenant: str, cookies: str) -> Good | None:
        """Whose browser sent these cookies, if it has a session of the tenant of that name that counts."""
        tenant_id = self._tenant(tenant)
        if tenant_id is None:
            return None
        sent = _cookie(cookies, cookie_name(self._public_url, tenant_id))
        if sent is None or not is_value(sent):
            return None
        key = tenant_id, digest(sent)
        good = self.sessions.get(key)
        if good is not None:
            return good
        began = self.sessions.steady()
        with reading(self._engine) as conn:
            found = sessions.find_by_hash(conn, *key)
            if found is None:
                return None
            sessions.seen(conn, found)
        good = _person(found)
        self.sessions.put(key, good, began, good.ends)
        return good

    def introspect(self, asker: Asker, token: str) -> Good | None:
        """Whose token of any kind this is, if it is good and the asker may hear of it."""
        reach = token_reads.Reach(asker.tenant_id, asker.client_id, asker.all)
        return self._token(token, reach)

    def asker(self, authorization: str | None, form: Mapping[str, str]) -> Asker | None:
        """Who asks: by HTTP Basic, by a secret or an assertion in the form, or by a bearer token; not by two."""
        in_form = "client_secret" in form or "client_assertion" in form
        if authorization is None and "client_assertion" in form:
            client = None if "client_secret" in form else self._asserting(form)
            party = None if client is None else client.party
            return None if party is None else Asker(party.tenant_id, party.id, party.introspects)
        if authorization is None:
            name, secret = form.get("client_id"), form.get("client_secret")
            return self._asker(name, secret, "client_secret_post") if name and secret else None
        if in_form or len(authorization) > _LONGEST_AUTHORIZATION:
            return None
        scheme, _, said = authorization.strip().partition(" ")
        if scheme.lower() == "basic":
            pair = _basic(said.strip())
            if pair is not None and form.get("client_id", pair[0]) != pair[0]:
                return None
            return self._asker(*pair, "client_secret_basic") if pair else None
        if scheme.lower() == "bearer" and B64TOKEN.fullmatch(said.strip()):
            return self._asker(None, said.strip(), "bearer")
        return None

    def _tenant(self, name: str) -> str | None:
        id = self._tenants.get(name)
        if id is None:
            began = self._tenants.steady()
            with reading(self._engine) as conn:
                id = token_reads.tenant_id(conn, name)
            if id is not None:
                self._tenants.put(name, id, began)
        return id

    def _token(self, token: str, reach: token_reads.Reach | None) -> Good | None:
        hash = digest(token)
        good = self.tokens.get((hash, reach))
        if good is not None:
            return good
        began = self.tokens.steady()
        if reach is not None and token.startswith(PREFIXES["access_token"]):
            found = self._held.read(lambda conn: token_reads.of_machine(conn, hash, reach))
        else:
            found = self._held.read(lambda conn: token_reads.of_person(conn, hash, reach))
        if found is None:
            return None
        good = _good(found)
        self.tokens.put((hash, reach), good, began, good.ends)
        return good

    def _asker(self, client_id: str | None, secret: str, method: str) -> Asker | None:
        key = digest(secret), digest(f"{method} {client_id}")
        asker = self.askers.get(key)
        if asker is not None:
            return asker
        began = self.askers.steady()
        with reading(self._engine) as conn:
            found = token_reads.asker(conn, key[0], _BEARERS if client_id is None else _SECRETS)
        if found is None or not _may(found, client_id, method):
            return None
        everything = bool(found.introspects) or INTROSPECT in found.scopes
        asker = Asker(found.tenant_id, found.client_id, everything)
        self.askers.put(key, asker, began, found.ends)
        return asker


def _good(found: token_reads.Found) -> Good:
    return Good(
        id=found.id,
        kind=found.kind,
        tenant_id=found.tenant_id,
        tenant=found.tenant,
        client_id=found.client_id,
        audience=found.audience,
        scopes=found.scopes,
        issued=found.issued,
        ends=found.ends,
        account_id=found.account_id,
        session_id=found.session_id,
        roles=found.roles,
        user_name=found.user_name,
        email=found.email,
        context=found.context,
        methods=found.methods,
        authenticated=found.authenticated,
    )


def _person(found: sessions.Session) -> Good:
    return Good(
        id=found.id,
        kind="session",
        tenant_id=found.tenant_id,
        tenant=found.tenant_name,
        client_id=None,
        audience=None,
        scopes=(),
        issued=found.created_at.timestamp(),
        ends=found.expires_at.timestamp(),
        account_id=found.account_id,
        session_id=found.id,
        roles=found.roles,
        user_name=found.user_name,
        email=found.attributes.get("emails.work"),
        context=found.context,
        methods=found.methods,
        authenticated=found.authenticated_at.timestamp(),
    )


def _cookie(header: str, name: str) -> str | None:
    """The cookie of that name, if it was sent once: of two, nobody knows who set which."""
    pairs = (each.strip().partition("=") for each in header.split(";"))
    values = [value for each, _, value in pairs if each == name]
    return values[0] if len(values) == 1 else None


def _may(found: token_reads.Asker, client_id: str | None, method: str) -> bool:
    """A key or access token needs the scope; a client its own id, and a relying party its registered method."""
    if client_id is None:
        return INTROSPECT in found.scopes
    if not hmac.compare_digest(found.client_id.encode(), client_id.encode()):
        return False
    return found.auth_method in (None, method)


def _basic(encoded: str) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: id and secret are form-encoded before they are joined by a colon."""
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, secret = text.partition(":")
    return (unquote_plus(name), unquote_plus(secret)) if colon and name and secret else None
