"""Whose word counts: the table attribute × sources, and one line of it in an order of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.rendering import Refused, arg, back, field, fields, page
from app.console.sources import words
from app.console.visit import Visit
from app.identity.attributes import PER_TYPE, default_ownership, is_known
from app.identity.model import OwnershipRule, Rules, SourceKind
from app.identity.ownership import ownership_of
from app.store import rules as rulebook
from app.store.engine import reading
from app.sync import rules
from app.sync.rule_changes import Owners

MOST_COLUMNS: Final = 12
MODES: Final = (("update", "May update"), ("create", "First value only"), ("none", "Does not speak"))


@dataclass(frozen=True, slots=True)
class Owner:
    """A row of the form. `about` says what an entry stands for; `mode` is update, create or none."""

    name: str
    about: str
    mode: str


def table(desk: Desk, visit: Visit) -> Response:
    """The whole table; a column a source."""
    known = _rules(desk, visit)
    columns = sorted((one for one in known.sources.values() if not one.retired), key=lambda one: one.name)
    own = default_ownership()
    rows = []
    for name, rule in sorted(known.ownership.items()):
        cells = [(words.place(one, rule.owners), words.place(one, rule.create_only)) for one in columns[:MOST_COLUMNS]]
        rows.append((name, rule, own.get(name) != rule, cells))
    return page(
        "sources/ownership.html",
        rows=rows,
        columns=columns[:MOST_COLUMNS],
        hidden=max(0, len(columns) - MOST_COLUMNS),
        kinds=words.KINDS,
        families=PER_TYPE,
    )


def of_type(desk: Desk, visit: Visit) -> Response:
    """On to the line of one type of address: emails.home."""
    attribute = f"{arg('family')}.{arg('type')}"
    if not is_known(attribute) or not arg("type").isalnum():
        return back("/admin/sources/ownership", "Name the type in one word, like home or mobile.", "warning")
    return back(f"/admin/sources/ownership/{attribute}")


def edit(desk: Desk, visit: Visit, attribute: str) -> Response:
    """The order of one attribute's owners."""
    known = _rules(desk, visit)
    rule = _rule(attribute, known)
    return _form(attribute, known, owners_of(rule, known))


def propose(desk: Desk, visit: Visit, attribute: str) -> Response:
    """Show whom the order would change; without scripts also: move one row, and show the form again."""
    known = _rules(desk, visit)
    _rule(attribute, known)
    if field("reset"):
        return _proposed(desk, visit, Owners(attribute))
    rows = _sent(known)
    move = field("move")
    if move:
        return _form(attribute, known, moved(rows, move))
    updating = tuple(one.name for one in rows if one.mode == "update")
    if not updating:
        return _form(attribute, known, rows, "At least one must be allowed to update it.", 422)
    return _proposed(desk, visit, Owners(attribute, updating, tuple(one.name for one in rows if one.mode == "create")))


def owners_of(rule: OwnershipRule, known: Rules) -> list[Owner]:
    """All who could own it: those of the rule in its order, then the others."""
    about = _about(known)
    first = [Owner(name, about.get(name, "gone"), "update") for name in rule.owners if name not in rule.create_only]
    then = [Owner(name, about.get(name, "gone"), "create") for name in rule.create_only]
    named = {one.name for one in (*first, *then)}
    return [*first, *then, *(Owner(name, said, "none") for name, said in about.items() if name not in named)]


def moved(rows: Sequence[Owner], move: str) -> list[Owner]:
    """The rows with one of them a place up or down: ``up:hris``."""
    way, _, name = move.partition(":")
    order = list(rows)
    places = [place for place, one in enumerate(order) if one.name == name]
    if not places:
        return order
    target = places[0] + (-1 if way == "up" else 1)
    if 0 <= target < len(order):
        order[places[0]], order[target] = order[target], order[places[0]]
    return order


def _proposed(desk: Desk, visit: Visit, change: Owners) -> Response:
    try:
        run = rules.propose(desk.engine, visit.tenant_id, change, actor=visit.actor)
    except rules.RuleError as error:
        raise Refused(409, f"{error}".capitalize()) from error
    return back(f"/admin/runs/{run}")


def _sent(known: Rules) -> list[Owner]:
    about = _about(known)
    rows: dict[str, Owner] = {}
    for name in fields("owner"):
        mode = field(f"mode-{name}")
        if name in about and name not in rows:
            rows[name] = Owner(name, about[name], mode if mode in dict(MODES) else "none")
    return [*rows.values(), *(Owner(name, said, "none") for name, said in about.items() if name not in rows)]


def _about(known: Rules) -> dict[str, str]:
    kinds = {kind.value: f"every {words.KINDS[kind.value]}" for kind in SourceKind}
    sources = sorted(known.sources.values(), key=lambda one: (one.retired, one.name))
    return {**kinds, **{one.name: f"{words.KINDS[str(one.kind)]}, {one.system}" for one in sources}}


def _rules(desk: Desk, visit: Visit) -> Rules:
    with reading(desk.engine) as conn:
        return rulebook.current(conn, visit.tenant_id)


def _rule(attribute: str, known: Rules) -> OwnershipRule:
    if attribute not in default_ownership() and not is_known(attribute):
        raise Refused(404, "No account has an attribute of this name.", "Nothing here")
    return ownership_of(attribute, known)


def _form(attribute: str, known: Rules, rows: Sequence[Owner], error: str = "", status: int = 200) -> Response:
    own = default_ownership().get(attribute)
    return page(
        "sources/owners.html",
        status,
        attribute=attribute,
        owners=rows,
        modes=MODES,
        error=error,
        builtin=own,
        changed=attribute in known.ownership and known.ownership[attribute] != own,
    )
