from __future__ import annotations

from dataclasses import replace

import pytest

from app.identity.guards import GuardPolicy, judge, keep_last_administrator, removes_last_administrator
from app.identity.model import Grant, Status
from app.identity.roles import administers

from .people import ADMIN, INSTRUCTOR, LEARNER, account, grant, rules

BOSS = account("boss", grants=(grant(ADMIN, "mapping:m"), grant(LEARNER, effective=False)))


@pytest.mark.parametrize(
    ("losses", "population", "held"),
    [
        (0, 0, False),
        (5, 10, False),
        (6, 10, True),
        (100, 1000, False),
        (101, 1000, True),
        (6, 0, True),
        (30, 100, True),
    ],
)
def test_a_mass_leave_is_held_and_a_few_leavers_are_not(losses: int, population: int, held: bool) -> None:
    verdict = judge(losses, population)
    assert verdict.held is held
    assert str(losses) in verdict.reason


def test_a_tenant_sets_its_own_threshold() -> None:
    assert judge(3, 100, GuardPolicy(share=0.02, floor=1)).held
    assert not judge(2, 100, GuardPolicy(share=0.02, floor=1)).held


@pytest.mark.parametrize(
    ("administrators", "losing", "last"),
    [({"a", "b"}, {"a"}, False), ({"a", "b"}, {"b", "a", "c"}, True), (set(), {"a"}, False), ({"a"}, set(), False)],
)
def test_the_last_administrator_is_noticed(administrators: set[str], losing: set[str], last: bool) -> None:
    assert removes_last_administrator(administrators, losing) is last


def test_the_last_administrator_cannot_be_removed_by_a_mapping() -> None:
    kept = keep_last_administrator(BOSS, replace(BOSS, grants=(grant(INSTRUCTOR, "mapping:i"),)), rules())
    assert administers(kept, rules())
    assert kept.grants == (
        Grant("admin", "tenant", "kept:last administrator", True),
        Grant("instructor", "tenant", "mapping:i", False),
    )


def test_keeping_twice_is_keeping_once() -> None:
    after = replace(BOSS, grants=())
    once = keep_last_administrator(BOSS, after, rules())
    assert keep_last_administrator(once, after, rules()) == once
    assert keep_last_administrator(BOSS, once, rules()) == once


def test_whoever_leaves_or_never_administered_keeps_nothing() -> None:
    left = replace(BOSS, status=Status.INACTIVE, grants=())
    assert keep_last_administrator(BOSS, left, rules()) is left
    learner = account(grants=(grant(LEARNER),))
    assert keep_last_administrator(learner, replace(learner, grants=()), rules()).grants == ()


def test_an_administrator_who_stays_one_is_left_alone() -> None:
    after = replace(BOSS, grants=(grant(ADMIN, "mapping:other"),))
    assert keep_last_administrator(BOSS, after, rules()) is after
