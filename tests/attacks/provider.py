"""What is tried at an OpenID provider: redirect URIs that are nearly right, parameters, ways to prove who one is.

    for name, (changes, error) in PARAMETERS.items(): … is answered with that error

`CALLBACK` and `AFTER` are what the attacked client registered; None leaves a parameter out, a list sends it twice.
"""

from __future__ import annotations

from typing import Any, Final

CALLBACK: Final = "https://lms.example/callback?from=us"
NATIVE: Final = "http://127.0.0.1/callback"
AFTER: Final = "https://lms.example/bye"
CHALLENGE: Final = "A" * 43
INSIDE: Final = "http://127.0.0.1:9/inside"
NOBODY: Final = "00000000-0000-7000-8000-000000000000"

REDIRECT_URIS: Final[dict[str, Any]] = {
    "none": None,
    "empty": "",
    "twice": [CALLBACK, CALLBACK],
    "the right one, then a foreign one": [CALLBACK, "https://evil.example/"],
    "foreign": "https://evil.example/callback?from=us",
    "a prefix": "https://lms.example/call",
    "without its query": "https://lms.example/callback",
    "a path below": "https://lms.example/callback/more?from=us",
    "dots in the path": "https://lms.example/callback/../callback?from=us",
    "an encoded path": "https://lms.example/%63allback?from=us",
    "another case of the host": "https://LMS.example/callback?from=us",
    "another case of the path": "https://lms.example/Callback?from=us",
    "a host suffix": "https://lms.example.evil.example/callback?from=us",
    "a host prefix": "https://evil-lms.example/callback?from=us",
    "a user's name": "https://lms.example@evil.example/callback?from=us",
    "a backslash": "https://lms.example\\@evil.example/callback?from=us",
    "a port": "https://lms.example:443/callback?from=us",
    "http": "http://lms.example/callback?from=us",
    "a query more": f"{CALLBACK}&x=1",
    "a fragment": f"{CALLBACK}#x",
    "an empty fragment": f"{CALLBACK}#",
    "a line": f"{CALLBACK}\r\nSet-Cookie: a=b",
    "a blank": f"{CALLBACK} ",
    "NUL": f"{CALLBACK}\0",
    "a wildcard": "https://lms.example/*",
    "script": "javascript:alert(1)//https://lms.example/callback?from=us",
    "data": "data:text/html,<script>alert(1)</script>",
    "a scheme of its own": "com.example.lms:/callback",
    "no scheme": "//lms.example/callback?from=us",
    "loopback": NATIVE,
}
NATIVE_URIS: Final = {
    "localhost": "http://localhost:4000/callback",
    "another loopback address": "http://127.0.0.2:4000/callback",
    "IPv6 where IPv4 is registered": "http://[::1]:4000/callback",
    "https": "https://127.0.0.1:4000/callback",
    "another path": "http://127.0.0.1:4000/other",
    "a path below": "http://127.0.0.1:4000/callback/more",
    "a query": "http://127.0.0.1:4000/callback?x=1",
    "a user's name": "http://127.0.0.1:4000@evil.example/callback",
    "a host suffix": "http://127.0.0.1.evil.example/callback",
    "a host in the port": "http://127.0.0.1:x.evil.example/callback",
    "a long port": "http://127.0.0.1:400000/callback",
}
CLIENTS: Final[dict[str, Any]] = {
    "none": None,
    "empty": "",
    "unknown": NOBODY,
    "markup": "<script>alert(1)</script>",
    "NUL": "\0",
    "SQL": "' OR 1=1 --",
    "long": "x" * 2_000,
}

