"""Hostile answers at the callback, the token endpoint and userinfo, and hostile discovery documents: name, what, code.

Callback answers are all parameters; `STATE` and `CODE` stand for those of the request that is played.
"""

from __future__ import annotations

import json
from typing import Any, Final

STATE: Final = "state-1"
CODE: Final = "code-1"
_OURS: Final = {"state": STATE, "code": CODE}

ANSWERS: Final[dict[str, tuple[dict[str, str], str]]] = {
    "nothing": ({}, "other_browser"),
    "no state": ({"code": CODE}, "other_browser"),
    "state empty": ({"state": "", "code": CODE}, "other_browser"),
    "state of another browser": ({"state": "state-2", "code": CODE}, "other_browser"),
    "state cut": ({"state": STATE[:-1], "code": CODE}, "other_browser"),
    "state with a letter more": ({"state": STATE + "1", "code": CODE}, "other_browser"),
    "state of another script": ({"state": "stаte-1", "code": CODE}, "other_browser"),
    "half a character in the state": ({"state": "\ud800", "code": CODE}, "other_browser"),
    "an error without state": ({"error": "access_denied"}, "other_browser"),
    "an error with another state": ({"error": "access_denied", "state": "state-2"}, "other_browser"),
    "an error": ({"error": "access_denied", "state": STATE}, "provider_refused"),
    "an error and a code": ({**_OURS, "error": "access_denied"}, "provider_refused"),
    "an error with markup": (
        {"state": STATE, "error": "<script>", "error_description": "<img src=x>" * 100},
        "provider_refused",
    ),
    "mix-up: iss of another provider": ({**_OURS, "iss": "https://attacker.example"}, "issuer"),
    "iss empty": ({**_OURS, "iss": ""}, "issuer"),
    "iss with a slash more": ({**_OURS, "iss": "https://idp.example/"}, "issuer"),
    "an error with the iss of another provider": (
        {"error": "x", "state": STATE, "iss": "https://attacker.example"},
        "issuer",
    ),
    "no code": ({"state": STATE}, "malformed"),
    "code empty": ({"state": STATE, "code": ""}, "malformed"),
    "code of 5,000": ({"state": STATE, "code": "c" * 5_000}, "malformed"),
    "code with a line break": ({"state": STATE, "code": "c\r\nX: 1"}, "malformed"),
    "code of another script": ({"state": STATE, "code": "cоde"}, "malformed"),
    "an ID token that was not asked for": ({**_OURS, "id_token": "a.b.c"}, "malformed"),
    "an access token that was not asked for": ({**_OURS, "access_token": "x"}, "malformed"),
    "a signed answer that was not asked for": ({**_OURS, "response": "a.b.c"}, "malformed"),
}

# What the token endpoint says instead: status, body.
EXCHANGES: Final[dict[str, tuple[int, bytes, str]]] = {
    "not JSON": (200, b"<html>", "malformed"),
    "empty": (200, b"", "malformed"),
    "a list": (200, b"[]", "malformed"),
    "nested deep": (200, b"[" * 100_000, "malformed"),
    "nested deep, within": (200, b'{"a":' * 20_000, "malformed"),
    "10 MB": (200, b" " * 10_000_000, "too_large"),
    "a member twice": (200, b'{"id_token": "a", "id_token": "b"}', "malformed"),
    "no ID token": (200, b'{"access_token": "x", "token_type": "Bearer"}', "malformed"),
    "ID token an object": (200, b'{"id_token": {}, "access_token": "x", "token_type": "Bearer"}', "malformed"),
    "no access token": (200, b'{"id_token": "a.b.c", "token_type": "Bearer"}', "malformed"),
    "access token with a line break": (
        200,
        json.dumps({"id_token": "a.b.c", "access_token": "x\r\nX: 1", "token_type": "Bearer"}).encode(),
        "malformed",
    ),
    "another kind of token": (200, b'{"id_token": "a.b.c", "access_token": "x", "token_type": "DPoP"}', "malformed"),
    "no kind of token": (200, b'{"id_token": "a.b.c", "access_token": "x"}', "malformed"),
    "expires_in nonsense": (
        200,
        b'{"id_token": "a.b.c", "access_token": "x", "token_type": "Bearer", "expires_in": "soon"}',
        "malformed",
    ),
    "expires_in endless": (
        200,
        b'{"id_token": "a.b.c", "access_token": "x", "token_type": "Bearer", "expires_in": 1e999}',
        "malformed",
    ),
    "ID token of two parts": (200, b'{"id_token": "a.b", "access_token": "x", "token_type": "Bearer"}', "malformed"),
    "code used before": (400, b'{"error": "invalid_grant", "error_description": "<b>used</b>"}', "provider_refused"),
    "client unknown": (401, b'{"error": "invalid_client"}', "provider_refused"),
    "error a number": (400, b'{"error": 7, "error_description": []}', "provider_refused"),
    "error with status 200": (200, b'{"error": "invalid_grant"}', "provider_refused"),
    "400 that says nothing": (400, b"{}", "provider_unreachable"),
    "404 of a proxy": (404, b"<html>", "provider_unreachable"),
    "429 of a proxy": (429, b'{"message": "slow"}', "provider_unreachable"),
    "500": (500, b"oops", "provider_unreachable"),
    "a redirect": (302, b"", "provider_unreachable"),
}

