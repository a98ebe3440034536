"""A relying party: an LMS that people sign in to through us, as its administrator registered it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]

OPENID: Final = "openid"
OFFLINE: Final = "offline_access"
SCOPES: Final = {
    OPENID: "Who the person is: the account's id.",
    "profile": "The person's name and when it changed.",
    "email": "The person's e-mail address.",
    "roles": "The roles that the person has in the LMS.",
    "groups": "The groups that the person is in.",
    OFFLINE: "Stay signed in after the browser's session is over, until somebody signs the person out.",
}


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """One client of the OpenID provider. `scopes` are all that it may ask for.

    `kind` native: the port of a loopback redirect URI is free (RFC 8252 §7.3). `token_format` is that of its access
    tokens; `audience` their `aud` (None: its id). `introspects` lets it ask about the tokens of its whole tenant.
    With `auth_method` private_key_jwt its keys are at `jwks_url`, or `jwks`, the JSON text of a key set.
    """

    id: str
    tenant_id: str
    name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    kind: Literal["web", "native"] = "web"
    auth_method: AuthMethod = "client_secret_basic"
    scopes: tuple[str, ...] = (OPENID, "profile", "email", "roles")
    token_format: Literal["opaque", "jwt"] = "opaque"  # noqa: S105
    id_token_algorithm: Literal["RS256", "ES256"] = "RS256"  # noqa: S105
    audience: str | None = None
    introspects: bool = False
    jwks_url: str | None = None
    jwks: str | None = None
    back_channel_logout_uri: str | None = None
    front_channel_logout_uri: str | None = None
