"""What an administrator does about their own ways in: each act in one transaction with its audit entry.

One way back stays: the last cannot be taken away, only replaced. A new password, or a new authenticator, ends the other
sessions; whoever had the old one is out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from app.adapters import one_time_codes, passkey_ceremony, passwords
from app.adapters.administering import NoAdministratorError, NotDoneError
from app.adapters.audited import audited
from app.adapters.one_time_codes import Enrolment
from app.adapters.passkey_ceremony import BadAnswerError, Question
from app.store import administrators, console_sessions, passkeys
from app.store.administrators import Administrator
from app.store.audit import Entry
from app.store.console_sessions import ConsoleSession
from app.store.engine import reading, writing
from app.store.vault import Vault

LONGEST_LABEL: Final = 60
WRONG_CODE: Final = "That code is not the one of this moment. Look at the app again, and at the clock of the telephone."
NO_PASSKEY: Final = "The passkey was not made. Please try again; a device that has one already makes no second."


def mine(engine: sa.Engine, session: ConsoleSession) -> Administrator:
    """The session's administrator.

    Raises:
        NoAdministratorError: it is that of a person who came by a connection, or of a link.
    """
    with reading(engine) as conn:
        return _found(administrators.find(conn, session.tenant_id, session.administrator_id or administrators.NOBODY))


def new_authenticator(vault: Vault, me: Administrator, now: datetime, sealed: str = "") -> Enrolment:
    """A secret that waits for its first code: a new one, or that of a form that was wrong."""
    again = one_time_codes.again(vault, me.id, me.email, me.tenant_name, sealed, now) if sealed else None
    return again or one_time_codes.begin(vault, me.id, me.email, me.tenant_name, now)


def set_up_password(
    engine: sa.Engine, vault: Vault, session: ConsoleSession, password: str, sealed: str, code: str, now: datetime
) -> None:
    """Password and authenticator together, as the first way back or in place of the old ones.

    Raises:
        NotDoneError: with the field that is wrong.
    """
    me = mine(engine, session)
    hash = _chosen(me, password)
    secret, step = _confirmed(vault, me, sealed, code, now)

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        found = _held(conn, session)
        administrators.set_password(conn, found.tenant_id, found.id, hash)
        administrators.set_totp(conn, found.tenant_id, found.id, vault.seal(secret), step)
        return None, [_entry(found, "administrator.password_set", {"ended": _end_others(conn, session, found)})]

    audited(engine, session.tenant_id, act)


def change_password(engine: sa.Engine, session: ConsoleSession, password: str) -> None:
    """Another password; the authenticator stays.

    Raises:
        NotDoneError: it may not be chosen, or there was none.
    """
    hash = _chosen(mine(engine, session), password)

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        found = _held(conn, session)
        if not found.by_password:
            raise NotDoneError("Set up a password with an authenticator first.")
        administrators.set_password(conn, found.tenant_id, found.id, hash)
        return None, [_entry(found, "administrator.password_changed", {"ended": _end_others(conn, session, found)})]

    audited(engine, session.tenant_id, act)


def replace_authenticator(
    engine: sa.Engine, vault: Vault, session: ConsoleSession, sealed: str, code: str, now: datetime
) -> None:
    """Another authenticator; the password stays.

    Raises:
        NotDoneError: the code is wrong, or there is no password.
    """
    secret, step = _confirmed(vault, mine(engine, session), sealed, code, now)

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        found = _held(conn, session)
        if not found.by_password:
            raise NotDoneError("Set up a password with an authenticator first.")
        administrators.set_totp(conn, found.tenant_id, found.id, vault.seal(secret), step)
        return None, [
            _entry(found, "administrator.authenticator_changed", {"ended": _end_others(conn, session, found)})
        ]

    audited(engine, session.tenant_id, act)


def remove_password(engine: sa.Engine, session: ConsoleSession) -> None:
    """Passkeys alone from now on.

    Raises:
        NotDoneError: there is no passkey.
    """

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        found = _held(conn, session)
        if not found.passkeys:
            raise NotDoneError("This is your only way back in. Add a passkey first.")
        administrators.set_password(conn, found.tenant_id, found.id, None)
        administrators.set_totp(conn, found.tenant_id, found.id, None, None)
        return None, [_entry(found, "administrator.password_removed", {})]

    audited(engine, session.tenant_id, act)


def ask_new_passkey(engine: sa.Engine, party: str, browser: str, session: ConsoleSession) -> Question:
    """What the browser is to make a passkey for."""
    me = mine(engine, session)
    with reading(engine) as conn:
        known = passkeys.of(conn, me.tenant_id, me.id)
    question = passkey_ceremony.to_register(party, me.id, me.email, me.name, known)
    with writing(engine) as conn:
        passkeys.ask(conn, browser, "register", question.challenge, me.id)
    return question


def add_passkey(
    engine: sa.Engine, party: str, public_url: str, browser: str, session: ConsoleSession, answer: str, label: str
) -> str:
    """The passkey that the browser made; returns its id.

    Raises:
        NotDoneError: it is no answer to what this browser was asked, or is known already.
    """
    with writing(engine) as conn:
        challenge = passkeys.answered(conn, browser, "register", session.administrator_id)
    if challenge is None:
        raise NotDoneError("That took too long, or another page of this browser asked meanwhile. Please try again.")
    try:
        made = passkey_ceremony.registered(party, public_url, challenge, answer)
    except BadAnswerError:
        raise NotDoneError(NO_PASSKEY) from None
    name = "".join(sign for sign in label if sign.isprintable()).strip()[:LONGEST_LABEL] or "Passkey"

    def act(conn: sa.Connection) -> tuple[str, list[Entry]]:
        found = _held(conn, session)
        own = (found.tenant_id, found.id, made.credential_id, made.public_key)
        try:
            id = passkeys.add(conn, *own, made.sign_count, made.transports, name)
        except (passkeys.KnownPasskeyError, passkeys.TooManyPasskeysError) as error:
            raise NotDoneError(f"{str(error).capitalize()}.") from None
        return id, [_entry(found, "administrator.passkey_added", {"passkey": id, "name": name})]

    return audited(engine, session.tenant_id, act)


def remove_passkey(engine: sa.Engine, session: ConsoleSession, id: str) -> str:
    """One of one's own; returns its name.

    Raises:
        NotDoneError: it is the only way back in. LookupError: it is none of theirs.
    """

    def act(conn: sa.Connection) -> tuple[str, list[Entry]]:
        found = _held(conn, session)
        if not found.by_password and found.passkeys == 1:
            raise NotDoneError("This is your only way back in. Add another passkey, or a password, first.")
        name = passkeys.remove(conn, found.tenant_id, found.id, id)
        if name is None:
            raise LookupError("no such passkey")
        return name, [_entry(found, "administrator.passkey_removed", {"passkey": id, "name": name})]

    return audited(engine, session.tenant_id, act)


def end_session(engine: sa.Engine, session: ConsoleSession, id: str, actor: str) -> bool:
    """End one of one's own sessions; whether it was going on."""

    def act(conn: sa.Connection) -> tuple[bool, list[Entry]]:
        ended = console_sessions.end_own(conn, session, id, actor)
        subject = session.administrator_id or session.account_id or session.id
        return ended, [Entry(actor, "console.session_ended", subject, {"session": id})] if ended else []

    return audited(engine, session.tenant_id, act)