PARAMETERS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "PKCE absent": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "PKCE plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "PKCE without a method": ({"code_challenge_method": None}, "invalid_request"),
    "PKCE with an unknown method": ({"code_challenge_method": "s256"}, "invalid_request"),
    "a method without a challenge": ({"code_challenge": None}, "invalid_request"),
    "a short challenge": ({"code_challenge": "A" * 42}, "invalid_request"),
    "a long challenge": ({"code_challenge": "A" * 44}, "invalid_request"),
    "a challenge of other characters": ({"code_challenge": "A" * 42 + "="}, "invalid_request"),
    "no response_type": ({"response_type": None}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "an ID token at once": ({"response_type": "id_token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "no response at all": ({"response_type": "none"}, "unsupported_response_type"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "a form": ({"response_mode": "form_post"}, "invalid_request"),
    "a message": ({"response_mode": "web_message"}, "invalid_request"),
    "signed response": ({"response_mode": "jwt"}, "invalid_request"),
    "a request object": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    "a request object by address": ({"request_uri": INSIDE}, "request_uri_not_supported"),
    "a pushed request": ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
    "a registration": ({"registration": "{}"}, "registration_not_supported"),
    "claims": ({"claims": '{"userinfo":{"email":null}}'}, "invalid_request"),
    "a resource": ({"resource": "https://other.example/"}, "invalid_target"),
    "consent": ({"prompt": "consent"}, "consent_required"),
    "none and login": ({"prompt": "none login"}, "invalid_request"),
    "an unknown prompt": ({"prompt": "create"}, "invalid_request"),
    "max_age negative": ({"max_age": "-1"}, "invalid_request"),
    "max_age no number": ({"max_age": "1e9"}, "invalid_request"),
    "max_age in other digits": ({"max_age": "١"}, "invalid_request"),
    "max_age without end": ({"max_age": "9" * 400}, "invalid_request"),
    "no scope": ({"scope": None}, "invalid_scope"),
    "only unknown scopes": ({"scope": "admin"}, "invalid_scope"),
    "a scope that it may not have": ({"scope": "openid groups"}, "invalid_scope"),
    "the scope of machines": ({"scope": "scim"}, "invalid_scope"),
    "scope twice": ({"scope": ["openid", "openid"]}, "invalid_request"),
    "state twice": ({"state": ["a", "b"]}, "invalid_request"),
    "nonce twice": ({"nonce": ["a", "b"]}, "invalid_request"),
    "an unknown parameter twice": ({"x": ["a", "b"]}, "invalid_request"),
    "a nonce too long": ({"nonce": "n" * 513}, "invalid_request"),
    "an unknown context": ({"acr_values": "urn:gold", "prompt": "none"}, "unmet_authentication_requirements"),
    "an older sign-in than wanted": ({"max_age": "0", "prompt": "none"}, "login_required"),
    "a connection that is a path": ({"connection": "../../x"}, "invalid_request"),
    "a hint that is none": ({"id_token_hint": "x"}, "invalid_request"),
    "an unsigned hint": ({"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
}

UNREADABLE: Final[dict[str, dict[str, Any]]] = {
    "a nonce with NUL": {"nonce": "a\0b"},
    "a login_hint with NUL": {"login_hint": "a\0b"},
    "acr_values with NUL": {"acr_values": "a\0b", "prompt": "login"},
    "a state with NUL": {"state": "a\0b"},
    "half a character": {"state": b"\xff"},
    "too long": {"state": "s" * 8_000},
    "too many": {f"x{number}": "" for number in range(60)},
}
FORMS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "no verifier": ({"code_verifier": None}, "invalid_request"),
    "an empty verifier": ({"code_verifier": ""}, "invalid_request"),
    "a short verifier": ({"code_verifier": "A" * 42}, "invalid_request"),
    "a long verifier": ({"code_verifier": "A" * 129}, "invalid_request"),
    "another verifier": ({"code_verifier": "B" * 43}, "invalid_grant"),
    "the challenge for a verifier": ({"code_verifier": CHALLENGE}, "invalid_grant"),
    "no redirect URI": ({"redirect_uri": None}, "invalid_grant"),
    "another redirect URI": ({"redirect_uri": "https://lms.example/other"}, "invalid_grant"),
    "a redirect URI with more": ({"redirect_uri": f"{CALLBACK}&x=1"}, "invalid_grant"),
    "no code": ({"code": None}, "invalid_request"),
    "an unknown code": ({"code": "A" * 43}, "invalid_grant"),
    "a code with NUL": ({"code": "A\0"}, "invalid_grant"),
    "a code of a megabyte's tenth": ({"code": "A" * 15_000}, "invalid_grant"),
    "code twice": ({"code": ["A", "B"]}, "invalid_request"),
    "no grant": ({"grant_type": None}, "invalid_request"),
    "password": ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
    "implicit": ({"grant_type": "implicit"}, "unsupported_grant_type"),
    "a token exchange": (
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "x"},
        "unsupported_grant_type",
    ),
    "a machine's grant": ({"grant_type": "client_credentials"}, "unauthorized_client"),
}

AFTER_URIS: Final = {
    "foreign": "https://evil.example/",
    "a prefix": "https://lms.example/",
    "a path below": f"{AFTER}/more",
    "a query": f"{AFTER}?x=1",
    "a fragment": f"{AFTER}#x",
    "a host suffix": "https://lms.example.evil.example/bye",
    "http": "http://lms.example/bye",
    "script": "javascript:alert(1)",
    "no scheme": "//evil.example/",
    "its redirect URI": CALLBACK,
    "empty": "",
}
