"""What people are called: the name that a page shows, and the folded ones that they are listed and found by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.identity.folding import fold
from app.identity.model import Account

LISTED: Final = 200  # characters of a folded name that somebody is listed and found by: an index takes no more


def called(account: Account) -> str:
    """The name that people know the account by."""
    return name_of(account.id, account.attributes)


def name_of(account_id: str, said: Mapping[str, Any]) -> str:
    """The name in an account's attributes; the id where they have none."""
    return _name(said) or account_id


def sorted_by(said: Mapping[str, Any]) -> tuple[str, str]:
    """The beginnings of the folded name and family name of an account's attributes; empty where they have none."""
    return fold(_name(said))[:LISTED], fold(str(said.get("familyName") or ""))[:LISTED]


def group_sorted_by(display_name: str) -> str:
    """The folded name that a group is listed and found by: its beginning, since a source may send a very long one."""
    return fold(display_name)[:LISTED]


def _name(said: Mapping[str, Any]) -> str:
    if said.get("displayName"):
        return str(said["displayName"])
    full = " ".join(str(said[part]) for part in ("givenName", "familyName") if said.get(part))
    return str(full or said.get("userName") or said.get("emails.work") or "")
