"""Several come at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.identity.writes import (
    RefusedError,
)
from app.store import tables as t
from tests.journeys import agreement

from .people import mapped, one, rows, scim

ROUNDS = 10


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    gate = threading.Barrier(len(acts))

    def act(one: Callable[[], Any]) -> Any:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))


def test_two_first_logins_at_once_make_one_account(engine, tenant, door, saml, lone) -> None:
    for number in range(ROUNDS):
        for source in (saml, lone):
            door_of = [lambda s=source, n=number: door(s, f"p{n}", groups=(f"new {n}",))] * 2
            one_, other = at_once(*door_of)
            assert one_.after.id == other.after.id
    assert len(rows(engine, t.accounts)) == len(rows(engine, t.records)) == len(rows(engine, t.groups)) == 2 * ROUNDS


def test_a_first_login_and_a_scim_post_at_once_make_one_account(engine, tenant, okta, door, saml) -> None:
    for number in range(ROUNDS):
        at_once(lambda n=number: door(saml, f"p{n}"), lambda n=number: one(engine, tenant, scim(okta, f"p{n}")))
    assert (len(rows(engine, t.records)), len(rows(engine, t.accounts))) == (2 * ROUNDS, ROUNDS)
    agreement.check(engine, tenant.id)


def test_two_people_who_name_a_new_group_at_once_make_one_row_and_its_mapping_waits_for_both(
    engine, tenant, door, saml
) -> None:
    for number in range(ROUNDS):
        mapped(engine, tenant, saml, f"new {number}")
        people = at_once(*[lambda p=person, n=number: door(saml, f"{p}{n}", groups=(f"new {n}",)) for person in "ab"])
        assert [outcome.after.roles for outcome in people] == [("instructor",)] * 2
    assert len(rows(engine, t.groups)) == ROUNDS
    [ledger] = rows(engine, t.ledger)
    assert ledger.counts[f"{saml.id}/Group"] == ROUNDS


def test_a_login_beside_a_deactivation_is_refused_or_its_session_is_older(engine, tenant, okta, door, saml) -> None:
    made = one(engine, tenant, scim(okta, "ada"))
    for _ in range(ROUNDS):
        one(engine, tenant, scim(okta, "ada", id=made.record_id))

        def come() -> datetime | None:
            clock = sa.select(sa.func.clock_timestamp())
            try:
                began: datetime = door(saml, "ada", finish=lambda conn, _outcome: conn.execute(clock).scalar_one())
            except RefusedError:
                return None
            return began

        began, _ = at_once(come, lambda: one(engine, tenant, scim(okta, "ada", id=made.record_id, active=False)))
        [account] = rows(engine, t.accounts)
        assert account.status == "inactive"
        assert began is None or began < account.signed_out_at
