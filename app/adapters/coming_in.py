"""The ways into the console: each ends in `console_sessions.begin`, with an audit entry in the same transaction.

    password and code ─▶ checked without a connection ─▶ spent ─┐
    passkey ─▶ challenge, once ─▶ signature ─▶ counter ─────────┤
    invitation, set-up link ─▶ used up ─────────────────────────┼─▶ a session, always a new one
    connection ─▶ its session, a role with a place here ────────┘

Whoever is refused is told one thing only. A password, or the lack of anybody of that address, costs the same work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa
import structlog

from app.adapters import one_time_codes, passkey_ceremony, passwords
from app.adapters.audited import audited
from app.adapters.passkey_ceremony import BadAnswerError, Question
from app.identity.console_roles import ConsoleRole
from app.store import administrators, console_links, console_sessions, passkeys, sessions
from app.store.administrators import Administrator
from app.store.audit import Entry
from app.store.console_links import Link
from app.store.console_sessions import Begun, ConsoleSession, NewConsoleSession
from app.store.engine import reading, writing
from app.store.passkeys import Passkey
from app.store.vault import Vault
from sso.keeping import Visitor

Vaults = Callable[[], Vault]
SIGNED_IN: Final = "console.signed_in"
_log = structlog.get_logger("console")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed in."""

    email: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoRole:
    """Somebody who is signed in, and whose roles have no place in the console."""

    name: str


def by_password(
    engine: sa.Engine, vault: Vaults, tenant_id: str, said: Credentials, now: datetime, visitor: Visitor
) -> Begun | None:
    """Address, password and code together let an administrator in; None says that something is wrong.

    Raises:
        SettingsError: no secret key is set, so that nobody has codes.
    """
    opened = vault()
    with reading(engine) as conn:
        found = administrators.by_email(conn, tenant_id, said.email)
    known, step = _checked(found, opened, said, now)

    def act(conn: sa.Connection) -> tuple[Begun | None, list[Entry]]:
        if found is None or step is None or not _came_in(conn, found, step):
            return None, []
        return _begin(conn, found, "password", visitor)

    begun = audited(engine, tenant_id, act) if step is not None else None
    if begun is None or found is None:
        _refused(engine, tenant_id, found, known)
        return None
    _rehash(engine, found, said.password)
    return begun


def prove_by_password(
    engine: sa.Engine, vault: Vaults, session: ConsoleSession, said: Credentials, now: datetime
) -> bool:
    """The session's own administrator shows password and code once more."""
    opened = vault()
    with reading(engine) as conn:
        found = administrators.find(conn, session.tenant_id, session.administrator_id or administrators.NOBODY)
    known, step = _checked(found, opened, said, now)
    if found is not None and step is not None:
        with writing(engine) as conn:
            if _came_in(conn, found, step):
                console_sessions.prove(conn, session)
                return True
    _refused(engine, session.tenant_id, found, known)
    return False


def ask_for_passkey(engine: sa.Engine, party: str, browser: str, session: ConsoleSession | None = None) -> Question:
    """A challenge for this browser: to come in, or with a session to prove who it is of."""
    question = passkey_ceremony.to_sign_in(party)
    purpose: passkeys.Purpose = "prove" if session else "sign in"
    with writing(engine) as conn:
        passkeys.ask(conn, browser, purpose, question.challenge, session.administrator_id if session else None)
    return question


def by_passkey(
    engine: sa.Engine, party: str, public_url: str, browser: str, answer: str, visitor: Visitor
) -> Begun | None:
    """The answer to what this browser was asked lets its administrator in, once; None says that something is wrong."""
    signed = _signed(engine, party, public_url, browser, answer, None)
    if signed is None:
        return None
    passkey, count = signed

    def act(conn: sa.Connection) -> tuple[Begun | None, list[Entry]]:
        found = administrators.find(conn, passkey.tenant_id, passkey.administrator_id)
        mine = (passkey.tenant_id, passkey.administrator_id)
        if found is None or not passkeys.used(conn, passkey, count) or not administrators.came_by_passkey(conn, *mine):
            return None, []
        return _begin(conn, found, "passkey", visitor)

    return audited(engine, passkey.tenant_id, act)


def prove_by_passkey(
    engine: sa.Engine, party: str, public_url: str, browser: str, answer: str, session: ConsoleSession
) -> bool:
    """The session's own administrator shows a passkey."""
    signed = _signed(engine, party, public_url, browser, answer, session)
    if signed is None or signed[0].administrator_id != session.administrator_id:
        return False
    with writing(engine) as conn:
        if not passkeys.used(conn, *signed):
            return False
        console_sessions.prove(conn, session)
    return True


def by_invitation(engine: sa.Engine, link: Link, visitor: Visitor) -> Begun | None:
    """Use an invitation up; None: it counts no more."""

    def act(conn: sa.Connection) -> tuple[Begun | None, list[Entry]]:
        found = administrators.find(conn, link.tenant_id, link.administrator_id or administrators.NOBODY)
        if found is None or link.purpose != "invitation" or not console_links.open(conn, link):
            return None, []
        administrators.came_by_passkey(conn, link.tenant_id, found.id)
        return _begin(conn, found, "invitation", visitor)

    return audited(engine, link.tenant_id, act)


