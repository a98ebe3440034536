"""What owners do to administrators: each act judged, in one transaction with its audit entry.

invite ─▶ administrator, link ─▶ … ─▶ change_role, invite_again (also: start over), remove

Nobody gives or takes a role above their own. The last owner who can come in again stays owner; people who come in by a
role of the learning platform do not count, since a mapping can take it away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.adapters.audited import audited
from app.identity.console_roles import LADDER, ConsoleRole, reaches
from app.store import administrators, console_links, console_sessions, passkeys
from app.store.administrators import Administrator
from app.store.audit import Entry
from app.store.console_links import Issued

DAYS: Final = 7  # that an invitation is good for
MOST_DAYS: Final = 30
LONGEST_NAME: Final = 100
_ADDRESS: Final = re.compile(r"[^\s@<>\"',;:]{1,64}@[^\s@<>\"',;:]{1,189}")


class NotDoneError(ValueError):
    """The act is not done; the message says why, and what to do. `field` is the one to mend, if it is one."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class NoAdministratorError(LookupError):
    """The tenant has no such administrator."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts: the name in the audit, and how far up the ladder they stand."""

    actor: str
    role: ConsoleRole


@dataclass(frozen=True, slots=True)
class Invited:
    """An administrator with a link that lets them in once."""

    administrator_id: str
    email: str
    name: str
    role: ConsoleRole
    link: Issued


def invite(
    engine: sa.Engine, tenant_id: str, email: str, name: str, role: str, lifetime: timedelta, doer: Doer
) -> Invited:
    """A new administrator, and the link for them.

    Raises:
        NotDoneError: what was said is wrong, the role is above the doer's own, or the address is taken.
    """
    email, name, chosen = _address(email), _name(name, email), _given(role, doer)
    _check(lifetime)

    def act(conn: sa.Connection) -> tuple[Invited, list[Entry]]:
        try:
            id = administrators.create(conn, tenant_id, email, name, chosen, doer.actor)
        except administrators.EmailTakenError:
            sentence = "There is an administrator of that address already. Invite them again from the list."
            raise NotDoneError(sentence, "email") from None
        link = _issue(conn, tenant_id, id, lifetime, doer)
        facts = {"role": chosen, "link": link.id, "until": link.expires_at.isoformat()}
        return Invited(id, email, name, chosen, link), [
            Entry(doer.actor, "administrator.invited", id, facts, {"email": email})
        ]

    return audited(engine, tenant_id, act)


def invite_again(
    engine: sa.Engine, tenant_id: str, id: str, lifetime: timedelta, doer: Doer, *, start_over: bool = False
) -> Invited:
    """A fresh link for an administrator; older ones end. `start_over`: what they sign in with is forgotten at once.

    Raises:
        NoAdministratorError, NotDoneError.
    """
    _check(lifetime)

    def act(conn: sa.Connection) -> tuple[Invited, list[Entry]]:
        found = _held(conn, tenant_id, id, doer)
        if start_over:
            _demand_other_owner(conn, found)
            _forget_credentials(conn, found, doer)
        revoked = console_links.revoke_invitations(conn, tenant_id, id)
        link = _issue(conn, tenant_id, id, lifetime, doer)
        facts = {"link": link.id, "until": link.expires_at.isoformat(), "revoked": revoked, "startOver": start_over}
        return Invited(id, found.email, found.name, found.role, link), [
            _entry(doer, "administrator.invited_again", found, facts)
        ]

    return audited(engine, tenant_id, act)


def change_role(engine: sa.Engine, tenant_id: str, id: str, role: str, doer: Doer) -> Administrator:
    """Another role, at once, in sessions that are under way too; returns the administrator as they were.

    Raises:
        NoAdministratorError, NotDoneError.
    """
    chosen = _given(role, doer)

    def act(conn: sa.Connection) -> tuple[Administrator, list[Entry]]:
        found = _held(conn, tenant_id, id, doer)
        if found.role == chosen:
            return found, []
        _demand_other_owner(conn, found)
        administrators.set_role(conn, tenant_id, id, chosen)
        return found, [_entry(doer, "administrator.role_changed", found, {"before": found.role, "after": chosen})]

    return audited(engine, tenant_id, act)


