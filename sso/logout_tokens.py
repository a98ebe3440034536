"""What a client is told when a session ends (OpenID Connect Back-Channel Logout 1.0 §2.4)."""

from __future__ import annotations

from typing import Any, Final

TYPE: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFE: Final = 120  # seconds


def claims(*, issuer: str, client_id: str, account_id: str, session_id: str, jti: str, now: float) -> dict[str, Any]:
    """The claims of a logout token. Never a nonce: it must not pass for an ID token."""
    return {
        "iss": issuer,
        "aud": client_id,
        "sub": account_id,
        "sid": session_id,
        "iat": int(now),
        "exp": int(now) + LIFE,
        "jti": jti,
        "events": {EVENT: {}},
    }
