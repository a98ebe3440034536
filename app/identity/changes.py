"""What is different about an account, as its readers see it: lineage and rules that lead to the same are no change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.identity.model import Account, Grant


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `before` and `after` are JSON values; None where there is or was nothing."""

    attribute: str
    before: Any
    after: Any


def diff(before: Account | None, after: Account) -> tuple[Change, ...]:
    """All differences, sorted by name; `before` None: a new account.

    Names are those of attributes, and affiliation, manager (account id), managers (account ids by kind), roles (as
    `effective_roles` gives them) and status.
    """
    old = {} if before is None else _seen(before)
    new = _seen(after)
    names = [name for name, value in new.items() if value != old.get(name)]
    names += [name for name, value in old.items() if value is not None and name not in new]
    return tuple(Change(name, old.get(name), new.get(name)) for name in sorted(names))


def effective_roles(grants: Iterable[Grant]) -> dict[str, list[str]]:
    """Scope -> role names, both sorted."""
    roles: dict[str, set[str]] = {}
    for grant in grants:
        if grant.effective:
            roles.setdefault(grant.scope, set()).add(grant.role)
    return {scope: sorted(roles[scope]) for scope in sorted(roles)}


def _seen(account: Account) -> dict[str, Any]:
    return {
        **account.attributes,
        "affiliation": str(account.affiliation),
        "manager": account.manager_id,
        "managers": _listed(account.managers),
        "roles": effective_roles(account.grants) or None,
        "status": str(account.status),
    }


def _listed(managers: Mapping[str, Sequence[str]]) -> dict[str, list[str]] | None:
    return {kind: list(ids) for kind, ids in sorted(managers.items())} or None


def changed_paths(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The attributes in which two documents differ, as SCIM paths: `title`, `name.givenName`, `urn:…:User:department`.

    `schemas` is left out: it follows from the others.
    """
    paths: list[str] = []
    differing = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    for name in sorted(differing):
        if name == "schemas":
            continue
        old, new = before.get(name), after.get(name)
        olds, news = old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}
        if not (olds or news):
            paths.append(name)
        elif ":" in name:
            paths += [f"{name}:{inner}" for inner in changed_paths(olds, news)]
        else:
            paths += [f"{name}.{inner}" for inner in changed_paths(olds, news)]
    return paths