# What userinfo says instead: status, content type, body.
USERINFOS: Final[dict[str, tuple[int, str, bytes, str]]] = {
    "somebody else": (200, "application/json", b'{"sub": "s-2"}', "subject"),
    "nobody": (200, "application/json", b"{}", "subject"),
    "sub a list": (200, "application/json", b'{"sub": ["s-1"]}', "subject"),
    "sub twice": (200, "application/json", b'{"sub": "s-2", "sub": "s-1"}', "malformed"),
    "signed": (200, "application/jwt", b"a.b.c", "malformed"),
    "a page": (200, "text/html", b'{"sub": "s-1"}', "malformed"),
    "no kind": (200, "", b'{"sub": "s-1"}', "malformed"),
    "not JSON": (200, "application/json", b"sub=s-1", "malformed"),
    "a list": (200, "application/json", b'["s-1"]', "malformed"),
    "10 MB": (200, "application/json", b'{"sub": "s-1", "x": "' + b"x" * 10_000_000 + b'"}', "malformed"),
    "401": (401, "application/json", b'{"sub": "s-1"}', "provider_unreachable"),
    "a redirect": (302, "application/json", b'{"sub": "s-1"}', "provider_unreachable"),
}

# What differs in the discovery document of https://idp.example; `...` removes a member.
DOCUMENTS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "another issuer": ({"issuer": "https://attacker.example"}, "issuer"),
    "issuer with a slash more": ({"issuer": "https://idp.example/"}, "issuer"),
    "issuer in another case": ({"issuer": "https://IDP.example"}, "issuer"),
    "issuer a list": ({"issuer": ["https://idp.example"]}, "issuer"),
    "issuer missing": ({"issuer": ...}, "issuer"),
    "issuer open for any directory": ({"issuer": "https://{tenantid}"}, "issuer"),
    "no authorization endpoint": ({"authorization_endpoint": ...}, "malformed"),
    "no token endpoint": ({"token_endpoint": ...}, "malformed"),
    "no keys": ({"jwks_uri": ...}, "malformed"),
    "an endpoint that is no text": ({"token_endpoint": {"x": 1}}, "malformed"),
    **{
        f"{name}: {kind}": ({name: url}, "malformed")
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        )
        for kind, url in {
            "http": "http://idp.example/x",
            "http inside our network": "http://169.254.169.254/latest/meta-data",
            "a file": "file:///etc/passwd",
            "javascript": "javascript:alert(1)",
            "data": "data:application/json,{}",
            "a user in it": "https://idp.example@attacker.example/",
            "a fragment": "https://idp.example/#x",
            "no host": "https:///x",
            "relative": "/x",
            "a line break": "https://idp.example/\r\nX: 1",
            "a blank": "https://idp.example/ x",
            "no port": "https://idp.example:99999/",
            "too long": "https://idp.example/" + "x" * 2_000,
            "another script": "https://idр.example/",
        }.items()
    },
}
