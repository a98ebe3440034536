"""Who is in the console: the session of the browser's cookie, as what a handler needs of it.

    cookie ─▶ one statement (app/store/console_sessions) ─▶ Visit ─▶ role or link, name in the audit, CSRF token

The tenant is the session's, never the address's. The CSRF token is derived from the cookie: nothing more is stored, and
whoever cannot read the cookie cannot know it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final, Literal

import sqlalchemy as sa

from app.identity.console_roles import ConsoleRole, reaches
from app.store import console_sessions
from app.store.console_sessions import ConsoleSession, LinkScope, actor_of
from app.store.engine import reading
from sso import cookies

Theme = Literal["system", "light", "dark"]

THEMES: Final[tuple[Theme, ...]] = ("system", "light", "dark")
THEME_COOKIE: Final = "rollcall-theme"
SAID_COOKIE: Final = "rollcall-said"


@dataclass(frozen=True, slots=True)
class Visit:
    """Whoever is in. `role` is None for the holder of a set-up link, whom `link` confines."""

    session: ConsoleSession
    csrf: str = field(repr=False)

    @property
    def tenant_id(self) -> str:
        return self.session.tenant_id

    @property
    def tenant_name(self) -> str:
        return self.session.tenant_name

    @property
    def role(self) -> ConsoleRole | None:
        return self.session.role

    @property
    def link(self) -> LinkScope | None:
        return self.session.link

    @property
    def name(self) -> str:
        return self.session.name

    @property
    def administrator_id(self) -> str | None:
        return self.session.administrator_id

    @property
    def account_id(self) -> str | None:
        return self.session.account_id

    @property
    def actor(self) -> str:
        """Their name in the audit: ``administrator ada@acme.example``."""
        if self.link is not None:
            return f"set-up link {self.link.id}"
        return actor_of(self.session.email, self.administrator_id, self.account_id)

    def may(self, needed: ConsoleRole) -> bool:
        """Whether their role reaches this far."""
        return reaches(self.role, needed)


def cookie_name(public_url: str) -> str:
    """The console's session cookie; over https no other host can set it."""
    return cookies.named("rollcall-console", public_url)


def door_cookie_name(public_url: str) -> str:
    """The cookie of a browser that is not in yet: its forms carry what is derived from it."""
    return cookies.named("rollcall-console-door", public_url)


def csrf_of(secret: str) -> str:
    """The token that forms of this cookie carry."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf(secret: str, token: str) -> bool:
    """Whether the token is that of this cookie."""
    return hmac.compare_digest(csrf_of(secret), token.encode("ascii", "replace").decode())


def visit_of(engine: sa.Engine, secret: str | None, *, by_itself: bool = False) -> Visit | None:
    """The visit of this cookie, if its session counts; notes that its holder was here, unless a page asks by itself."""
    if not cookies.is_value(secret):
        return None
    assert secret is not None
    with reading(engine) as conn:
        found = console_sessions.find(conn, secret)
        if found is None:
            return None
        if not by_itself:
            console_sessions.seen(conn, found)
    return Visit(found, csrf_of(secret))