def by_set_up_link(engine: sa.Engine, link: Link, visitor: Visitor) -> Begun | None:
    """Use a set-up link up: what begins ends with the link at the latest."""

    def act(conn: sa.Connection) -> tuple[Begun | None, list[Entry]]:
        if link.purpose == "invitation" or not console_links.open(conn, link):
            return None, []
        new = NewConsoleSession(
            link.tenant_id,
            "set-up link",
            link_id=link.id,
            until=link.expires_at,
            agent=visitor.agent,
            address=visitor.address,
        )
        begun = console_sessions.begin(conn, new)
        facts = {"session": begun.id, "purpose": link.purpose}
        return begun, [Entry(f"set-up link {link.id}", "set_up_link.opened", link.id, facts)]

    return audited(engine, link.tenant_id, act)


def by_connection(engine: sa.Engine, tenant_id: str, secret: str, visitor: Visitor) -> Begun | NoRole | None:
    """Whoever the tenant's session cookie is of comes in by a role; None: it is nobody's that counts."""
    with reading(engine) as conn:
        signed_in = sessions.find(conn, tenant_id, secret)
        role = console_sessions.role_of_account(conn, tenant_id, signed_in.account_id) if signed_in else None
    if signed_in is None:
        return None
    if role is None:
        return NoRole(signed_in.display_name)

    def act(conn: sa.Connection) -> tuple[Begun, list[Entry]]:
        new = NewConsoleSession(
            tenant_id,
            "connection",
            account_id=signed_in.account_id,
            session_id=signed_in.id,
            proven_at=signed_in.authenticated_at,
            agent=visitor.agent,
            address=visitor.address,
        )
        begun = console_sessions.begin(conn, new)
        actor = console_sessions.actor_of(signed_in.attributes.get("emails.work"), None, signed_in.account_id)
        facts = _facts(begun, "connection", role)
        return begun, [Entry(actor, SIGNED_IN, signed_in.account_id, {**facts, "signIn": signed_in.id})]

    return audited(engine, tenant_id, act)


def _checked(found: Administrator | None, vault: Vault, said: Credentials, now: datetime) -> tuple[bool, int | None]:
    """Whether the password is right, and the code's step if both are; both are looked at, whatever the other is."""
    known = found if found and found.by_password else None
    right = passwords.verify(known.password if known else None, said.password)
    secret = vault.open(known.totp) if known and known.totp else None
    step = one_time_codes.step_of(secret, said.code, now, known.totp_step if known else None)
    return right, step if right else None


def _came_in(conn: sa.Connection, found: Administrator, step: int) -> bool:
    return administrators.came_in(conn, found.tenant_id, found.id, found.password or "", step)


def _signed(
    engine: sa.Engine, party: str, public_url: str, browser: str, answer: str, session: ConsoleSession | None
) -> tuple[Passkey, int] | None:
    purpose: passkeys.Purpose = "prove" if session else "sign in"
    try:
        credential = passkey_ceremony.credential_of(answer)
        with writing(engine) as conn:
            challenge = passkeys.answered(conn, browser, purpose, session.administrator_id if session else None)
            passkey = passkeys.by_credential(conn, credential)
        if challenge is None or passkey is None:
            raise BadAnswerError("nothing waits" if challenge is None else "nobody's passkey")
        return passkey, passkey_ceremony.signed(party, public_url, challenge, passkey, answer)
    except BadAnswerError as error:
        _log.warning("a passkey was refused", why=str(error))
        return None


def _begin(
    conn: sa.Connection, found: Administrator, method: console_sessions.Method, visitor: Visitor
) -> tuple[Begun, list[Entry]]:
    new = NewConsoleSession(
        found.tenant_id,
        method,
        administrator_id=found.id,
        proven=True,
        agent=visitor.agent,
        address=visitor.address,
    )
    begun = console_sessions.begin(conn, new)
    actor = f"administrator {found.email}"
    return begun, [Entry(actor, SIGNED_IN, found.id, _facts(begun, method, found.role))]


def _facts(begun: Begun, method: str, role: ConsoleRole) -> dict[str, str]:
    return {"session": begun.id, "method": method, "role": role}


def _refused(engine: sa.Engine, tenant_id: str, found: Administrator | None, known: bool) -> None:
    """Only whoever knows the password makes somebody wait: they alone guess codes, and no stranger keeps owners out."""
    with writing(engine) as conn:
        administrators.failed(conn, tenant_id, found.id if found and known else None)
    _log.warning("a password was refused", tenant=tenant_id, administrator=found.id if found else None)


def _rehash(engine: sa.Engine, found: Administrator, password: str) -> None:
    """The parameters grew since it was set: now is the only time that the password is there."""
    if found.password and passwords.is_dated(found.password):
        fresh = passwords.hashed(password)
        with writing(engine) as conn:
            administrators.rehash(conn, found.tenant_id, found.id, found.password, fresh)
