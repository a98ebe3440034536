"""Hostile ID tokens and logout tokens that are signed by the right key: name -> changed claims, header, code.

They change what `genuine` makes; `...` removes a member. Times are seconds beside the clock at which they are played.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TIMES: Final = ("exp", "nbf", "iat", "auth_time")
DAY: Final = 86_400


@dataclass(frozen=True)
class Forged:
    """What differs from a genuine token, and the code of `sso.refusals` for which it is refused."""

    code: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)

    def of(self, genuine: Mapping[str, Any], now: float) -> dict[str, Any]:
        """The forged claims; plain numbers as times count from `now`."""
        changed = {**genuine, **{name: _at(name, value, now) for name, value in self.claims.items()}}
        return {name: value for name, value in changed.items() if value is not ...}


def _at(name: str, value: Any, now: float) -> Any:
    plain = name in TIMES and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e12
    return now + value if plain else value


def _times(name: str) -> dict[str, Forged]:
    odd = {
        "text": "2000000000",
        "true": True,
        "list": [1],
        "object": {},
        "1e300": 1e300,
        "of 400 digits": 10**400,
        "negative": -1.0,
        "null as text": "null",
    }
    return {f"{name} {kind}": Forged("malformed", {name: value}) for kind, value in odd.items()}


_COMMON: Final[dict[str, Forged]] = {
    "iss foreign": Forged("issuer", {"iss": "https://attacker.example"}),
    "iss with a slash more": Forged("issuer", {"iss": "https://idp.example/"}),
    "iss with a prefix": Forged("issuer", {"iss": "https://idp.example.attacker.example"}),
    "iss in another case": Forged("issuer", {"iss": "https://IDP.example"}),
    "iss a list": Forged("issuer", {"iss": ["https://idp.example"]}),
    "iss missing": Forged("issuer", {"iss": ...}),
    "iss null": Forged("issuer", {"iss": None}),
    "aud foreign": Forged("audience", {"aud": "other"}),
    "aud missing": Forged("audience", {"aud": ...}),
    "aud empty list": Forged("audience", {"aud": []}),
    "aud empty": Forged("audience", {"aud": ""}),
    "aud ours and a letter": Forged("audience", {"aud": "hubx"}),
    "aud holds ours": Forged("audience", {"aud": "x hub y"}),
    "aud in another case": Forged("audience", {"aud": "HUB"}),
    "aud an object": Forged("audience", {"aud": {"hub": 1}}),
    "aud a nested list": Forged("audience", {"aud": [["hub"]]}),
    "aud a list with a number": Forged("audience", {"aud": ["hub", 1]}),
    "exp past": Forged("expired", {"exp": -121}),
    "exp missing": Forged("conditions", {"exp": ...}),
    "exp null": Forged("conditions", {"exp": None}),
    "exp in ten years": Forged("conditions", {"exp": 3650 * DAY}),
    "exp in two days": Forged("conditions", {"exp": 2 * DAY}),
    "nbf ahead": Forged("not_yet_valid", {"nbf": 200}),
    "iat ahead": Forged("not_yet_valid", {"iat": 200}),
    "iat missing": Forged("conditions", {"iat": ...}),
    "iat ten days ago": Forged("conditions", {"iat": -10 * DAY}),
    "iat an hour ago": Forged("expired", {"iat": -3600}),
    **_times("exp"),
    **_times("nbf"),
    **_times("iat"),
    "an access token by typ": Forged("malformed", {}, {"typ": "at+jwt"}),
    "an access token by its long typ": Forged("malformed", {}, {"typ": "application/at+jwt"}),
    "a client assertion by typ": Forged("malformed", {}, {"typ": "client-authentication+jwt"}),
}

ID_TOKENS: Final[dict[str, Forged]] = {
    **_COMMON,
    "aud other, azp ours": Forged("audience", {"aud": "other", "azp": "hub"}),
    "several aud without azp": Forged("audience", {"aud": ["hub", "other"]}),
    "azp another client": Forged("audience", {"azp": "other"}),
    "azp empty": Forged("audience", {"azp": ""}),
    "azp a list": Forged("audience", {"azp": ["hub"]}),
    "sub missing": Forged("subject", {"sub": ...}),
    "sub empty": Forged("subject", {"sub": ""}),
    "sub a number": Forged("subject", {"sub": 7}),
    "sub a list": Forged("subject", {"sub": ["s-1"]}),
    "sub of 256": Forged("subject", {"sub": "s" * 256}),
    "sub of blanks": Forged("subject", {"sub": "   "}),
    "sub with a blank after": Forged("subject", {"sub": "s-1 "}),
    "sub with a line break": Forged("subject", {"sub": "s-1\n"}),
    "sub turned around": Forged("subject", {"sub": "\u202es-1"}),
    "nonce missing": Forged("replayed", {"nonce": ...}),
    "nonce empty": Forged("replayed", {"nonce": ""}),
    "nonce of another request": Forged("replayed", {"nonce": "nonce-2"}),
    "nonce a list": Forged("replayed", {"nonce": ["nonce-1"]}),
    "nonce null": Forged("replayed", {"nonce": None}),
    "at_hash of another token": Forged("conditions", {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    "at_hash a number": Forged("conditions", {"at_hash": 7}),
    "auth_time ahead": Forged("not_yet_valid", {"auth_time": 200}),
    "auth_time text": Forged("malformed", {"auth_time": "now"}),
    "sid a number": Forged("malformed", {"sid": 7}),
    "a logout token by typ": Forged("malformed", {}, {"typ": "logout+jwt"}),
    "a logout token by shape": Forged("malformed", {"events": {EVENT: {}}}),
    "a logout token whole": Forged("malformed", {"events": {EVENT: {}}, "nonce": ...}, {"typ": "logout+jwt"}),
    "two names in one claim": Forged("attributes", {"email": ["ada@acme.example", "root@acme.example"]}),
    "user name turned around": Forged("attributes", {"preferred_username": "\u202eada"}),
}

LOGOUT_TOKENS: Final[dict[str, Forged]] = {
    **_COMMON,
    "an ID token": Forged("malformed", {"events": ..., "nonce": "n"}),
    "no events": Forged("malformed", {"events": ...}),
    "events a list": Forged("malformed", {"events": [EVENT]}),
    "events a text": Forged("malformed", {"events": EVENT}),
    "events empty": Forged("malformed", {"events": {}}),
    "another event": Forged("malformed", {"events": {"https://schemas.openid.net/secevent/x": {}}}),
    "one event more": Forged("malformed", {"events": {EVENT: {}, "x": {}}}),
    "the event a list": Forged("malformed", {"events": {EVENT: []}}),
    "the event a text": Forged("malformed", {"events": {EVENT: ""}}),
    "the event null": Forged("malformed", {"events": {EVENT: None}}),
    "a nonce": Forged("malformed", {"nonce": "n"}),
    "a nonce that is null": Forged("malformed", {"nonce": None}),
    "neither sub nor sid": Forged("subject", {"sub": ..., "sid": ...}),
    "sub empty": Forged("subject", {"sub": ""}),
    "sub a number": Forged("subject", {"sub": 7}),
    "sid empty": Forged("malformed", {"sid": ""}),
    "sid a list": Forged("malformed", {"sid": ["session-1"]}),
    "jti missing": Forged("malformed", {"jti": ...}),
    "jti empty": Forged("malformed", {"jti": ""}),
    "jti a number": Forged("malformed", {"jti": 7}),
    "jti of 300": Forged("malformed", {"jti": "j" * 300}),
}
