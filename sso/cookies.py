"""The cookies of a browser that signs in.

    session   one a tenant: who is signed in there            SameSite=Lax
    pending   one an installation: which browser it is that   SameSite=None, since an identity provider's answer may
              asked an identity provider something            come as a form that another site posts
    onward    one an installation: where it goes on to        SameSite=Lax
              after it was signed out at the provider too

The first two are random texts whose digests are stored. Over https their names begin with `__Host-`: no other host, not
even a sibling's, can put its own cookie in their place, so that nobody is signed in as somebody else by an answer that
was meant for another browser. The prefix demands the path `/` (RFC 6265bis §4.1.3.2). Plain http is for loopback only.
No cookie can be `SameSite=None` there, which wants Secure; the pending one says nothing of SameSite, so that a provider
called `localhost` reaches us at 127.0.0.1, another site, by a form: Chromium sends such a cookie along for two minutes.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

PENDING_SECONDS: Final = 600
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie's name and attributes. `max_age` is in seconds; None: until the browser is closed."""

    name: str
    secure: bool
    same_site: Literal["Lax", "None"] | None = "Lax"
    max_age: int | None = None
    http_only: bool = True
    path: str = "/"


def session(public_url: str, tenant_id: str) -> str:
    """The name of a tenant's session cookie."""
    return session_cookie(public_url, tenant_id).name


def session_cookie(public_url: str, tenant_id: str, max_age: int | None = None) -> Cookie:
    """A tenant's session cookie. `max_age` is the session's length in seconds."""
    secure = not _plain(public_url)
    name = f"rollcall-{hashlib.sha256(tenant_id.encode()).hexdigest()[:8]}"
    return Cookie(f"__Host-{name}" if secure else name, secure, max_age=max_age)


def pending_cookie(public_url: str) -> Cookie:
    """The cookie of a browser that waits for an identity provider's answer, in as many tabs as it likes."""
    if _plain(public_url):
        return Cookie("rollcall-pending", secure=False, same_site=None, max_age=PENDING_SECONDS)
    return Cookie("__Host-rollcall-pending", secure=True, same_site="None", max_age=PENDING_SECONDS)


def onward_cookie(public_url: str) -> Cookie:
    """Where a browser goes on to once it was signed out at the identity provider as well: a path of ours."""
    secure = not _plain(public_url)
    return Cookie("__Host-rollcall-onward" if secure else "rollcall-onward", secure, max_age=PENDING_SECONDS)


def named(name: str, public_url: str) -> str:
    """The name of a cookie that no other host may set, where people come by https."""
    return name if _plain(public_url) else f"__Host-{name}"


def is_secure(public_url: str) -> bool:
    """Whether cookies are for https alone."""
    return not _plain(public_url)


def new_value() -> str:
    """A value that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


def is_value(text: str | None) -> bool:
    """Whether a cookie's value may be one of ours."""
    return text is not None and _VALUE.fullmatch(text) is not None


def digest(text: str) -> bytes:
    """What is stored of a value."""
    return hashlib.sha256(text.encode()).digest()


def _plain(public_url: str) -> bool:
    """Whether people come by plain http, which only this machine may."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return parts.scheme == "http" and loopback
