"""What the OpenID provider says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414): only what is true."""

from __future__ import annotations

from typing import Any, Final

from sso import person_claims
from sso.client_authentication import METHODS
from sso.jwks import ALGORITHMS
from sso.keys import ES256, RS256
from sso.provider import AUTH_METHODS, GRANT_TYPES
from sso.relying_parties import SCOPES

AUTHORIZE: Final = "/oauth/authorize"
TOKEN: Final = "/oauth/token"  # noqa: S105
USERINFO: Final = "/oauth/userinfo"
REVOKE: Final = "/oauth/revoke"
INTROSPECT: Final = "/oauth/introspect"
END_SESSION: Final = "/oauth/end-session"
JWKS: Final = "/.well-known/jwks.json"
OPENID_DOCUMENT: Final = "/.well-known/openid-configuration"
OAUTH_DOCUMENT: Final = "/.well-known/oauth-authorization-server"

_IN_ID_TOKEN: Final = ("iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr")


def document(public_url: str) -> dict[str, Any]:
    """The one document that is shown at both addresses."""
    return {
        "issuer": public_url,
        "authorization_endpoint": public_url + AUTHORIZE,
        "token_endpoint": public_url + TOKEN,
        "userinfo_endpoint": public_url + USERINFO,
        "jwks_uri": public_url + JWKS,
        "revocation_endpoint": public_url + REVOKE,
        "introspection_endpoint": public_url + INTROSPECT,
        "end_session_endpoint": public_url + END_SESSION,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [RS256, ES256],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "introspection_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account"],
        "claim_types_supported": ["normal"],
        "claims_supported": [*_IN_ID_TOKEN, *person_claims.CLAIMS],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
