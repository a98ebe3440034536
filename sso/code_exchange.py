"""A code for tokens, and a token for what userinfo says (OpenID Connect Core 1.0 §3.1.3, §5.3), on authlib's client.

    code + verifier ─▶ authlib: form, client authentication, errors ─▶ the guarded way out ─▶ `Tokens` ─▶ userinfo

Nothing is followed, nothing is longer than 256 KiB, and each answer is one JSON object.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.auth import ClientAuth, encode_client_secret_basic
from authlib.oauth2.client import OAuth2Client

from sso.assertions import ASSERTION_TYPE
from sso.connections import Addresses, Connection
from sso.discovery import ProviderMetadata, settings_of
from sso.errors import SignInError
from sso.strict_json import read_object
from sso.web import LARGEST, NoAnswerError, Reply, Web, json_object

ASSERTION_LIFE: Final = 60  # seconds
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")

Sign = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider gave for the code."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


def exchange(
    connection: Connection,
    addresses: Addresses,
    provider: ProviderMetadata,
    code: str,
    verifier: str,
    web: Web,
    now: float,
    sign: Sign | None = None,
) -> Tokens:
    """The tokens for a code. `sign` makes a JWT of claims by our current key: for private_key_jwt only.

    Raises:
        SignInError: `provider_unreachable`, `provider_refused`, `malformed` or `too_large`.
    """
    session = _Session(web)
    client = client_of(connection, addresses, session)
    client.register_client_auth_method(("client_secret_basic", _basic))
    client.register_client_auth_method(("private_key_jwt", _Asserting(provider.token_endpoint, now, sign)))
    try:
        found = client.fetch_token(provider.token_endpoint, code=code, code_verifier=verifier)
    except NoAnswerError as error:
        raise SignInError("provider_unreachable", f"token endpoint: {error}") from None
    except OAuth2Error as error:
        said = f"{error.error!r:.100} {error.description or ''!r:.200}"
        raise SignInError("provider_refused", f"token endpoint: {said}") from None
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise SignInError(session.failure, f"token endpoint: HTTP {session.status}, {error}") from None
    if session.status != 200:
        raise SignInError("provider_unreachable", f"token endpoint: HTTP {session.status}")
    return _tokens(found)


def userinfo(provider: ProviderMetadata, access_token: str, subject: str, web: Web) -> Mapping[str, Any]:
    """What the provider tells of this `sub` besides the ID token.

    Raises:
        SignInError: `provider_unreachable`; `malformed`; `subject` when it is somebody else's.
    """
    if provider.userinfo_endpoint is None:
        raise SignInError("malformed", "the provider has no userinfo endpoint, though the connection uses it")
    headers = {"Accept": "application/json", "Authorization": f"Bearer {access_token}"}
    try:
        reply = web.get(provider.userinfo_endpoint, headers, LARGEST)
        if reply.status != 200:
            raise SignInError("provider_unreachable", f"userinfo: HTTP {reply.status}")
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # signed or encrypted answers were not asked for
            raise SignInError("malformed", f"userinfo: expected application/json, found {kind[:60]!r}")
        found = json_object(reply)
    except NoAnswerError as error:
        raise SignInError("provider_unreachable", f"userinfo: {error}") from None
    except ValueError as error:
        raise SignInError("malformed", f"userinfo: {error}") from None
    if found.get("sub") != subject:
        raise SignInError("subject", f"userinfo: expected the sub of the ID token, found {found.get('sub')!r:.100}")
    return found


def client_of(connection: Connection, addresses: Addresses, session: Any = None) -> OAuth2Client:
    """authlib's client of this connection."""
    settings = settings_of(connection)
    return OAuth2Client(
        session,
        client_id=settings.client_id,
        client_secret=connection.secret or "",
        token_endpoint_auth_method=settings.auth_method,
        redirect_uri=addresses.callback,
        code_challenge_method="S256",
    )


def _tokens(found: Mapping[str, Any]) -> Tokens:
    id_token, access_token = found.get("id_token"), found.get("access_token")
    if not isinstance(id_token, str):
        raise SignInError("malformed", "token endpoint: there is no id_token; is openid among the scopes?")
    if not isinstance(access_token, str) or not _TOKEN.fullmatch(access_token):
        raise SignInError("malformed", "token endpoint: there is no access_token")
    if str(found.get("token_type")).lower() != "bearer":
        raise SignInError(
            "malformed", f"token endpoint: expected a Bearer token, found {found.get('token_type')!r:.60}"
        )
    return Tokens(id_token, access_token)


@dataclass(slots=True)
class _Session:
    """What authlib takes for an HTTP session, on our way out."""

    web: Web
    status: int = 0
    whole: bool = True

    @property
    def failure(self) -> str:
        """What it is called when the answer could not be read."""
        wrong = "malformed" if self.whole else "too_large"
        return wrong if self.status == 200 else "provider_unreachable"

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth) -> _Answer:
        where, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        reply = self.web.post(where, body.encode("ascii"), sent, LARGEST)
        self.status, self.whole = reply.status, reply.whole
        return _Answer(reply)


@dataclass(frozen=True, slots=True)
class _Answer:
    reply: Reply

    @property
    def status_code(self) -> int:
        return self.reply.status

    def json(self) -> dict[str, Any]:
        return read_object(self.reply.body)

    def raise_for_status(self) -> None:
        if self.reply.status != 200:
            raise ValueError("this is no answer of a token endpoint")


def _basic(client: ClientAuth, method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, Any, str]:
    """RFC 6749 §2.3.1: id and secret are form-encoded first, which authlib leaves out."""
    encoded = ClientAuth(quote_plus(client.client_id), quote_plus(client.client_secret or ""))
    return encode_client_secret_basic(encoded, method, uri, headers, body)


@dataclass(frozen=True, slots=True)
class _Asserting:
    """private_key_jwt (RFC 7523 §2.2), by the key that signs our other tokens."""

    endpoint: str
    now: float
    sign: Sign | None

    def __call__(
        self, client: ClientAuth, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, Any, str]:
        if self.sign is None:
            raise SignInError("provider_refused", "token endpoint: private_key_jwt, but there is no key of ours")
        name, issued = client.client_id, int(self.now)
        claims = {"iss": name, "sub": name, "aud": self.endpoint, "jti": secrets.token_urlsafe(16)}
        signed = self.sign({**claims, "iat": issued, "exp": issued + ASSERTION_LIFE})
        added = {"client_id": name, "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
        return uri, headers, f"{body}&{urlencode(added)}"
