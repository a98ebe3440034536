from __future__ import annotations

from dataclasses import replace

from app.identity.changes import Change, diff
from app.identity.model import Lineage, Status

from .people import INSTRUCTOR, LATER, LEARNER, NOW, account, grant

ANNA = account(
    attributes={"title": "Head", "manager": "ada"},
    lineage={"title": Lineage("s", "r", "owner hris", NOW)},
    grants=(grant(LEARNER),),
    manager_id="ada",
    managers={"line": ("ada",)},
)


def test_no_change_is_no_change() -> None:
    assert diff(ANNA, replace(ANNA)) == ()


def test_lineage_version_and_grants_without_effect_are_no_change() -> None:
    other = replace(
        ANNA,
        version=9,
        lineage={"title": Lineage("s2", "r2", "owner idp", LATER)},
        grants=(grant(LEARNER, "mapping:x"), grant(INSTRUCTOR, effective=False)),
    )
    assert diff(ANNA, other) == ()


def test_each_difference_is_told_once_with_before_and_after() -> None:
    other = replace(
        ANNA,
        attributes={"nickName": "Annie", "manager": "bo"},
        status=Status.INACTIVE,
        grants=(grant(INSTRUCTOR, scope="course:y"),),
        manager_id="bo",
        managers={"line": ("bo",), "matrix": ("ada",)},
    )
    assert diff(ANNA, other) == (
        Change("manager", "ada", "bo"),
        Change("managers", {"line": ["ada"]}, {"line": ["bo"], "matrix": ["ada"]}),
        Change("nickName", None, "Annie"),
        Change("roles", {"tenant": ["learner"]}, {"course:y": ["instructor"]}),
        Change("status", "active", "inactive"),
        Change("title", "Head", None),
    )


def test_a_new_account_changes_from_nothing() -> None:
    assert {change.attribute: (change.before, change.after) for change in diff(None, ANNA)} == {
        "affiliation": (None, "employee"),
        "manager": (None, "ada"),
        "managers": (None, {"line": ["ada"]}),
        "roles": (None, {"tenant": ["learner"]}),
        "status": (None, "active"),
        "title": (None, "Head"),
    }
