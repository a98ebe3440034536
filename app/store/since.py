"""Who may be another than before, since a number of the audit: so that what was worked out then is checked, not redone.

Whoever writes people writes an entry in the same transaction, and numbers are given in the order of COMMIT. So nothing
that is committed later stands below the number that was the next one when reading began.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from app.store import groups
from app.store.driver import Statement

MOST: Final = 5_000  # entries; after more of them it is cheaper to begin again
_NEXT = Statement("SELECT next_audit FROM ledger WHERE tenant_id = %(tenant)s")
_ENTRIES = Statement("""
    SELECT action, subject, facts FROM audit WHERE tenant_id = %(tenant)s AND number >= %(since)s
    ORDER BY number LIMIT %(most)s
""")

# Entries about people name them all. Those of acts on other things concern nobody; rules have a revision of their own.
_ABOUT_ONE: Final = frozenset({"account.created", "account.changed", "account.signed_out"})
_NOBODY: Final = frozenset(
    {
        "administrator",
        "client",
        "connection",
        "console",
        "credential",
        "import",
        "key",
        "mapping",
        "passkey",
        "receiver",
        "role",
        "run",
        "scim_client",
        "session",
        "set_up_link",
    }
)


def next_number(conn: sa.Connection, tenant_id: str) -> int:
    """The number of the audit entry that is to come. Read it before what is to be checked against it."""
    return int(_NEXT.value(conn, {"tenant": tenant_id}))


def stirred(conn: sa.Connection, tenant_id: str, since: int) -> set[str] | None:
    """The accounts whose records, groups or grants may have changed; None: too many, or it cannot be told who."""
    entries = _ENTRIES.rows(conn, {"tenant": tenant_id, "since": since, "most": MOST + 1})
    if len(entries) > MOST:
        return None
    accounts: set[str] = set()
    moved: set[str] = set()
    for entry in entries:
        kind = entry.action.partition(".")[0]
        if kind == "record" or entry.action in _ABOUT_ONE:
            accounts |= {entry.subject} - {""}
        elif kind == "group":
            members = _moved(entry.facts)
            if members is None:
                return None
            moved |= set(members)
        elif kind not in _NOBODY:
            return None
    for kind in ("User", "Group"):  # whichever they are: a record has no members, and a group no account
        accounts |= set(groups.accounts_of(conn, tenant_id, dict.fromkeys(moved, kind)))
    return accounts


def _moved(facts: dict[str, Any]) -> Sequence[str] | None:
    if not facts.get("moved"):
        return ()
    if "came" not in facts:
        return None
    return [*facts["came"], *facts["gone"]]
