"""An administrator with a session and what they sign in with, for tests of the ways into the console."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyotp
import sqlalchemy as sa

from app.adapters import administering, coming_in, own_access
from app.adapters.administering import Doer, Invited
from app.adapters.coming_in import Credentials
from app.store import console_links, console_sessions
from app.store.console_sessions import Begun, ConsoleSession
from app.store.engine import reading
from app.store.vault import Vault
from sso.keeping import Visitor
from tests.passkey_device import Device

KEY = bytes(range(32))
VAULT = Vault([KEY])
OWNER = Doer("administrator olga@acme.example", "owner")
PASSWORD = "three grey herons wade"
DAY = timedelta(days=1)
URL, PARTY = "http://localhost:8080", "localhost"
HERE = Visitor(agent="Firefox/140.0", address="203.0.113.7")


@dataclass
class Person:
    """An administrator who came in by their invitation. `at` is when their authenticator was set up."""

    engine: sa.Engine
    tenant_id: str
    email: str = "ada@acme.example"
    role: str = "owner"
    secret: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    device: Device = field(default_factory=lambda: Device(URL))
    invited: Invited = field(init=False)
    cookie: str = field(init=False)

    def __post_init__(self) -> None:
        self.invited = administering.invite(
            self.engine, self.tenant_id, self.email, "Ada Lovelace", self.role, DAY, OWNER
        )
        begun = self.open(self.invited)
        assert begun is not None
        self.cookie = begun.secret

    @property
    def id(self) -> str:
        return self.invited.administrator_id

    def open(self, invited: Invited) -> Begun | None:
        """Use the invitation."""
        with reading(self.engine) as conn:
            link = console_links.find(conn, invited.link.secret)
        assert link is not None
        return coming_in.by_invitation(self.engine, link, HERE)

    def session(self, cookie: str | None = None) -> ConsoleSession | None:
        """The session of the cookie, the first one's unless it is given."""
        with reading(self.engine) as conn:
            return console_sessions.find(conn, cookie or self.cookie)

    @property
    def here(self) -> ConsoleSession:
        found = self.session()
        assert found is not None
        return found

    def with_password(self, password: str = PASSWORD) -> Person:
        """Password and authenticator are set up, by the code of `at`."""
        shown = own_access.new_authenticator(VAULT, own_access.mine(self.engine, self.here), self.at)
        self.secret = shown.secret
        own_access.set_up_password(self.engine, VAULT, self.here, password, shown.sealed, self.code(self.at), self.at)
        return self

    def with_passkey(self, device: Device | None = None, label: str = "Laptop") -> str:
        """A passkey more; its id."""
        question = own_access.ask_new_passkey(self.engine, PARTY, self.cookie, self.here)
        answer = (device or self.device).register(question.options)
        return own_access.add_passkey(self.engine, PARTY, URL, self.cookie, self.here, answer, label)

    def code(self, at: datetime) -> str:
        return pyotp.TOTP(self.secret).at(at)

    def later(self, steps: int = 1) -> datetime:
        """So many codes after the authenticator was set up."""
        return self.at + timedelta(seconds=30 * steps)

    def sign_in(self, at: datetime, **said: str) -> Begun | None:
        """By password, as right as `said` leaves it."""
        right = {"email": self.email, "password": PASSWORD, "code": self.code(at)}
        return coming_in.by_password(
            self.engine, lambda: VAULT, self.tenant_id, Credentials(**{**right, **said}), at, HERE
        )

    def sign_in_by_passkey(self, browser: str = "browser", device: Device | None = None) -> Begun | None:
        question = coming_in.ask_for_passkey(self.engine, PARTY, browser)
        answer = (device or self.device).sign(question.options)
        return coming_in.by_passkey(self.engine, PARTY, URL, browser, answer, HERE)
