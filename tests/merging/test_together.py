"""Merging while others write the same people: nothing is lost, and whoever has to wait comes to an end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest
import sqlalchemy as sa

from app.grouping import Grouping, GroupSpoken, Membership
from app.identity.writes import BusyError
from app.merging import NotMergedError, came_with, merge, split
from app.store import tables as t
from app.store.tenants import SourceRow, Tenant
from tests.journeys import agreement

from .people import hris, rows, scim, write

ROUNDS = 6


def patiently(act: Callable[[], Any]) -> Any:
    """As a client does that is told to try again."""
    for _ in range(50):
        try:
            return act()
        except BusyError:
            continue
    raise AssertionError("it never ended")


@pytest.fixture
def two(engine: sa.Engine, okta: SourceRow, hr: SourceRow) -> Any:
    return write(engine, okta, scim(okta, "ada")), write(engine, hr, hris(hr, "E1"))


def test_a_merge_and_its_undoing_lose_no_write(engine, tenant: Tenant, okta, hr, two) -> None:
    keep, away = two
    start, over = Barrier(4), Event()

    def scim_writes() -> int:
        start.wait()
        number = 0
        while not over.is_set() or not number:
            number += 1
            patiently(partial(write, engine, okta, scim(okta, "ada", id=keep.record_id, nickName=f"n{number}")))
        return number

    def hr_writes() -> int:
        start.wait()
        number = 0
        while not over.is_set() or not number:
            number += 1
            patiently(partial(write, engine, hr, hris(hr, "E1", title=f"t{number}")))
        return number

    def reports() -> int:
        start.wait()
        number = 0
        while not over.is_set() or not number:
            number += 1
            patiently(partial(write, engine, hr, hris(hr, f"R{number}", manager="E1")))
        return number

    def decide() -> None:
        start.wait()
        try:
            for _ in range(ROUNDS):
                kept = rows(engine, t.records, t.records.c.id == keep.record_id)[0].account_id
                gone = rows(engine, t.records, t.records.c.id == away.record_id)[0].account_id
                patiently(partial(merge, engine, tenant.id, kept, gone, actor="admin"))
                latest = came_with(engine, tenant.id, kept)[0]
                patiently(partial(split, engine, tenant.id, kept, latest.records, actor="admin"))
        finally:
            over.set()

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(one) for one in (scim_writes, hr_writes, reports)]
        pool.submit(decide).result(timeout=120)
        said, told, led = (one.result(timeout=60) for one in running)
    found = {row.id: row for row in rows(engine, t.accounts)}
    ada = found[rows(engine, t.records, t.records.c.id == keep.record_id)[0].account_id]
    boss = found[rows(engine, t.records, t.records.c.id == away.record_id)[0].account_id]
    assert ada.id != boss.id
    assert (ada.attributes["nickName"], boss.attributes["title"]) == (f"n{said}", f"t{told}")
    assert [row.manager_id for row in found.values() if row.attributes.get("employeeNumber", "").startswith("R")] == [
        boss.id
    ] * led
    agreement.check(engine, tenant.id)


def test_groups_follow_the_person_who_is_merged_meanwhile(engine, tenant: Tenant, okta, hr, two) -> None:
    keep, away = two
    groups = Grouping(engine, tenant.id, okta.id, "test")
    made = [groups.create(GroupSpoken({"displayName": f"G{number}"}, {})) for number in range(8)]
    start = Barrier(2)

    def join() -> None:
        start.wait()
        for id in made:
            patiently(partial(groups.write, id, None, Membership(add={keep.record_id: None}), None))

    def decide() -> str:
        start.wait()
        return str(patiently(lambda: merge(engine, tenant.id, away.after.id, keep.after.id, actor="admin")).account.id)

    with ThreadPoolExecutor(2) as pool:
        joined, merged = pool.submit(join), pool.submit(decide)
        joined.result(timeout=60)
        assert merged.result(timeout=60) == away.after.id
    assert len(rows(engine, t.members, t.members.c.member_id == keep.record_id)) == len(made)
    agreement.check(engine, tenant.id)


def test_two_administrators_merge_crosswise_and_one_of_them_is_told(engine, tenant: Tenant, two) -> None:
    one, other = (done.after.id for done in two)
    start = Barrier(2)

    def decide(keep: str, away: str) -> str:
        start.wait()
        try:
            return str(patiently(lambda: merge(engine, tenant.id, keep, away, actor="admin")).account.id)
        except NotMergedError as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(decide, one, other), pool.submit(decide, other, one)]
        ended = sorted(each.result(timeout=60) for each in done)
    assert "same" in ended
    assert [row.id for row in rows(engine, t.accounts)] == [id for id in ended if id != "same"]
    agreement.check(engine, tenant.id)
