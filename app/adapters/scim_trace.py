"""One SCIM request as it can be followed: what it did to the resource, and what then became of the account.

log's row ─▶ effect: attributes before and after, members, status and roles (kept with the request, masked)
    └─ accounts, actor, moment ─▶ audit entries ─▶ values before and after of each account
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.adapters import masking
from app.adapters.registries import registry_of
from app.adapters.scim_effects import words
from app.store import schemas, scim_requests, scim_traces

MOST_ACCOUNTS: Final = 20
SLACK: Final = timedelta(milliseconds=50)  # an entry's time is taken while the request is under way
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One resource: `before` and `after` hold what differs. `members` says who came and went, by record id."""

    kind: str
    id: str
    did: str
    before: Values
    after: Values
    match: str | None = None
    added: int = 0
    removed: int = 0
    members: Sequence[str] = ()
    run: str | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class AccountChange:
    """One account. `name` is None when it is gone; `entries` are the audit's numbers."""

    id: str
    name: str | None
    before: Values
    after: Values
    entries: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """A request with all that is known of it. `row` is the log's; `account_id` whose resource the path names."""

    row: Mapping[str, Any]
    words: str
    changes: Sequence[Change] = ()
    accounts: Sequence[AccountChange] = ()
    account_id: str | None = None
    refusals: Sequence[Mapping[str, str]] = field(default=())


def trace(conn: sa.Connection, tenant_id: str, request_id: str) -> Trace | None:
    """The request of that id; None when the log has none. At most six statements."""
    row = scim_requests.one(conn, tenant_id, request_id) if _UUID.fullmatch(request_id) else None
    if row is None:
        return None
    effect: Mapping[str, Any] = row["effect"]
    told = words(effect, row["method"], row["status"])
    refusals = effect.get("operations", {}).get("refusals", ())
    account = _account_of(conn, tenant_id, row)
    named = list(dict.fromkeys(_accounts(effect)))[:MOST_ACCOUNTS]
    if not named:
        return Trace(row, told, [_change(one) for one in effect.get("changes", ())], (), account, refusals)
    began = row["at"] - timedelta(milliseconds=row["milliseconds"]) - SLACK
    found = scim_traces.entries(conn, tenant_id, f"scim:{row['source']}", named, began, row["at"] + SLACK)
    names = scim_traces.people(conn, tenant_id, named)
    with masking.hiding(registry_of(schemas.listing(conn, tenant_id)).hidden):
        made = {str(one.facts.get("record")): _flat(one.personal) for one in found if one.action == "record.created"}
        changes = [_change(one, made.get(one["id"], {})) for one in effect["changes"]]
        accounts = [_account_change(one, names.get(one), found, _told(effect, one)) for one in named]
    return Trace(row, told, changes, accounts, account or (named[0] if len(named) == 1 else None), refusals)


def _account_of(conn: sa.Connection, tenant_id: str, row: Mapping[str, Any]) -> str | None:
    """Whose resource the request names; of a creation that was refused, who has that userName."""
    id = str(row["resource_id"] or "").lower()
    if row["kind"] != "User":
        return None
    if _UUID.fullmatch(id):
        return scim_traces.account_of(conn, tenant_id, id)
    if row["resource_name"] is not None:
        return scim_traces.account_named(conn, tenant_id, row["source_id"], row["resource_name"])
    return None


def _accounts(effect: Mapping[str, Any]) -> Iterator[str]:
    for change in effect.get("changes", ()):
        if "account" in change:
            yield change["account"]["id"]
        for account in change.get("accounts", ()):
            yield account["id"]


def _told(effect: Mapping[str, Any], account_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the log itself keeps of an account: status and roles, without the values of the rest."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for change in effect.get("changes", ()):
        for one in (change.get("account"), *change.get("accounts", ())):
            if one is None or one["id"] != account_id:
                continue
            if "status" in one:
                before["status"], after["status"] = one["status"]
            for role in one.get("rolesLost", ()):
                before[f"role {role}"] = "held"
            for role in one.get("rolesGained", ()):
                after[f"role {role}"] = "held"
    return {name: value for name, value in before.items() if value is not None}, after


def _change(change: Mapping[str, Any], made: Values | None = None) -> Change:
    pairs: Mapping[str, Sequence[Any]] = change.get("attributes", {})
    before = {_short(name): old for name, (old, _) in pairs.items() if old is not None}
    after = {_short(name): new for name, (_, new) in pairs.items() if new is not None}
    return Change(
        change["kind"],
        change["id"],
        change["did"],
        before,
        after or dict(made or {}),
        change.get("match"),
        change.get("added", 0),
        change.get("removed", 0),
        [*change.get("addedIds", ()), *change.get("removedIds", ())],
        change.get("run"),
        change.get("held", False),
    )


def _account_change(
    id: str, name: str | None, entries: Sequence[Any], told: tuple[dict[str, Any], dict[str, Any]]
) -> AccountChange:
    mine = [one for one in entries if one.subject == id and one.action.startswith("account.")]
    before, after = told if not mine else ({}, {})
    for one in mine:
        for attribute, (old, new) in (one.personal or {}).items():
            # Masked under its name, so that an attribute called a secret stays one.
            if old is not None:
                before.setdefault(attribute, masking.value({attribute: old})[attribute])
            if new is not None:
                after[attribute] = masking.value({attribute: new})[attribute]
            else:
                after.pop(attribute, None)
    return AccountChange(id, name, before, after, [one.number for one in mine])


def _flat(personal: Mapping[str, Any] | None) -> dict[str, Any]:
    """The document that was made, an attribute a line."""
    document = masking.value((personal or {}).get("document") or {})
    shown: dict[str, Any] = {}
    for name, value in document.items():
        if name == "schemas":
            continue
        if isinstance(value, Mapping):
            shown |= {
                f"{_short(name)}.{inner}" if not name.startswith("urn:") else inner: one for inner, one in value.items()
            }
        else:
            shown[name] = value
    return shown


def _short(name: str) -> str:
    return name.rpartition(":")[2] if name.startswith("urn:") else name
