"""What a SCIM request did, as data to be kept and in words to be read. Pure: from the write door's outcomes.

outcomes ─▶ data(…)  {"changes": [{"kind": "User", "did": "updated", "attributes": {"title": ["A", "B"]}, …}]}
data ─▶ words(…)     user updated; title: "A" → "B"; account: active → inactive, lost instructor
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.adapters.masking import value as masked
from app.adapters.scim_notes import Effect, Ignored, Note, Read
from app.identity.changes import diff, effective_roles
from app.identity.model import Account
from app.identity.writes import GroupOutcome, Outcome, RecordDelete, RecordWrite
from scim.filters import And, Compare, Filter, Not, Or, ValuePath

MOST_LISTED: Final = 20

Data = dict[str, Any]


def data(note: Note) -> Data:
    """The effects of one request as JSON; empty when it changed and found nothing."""
    found: Data = {}
    for effect in note.effects:
        if isinstance(effect, Read):
            found["read"] = _read(effect)
        elif isinstance(effect, Ignored):
            ignored = [*found.get("ignored", ()), *effect.paths][:MOST_LISTED]
            found["ignored"] = masked(ignored)
        elif (change := _change(effect)) is not None:
            found.setdefault("changes", []).append(change)
    if note.more:
        found["more"] = note.more
    return found


def words(effect: Mapping[str, Any], method: str, status: int) -> str:
    """The effect in one line, for a person. 202 answers a request that is carried out later (RFC 9967 §2.5.1)."""
    if status == 202:
        return "kept, to be carried out later"
    said = [text for change in effect.get("changes", ()) for text in _change_words(change)]
    if "operations" in effect:
        said.insert(0, _bulk_words(effect["operations"]))
    if "read" in effect:
        read = effect["read"]
        where = f" where {read['filter']}" if "filter" in read else ""
        said.append(f"{read['results']} of {' and '.join(read['kinds'])} found{where}")
    if "more" in effect:
        said.append(f"and {effect['more']} more changes")
    if not said:
        said.append("refused" if status >= 400 else "read" if method in ("GET", "HEAD") else "nothing changed")
    if "ignored" in effect:
        said.append(f"not understood: {', '.join(effect['ignored'])}")
    return "; ".join(said)


def shape(found: Filter) -> str:
    """A filter without its values: ``userName eq … and active eq …``."""
    if isinstance(found, Compare):
        return f"{found.path.name} pr" if found.operator == "pr" else f"{found.path.name} {found.operator} …"
    if isinstance(found, Not):
        return f"not ({shape(found.term)})"
    if isinstance(found, ValuePath):
        return f"{found.path.name}[{shape(found.term)}]"
    joint = " and " if isinstance(found, And) else " or "
    return joint.join(f"({shape(term)})" if isinstance(term, (And, Or)) else shape(term) for term in found.terms)


def _read(read: Read) -> Data:
    shown: Data = {"kinds": [f"{kind}s" for kind in read.kinds], "results": read.total}
    if read.filter is not None:
        shown["filter"] = shape(read.filter)
    return shown


def _change(effect: Effect) -> Data | None:
    if isinstance(effect, Outcome):
        return _user(effect)
    return _group(effect) if isinstance(effect, GroupOutcome) else None


def _user(outcome: Outcome) -> Data | None:
    if not outcome.changed:
        return None
    write, before = outcome.write, outcome.said_before
    shown: Data = {"kind": "User", "id": outcome.record_id}
    if isinstance(write, RecordDelete):
        shown["did"] = "deleted"
    elif isinstance(write, RecordWrite) and write.record_id is None:
        shown |= {"did": "created", "match": outcome.rule}
    else:
        shown["did"] = "updated"
        if isinstance(write, RecordWrite) and before is not None:
            shown["attributes"] = _differences(before, write.document)
    shown["account"] = _account(outcome.before, outcome.after)
    return shown


def _group(outcome: GroupOutcome) -> Data:
    shown: Data = {"kind": "Group", "id": outcome.group_id, "did": outcome.action}
    if outcome.before is not None and outcome.after is not None:
        shown["attributes"] = _differences(outcome.before, outcome.after)
    for name, ids in (("added", outcome.came), ("removed", outcome.gone)):
        if ids:
            shown[name] = len(ids)
            shown[f"{name}Ids"] = list(ids[:MOST_LISTED])
    changed = [_account(before, after) for before, after in outcome.accounts if before != after]
    told = [one for one in changed if len(one) > 1]
    if told:
        shown |= {"accounts": told[:MOST_LISTED], "accountsChanged": len(told)}
    if outcome.run is not None:
        shown |= {"run": outcome.run, "held": outcome.held}
    return shown


def _account(before: Account | None, after: Account) -> Data:
    """Status, roles, and the names of all that changed: values stand in the audit."""
    shown: Data = {"id": after.id}
    if before is None:
        shown |= {"new": True, "status": [None, str(after.status)]}
        if gained := _flat_roles(effective_roles(after.grants)):
            shown["rolesGained"] = sorted(gained)
        return shown
    changes = {change.attribute: change for change in diff(before, after)}
    status = changes.pop("status", None)
    if status is not None:
        shown["status"] = [status.before, status.after]
    roles = changes.pop("roles", None)
    if roles is not None:
        old, new = _flat_roles(roles.before), _flat_roles(roles.after)
        for name, which in (("rolesGained", new - old), ("rolesLost", old - new)):
            if which:
                shown[name] = sorted(which)
    if changes:
        shown["changed"] = sorted(changes)
    return shown


def _flat_roles(scopes: Mapping[str, Sequence[str]] | None) -> set[str]:
    return {
        role if scope == "tenant" else f"{role} ({scope})" for scope, roles in (scopes or {}).items() for role in roles
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Data:
    tops = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name) and name != "schemas"]
    old, new = (dict(_flat({name: one[name] for name in tops if name in one})) for one in (before, after))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    # Masked under its name, so that a custom attribute called a secret stays one.
    return {
        name: [masked({name: old.get(name)})[name], masked({name: new.get(name)})[name]]
        for name in names[: 2 * MOST_LISTED]
    }


def _flat(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            joint = ":" if name.startswith("urn:") else "."
            yield from ((f"{name}{joint}{inner}", one) for inner, one in _flat(value))
        else:
            yield name, value


def _change_words(change: Mapping[str, Any]) -> Iterator[str]:
    yield f"{change['kind'].lower()} {change['did']}"
    for name, (old, new) in change.get("attributes", {}).items():
        yield f"{name.rpartition(':')[2]}: {_said(old)} → {_said(new)}"
    for name in ("added", "removed"):
        if name in change:
            yield f"{change[name]} {'member' if change[name] == 1 else 'members'} {name}"
    if "account" in change:
        yield from _account_words(change["account"])
    if "accountsChanged" in change:
        yield f"{change['accountsChanged']} accounts changed"
        for account in change["accounts"]:
            yield from _account_words(account)
    if "run" in change:
        yield f"roles {'wait for a yes' if change['held'] else 'follow'} in run {change['run']}"


def _account_words(account: Mapping[str, Any]) -> Iterator[str]:
    parts = ["new"] if account.get("new") else []
    if "status" in account:
        old, new = account["status"]
        parts.append(f"{new}" if old is None else f"{old} → {new}")
    for name, verb in (("rolesGained", "gained"), ("rolesLost", "lost")):
        if name in account:
            parts.append(f"{verb} {', '.join(account[name])}")
    if "changed" in account:
        parts.append(f"changed {', '.join(account['changed'])}")
    if parts:
        yield f"account {account['id']}: {', '.join(parts)}"


def _bulk_words(operations: Mapping[str, Any]) -> str:
    failed = f", {operations['failed']} refused" if operations["failed"] else ""
    return f"{operations['total']} {'operation' if operations['total'] == 1 else 'operations'}{failed}"


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
