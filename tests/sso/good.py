"""A keeper of tokens that knows three, for the roads that ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from sso.checking import Asker, Good

ADA = Good(
    id="t1",
    kind="access",
    tenant_id="1",
    tenant="acme",
    client_id="lms",
    audience="https://lms.example",
    scopes=("openid", "profile", "email", "roles"),
    issued=1_000.9,
    ends=4_600.9,
    account_id="a1",
    session_id="s1",
    roles=("learner", "trainer"),
    user_name="ada",
    email="ada@example.com",
    context="urn:mfa",
    methods=("pwd",),
    authenticated=990.2,
)
TOKENS = {
    "ada": ADA,
    "shy": replace(ADA, scopes=("openid",)),
    "odd": replace(ADA, roles=("a,b", "Führer", "x\r\ny"), email="ü%@example.com"),
    "feed": replace(ADA, kind="machine", account_id=None, scopes=("events:read",), roles=(), audience=None, ends=None),
    "again": replace(ADA, kind="refresh"),
}
SESSION = replace(ADA, kind="session", client_id=None, audience=None, scopes=())


class Keeper:
    """`sso.checking.Keeper`: the cookie is ``ada``, the secret is ``secret``."""

    def access(self, token: str) -> Good | None:
        good = TOKENS.get(token)
        return good if good is not None and good.kind == "access" else None

    def session(self, tenant: str, cookies: str) -> Good | None:
        return SESSION if (tenant, cookies) == ("acme", "ada") else None

    def asker(self, authorization: str | None, form: Mapping[str, str]) -> Asker | None:
        return Asker("1", "lms", True) if form.get("client_secret") == "secret" else None

    def introspect(self, asker: Asker, token: str) -> Good | None:
        return TOKENS.get(token)


def environment(path: str, method: str = "GET", body: bytes = b"", **headers: str) -> dict[str, Any]:
    """A WSGI environment; headers by their CGI names without HTTP_."""
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(path, encoding="latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        **{name if name == "CONTENT_TYPE" else f"HTTP_{name}": value for name, value in headers.items()},
    }