def remove(engine: sa.Engine, tenant_id: str, id: str, doer: Doer) -> Administrator:
    """The administrator is none from now on: sessions, links and credentials end.

    Raises:
        NoAdministratorError, NotDoneError.
    """

    def act(conn: sa.Connection) -> tuple[Administrator, list[Entry]]:
        found = _held(conn, tenant_id, id, doer)
        _demand_other_owner(conn, found)
        ended = _forget_credentials(conn, found, doer)
        console_links.revoke_invitations(conn, tenant_id, id)
        administrators.remove(conn, tenant_id, id)
        return found, [_entry(doer, "administrator.removed", found, {"role": found.role, "sessions": ended})]

    return audited(engine, tenant_id, act)


def revoke_invitation(engine: sa.Engine, tenant_id: str, id: str, doer: Doer) -> int:
    """End the administrator's links that nobody used; how many there were.

    Raises:
        NoAdministratorError, NotDoneError.
    """

    def act(conn: sa.Connection) -> tuple[int, Sequence[Entry]]:
        found = _held(conn, tenant_id, id, doer)
        count = console_links.revoke_invitations(conn, tenant_id, id)
        return count, [_entry(doer, "administrator.invitation_revoked", found, {"links": count})] if count else []

    return audited(engine, tenant_id, act)


def _issue(conn: sa.Connection, tenant_id: str, id: str, lifetime: timedelta, doer: Doer) -> Issued:
    return console_links.issue(conn, tenant_id, "invitation", doer.actor, lifetime, administrator_id=id)


def _held(conn: sa.Connection, tenant_id: str, id: str, doer: Doer) -> Administrator:
    found = administrators.hold(conn, tenant_id, id)
    if found is None:
        raise NoAdministratorError("there is no such administrator")
    if not reaches(doer.role, found.role):
        raise NotDoneError("Their role is above yours. Ask an owner.")
    return found


def _demand_other_owner(conn: sa.Connection, found: Administrator) -> None:
    """Whoever is owner but never set up a way to come in again is nobody's last hope."""
    if (
        found.role == "owner"
        and found.has_way_back
        and not administrators.other_owners(conn, found.tenant_id, found.id)
    ):
        raise NotDoneError(
            "This is the last owner who can come in. Make somebody else owner first, and let them set up how they come "
            "in again."
        )


def _forget_credentials(conn: sa.Connection, found: Administrator, doer: Doer) -> int:
    """How many sessions ended with it."""
    administrators.set_password(conn, found.tenant_id, found.id, None)
    administrators.set_totp(conn, found.tenant_id, found.id, None, None)
    passkeys.remove_all(conn, found.tenant_id, found.id)
    return console_sessions.end_of_administrator(conn, found.tenant_id, found.id, doer.actor)


def _entry(doer: Doer, action: str, found: Administrator, facts: dict[str, Any]) -> Entry:
    return Entry(doer.actor, action, found.id, facts, {"email": found.email})


def _address(text: str) -> str:
    email = text.strip()
    if not _ADDRESS.fullmatch(email) or not email.isprintable():
        raise NotDoneError("Write an e-mail address, as ada@acme.example.", "email")
    return email


def _name(text: str, email: str) -> str:
    name = " ".join(text.split()) or email
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NotDoneError(f"Write a name of at most {LONGEST_NAME} characters.", "name")
    return name


def _given(role: str, doer: Doer) -> ConsoleRole:
    chosen = next((known for known in LADDER if known == role), None)
    if chosen is None:
        raise NotDoneError(f"Choose one of the roles {', '.join(LADDER)}.", "role")
    if not reaches(doer.role, chosen):
        raise NotDoneError("Nobody gives a role above their own.", "role")
    return chosen


def _check(lifetime: timedelta) -> None:
    if not timedelta(hours=1) <= lifetime <= timedelta(days=MOST_DAYS):
        raise NotDoneError(f"An invitation is good for an hour at least and {MOST_DAYS} days at most.", "days")