def _chosen(me: Administrator, password: str) -> str:
    try:
        passwords.check(password, [me.email, me.email.partition("@")[0], me.name, *me.name.split(), me.tenant_name])
    except passwords.WeakPasswordError as error:
        raise NotDoneError(str(error), "password") from None
    return passwords.hashed(password)


def _confirmed(vault: Vault, me: Administrator, sealed: str, code: str, now: datetime) -> tuple[str, int]:
    secret = one_time_codes.pending(vault, me.id, sealed, now)
    if secret is None:
        raise NotDoneError("The picture was open for too long. Take the new one.", "code")
    step = one_time_codes.step_of(secret, code, now, None)
    if step is None:
        raise NotDoneError(WRONG_CODE, "code")
    return secret, step


def _held(conn: sa.Connection, session: ConsoleSession) -> Administrator:
    """The row is locked: of two acts that each leave one way back, the second sees what the first left."""
    return _found(administrators.hold(conn, session.tenant_id, session.administrator_id or administrators.NOBODY))


def _found(found: Administrator | None) -> Administrator:
    if found is None:
        raise NoAdministratorError("you come in by your organisation's sign-in, which keeps its own credentials")
    return found


def _end_others(conn: sa.Connection, session: ConsoleSession, found: Administrator) -> int:
    return console_sessions.end_of_administrator(conn, found.tenant_id, found.id, _actor(found), but=session.id)


def _entry(found: Administrator, action: str, facts: dict[str, object]) -> Entry:
    return Entry(_actor(found), action, found.id, facts)


def _actor(found: Administrator) -> str:
    return f"administrator {found.email}"
