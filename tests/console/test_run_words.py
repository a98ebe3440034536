"""Runs in words."""

from __future__ import annotations

from app.console.runs import words
from app.store.plans import PlanLine

ADA, BOSS = "01a22b2a-4356-77ac-b463-481ce8fc8d80", "01a22b2a-4341-72c5-a4ec-69bda919be7c"


def line(**payload: object) -> PlanLine:
    return PlanLine(1, payload, "updated", None)


def test_managers_are_called_by_their_names() -> None:
    changed = line(account=ADA, changes=[["manager", BOSS, None], ["managers", {"line": [BOSS]}, {}]])
    assert words.people_in(changed) == {ADA, BOSS}
    seen = words.seen(changed, {ADA: "Ada", BOSS: "The Boss"}, {})
    assert seen.name == "Ada"
    assert seen.changes == (("manager", "The Boss", "nothing"), ("managers", "line: The Boss", "nothing"))


def test_a_line_with_a_name_asks_for_nobody() -> None:
    assert words.people_in(line(account=ADA, name="Ada", changes=[["title", "Clerk", "Chief"]])) == set()
