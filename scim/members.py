"""Members of a group, as requests speak of them: never a list in a document, always a change (`MemberChange`).

`MemberFold` takes the operations of one PATCH in order and folds them into a single change, so that nobody has to
read the members that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from scim import dialects
from scim.errors import InvalidSyntax, InvalidValue, NoTarget
from scim.filters import Compare, Filter, Or
from scim.matching import matches
from scim.store import Kind, Member, MemberChange

Present = Callable[[], Iterable[Member]]


def read_members(value: Any) -> Iterator[Member]:
    """Members from a list, one object or a bare id; null and empty say: none.

    Errors: `InvalidValue`, `InvalidSyntax`.
    """
    if value in (None, "", {}):
        return
    for element in dialects.elements(value):
        if element not in (None, "", {}):
            yield _member(element)


def _member(element: Any) -> Member:
    if isinstance(element, str):
        return Member(element)
    if not isinstance(element, dict):
        raise InvalidValue("members must be objects with a value.")
    folded = {key.lower(): held for key, held in element.items()}
    if len(folded) != len(element):
        raise InvalidSyntax("A member names one attribute twice.")
    id, kind, display = dialects.text(folded.get("value")), folded.get("type"), dialects.member_display(folded)
    if not isinstance(id, str) or not id:
        raise InvalidValue("Each member needs a value: the id of a user or a group.")
    named = kind.capitalize() if isinstance(kind, str) else None
    if named not in (None, "", "User", "Group", "Direct", "Indirect"):
        raise InvalidValue("A member's type is User or Group.")
    known = cast("Kind | None", named if named in ("User", "Group") else None)
    return Member(id, known, display if isinstance(display, str) else None)


class MemberFold:
    """Operations on members in their order, folded into replace, remove and add."""

    def __init__(self, present: Present | None = None) -> None:
        self._present = present
        self._replaced: dict[str, Member] | None = None
        self._added: dict[str, Member] = {}
        self._removed: dict[str, None] = {}

    def add(self, members: Iterable[Member]) -> None:
        for member in members:
            self._removed.pop(member.id, None)
            (self._added if self._replaced is None else self._replaced)[member.id] = member

    def remove(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._added.pop(id, None)
            if self._replaced is None:
                self._removed[id] = None
            else:
                self._replaced.pop(id, None)

    def replace(self, members: Iterable[Member]) -> None:
        self._replaced = {member.id: member for member in members}
        self._added.clear()
        self._removed.clear()

    def chosen(self, where: Filter) -> Sequence[str]:
        """The ids that the filter in `members[…]` names: itself when it says `value eq`, else among those present."""
        named = _named(where)
        if named is not None:
            return named
        return [member.id for member in self._current() if matches(where, _document(member))]

    def change(self) -> MemberChange:
        if self._replaced is not None:
            return MemberChange(replace=tuple(self._replaced.values()))
        return MemberChange(add=tuple(self._added.values()), remove=tuple(self._removed))

    def _current(self) -> Iterable[Member]:
        if self._replaced is not None:
            return self._replaced.values()
        if self._present is None:
            raise NoTarget("Members can only be chosen by their value here.")
        there = {member.id: member for member in self._present() if member.id not in self._removed}
        return (there | self._added).values()


def _named(where: Filter) -> list[str] | None:
    """The ids of `value eq "a"` and of `value eq "a" or value eq "b"`; None for any other filter."""
    terms = where.terms if isinstance(where, Or) else (where,)
    ids = [
        term.value
        for term in terms
        if isinstance(term, Compare)
        and term.operator == "eq"
        and isinstance(term.value, str)
        and term.path.attribute
        and term.path.attribute.name == "value"
    ]
    return ids if len(ids) == len(terms) else None


def _document(member: Member) -> dict[str, Any]:
    return {"value": member.id, "type": member.type, "display": member.display}
