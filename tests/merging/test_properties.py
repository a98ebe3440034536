"""Whatever people and sources do in whatever order: records, accounts, identifiers, roles, aliases and events agree."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.duplicates import page, tell_apart
from app.identity.model import EMPTY, Account
from app.identity.writes import ByHand, RecordDelete, Rederive, RefusedError, Write
from app.merging import came_with, merge, split
from app.provisioning import provision
from app.store import aliases, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from tests.journeys import agreement
from tests.sync.people import map_title

from .people import hris, rows, scim

NUMBERS = count(1)
small = st.integers(0, 3)
many = st.integers(0, 9)
titles = st.sampled_from(["Coder", "Engineer", "Chief", None])
emails = st.sampled_from([None, "a@x.org", None, "b@x.org"])

OPENING = (
    ("scim", "okta", 0, "Coder", "a@x.org", True),
    ("scim", "okta", 1, None, "a@x.org", True),
    ("scim", "entra", 2, "Engineer", None, True),
    ("hris", 0, "Chief", None, None, True),
    ("hris", 1, "Engineer", None, 0, True),
    ("hris", 2, None, "b@x.org", 1, False),
)
ACTS = {
    "scim": st.tuples(st.sampled_from(["okta", "entra"]), small, titles, emails, st.booleans()),
    "hris": st.tuples(small, titles, emails, st.none() | small, st.booleans()),
    "delete": st.tuples(small),
    "by hand": st.tuples(many, st.sampled_from(["title", "manager", "role", "suspend", "reinstate"]), many),
    "merge": st.tuples(many, many),
    "split": st.tuples(many, st.integers(1, 6), st.sampled_from(["this", "new"])),
    "take back": st.tuples(many),
    "apart": st.tuples(many, many),
}
OFTEN = ("scim", "hris", "merge", "merge", "split")
acts = st.sampled_from([*ACTS, *OFTEN]).flatmap(lambda what: ACTS[what].map(lambda said: (what, *said)))


class World:
    """One tenant of its own, so that examples need no empty tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with writing(engine) as conn:
            self.tenant = tenants.create(conn, f"t{next(NUMBERS)}-{next(NUMBERS)}")
            self.sources = {
                name: tenants.create_source(conn, self.tenant.id, name, kind=kind, system=name)
                for name, kind in (("okta", "idp"), ("entra", "idp"), ("hr", "hris"))
            }
        for title, role in (("Coder", "learner"), ("Engineer", "instructor")):
            map_title(engine, self.tenant.id, title, role)
        self.ids: list[str] = []  # every id that an account ever had

    def act(self, what: str, *said: Any) -> None:
        with suppress(RefusedError, tenants.NotFoundError):
            getattr(self, what.replace(" ", "_"))(*said)
        living = [row.id for row in self.rows(t.accounts)]
        self.ids += [one for one in living if one not in self.ids]

    def rows(self, table: sa.Table, *where: Any) -> list[Any]:
        return rows(self.engine, table, table.c.tenant_id == self.tenant.id, *where)

    def id(self, number: int) -> str:
        if not self.ids:
            raise tenants.NotFoundError
        return self.ids[number % len(self.ids)]

    def write(self, said: Write) -> None:
        provision(self.engine, self.tenant.id, [said], actor="test")

    def scim(self, source: str, name: int, title: str | None, email: str | None, active: bool) -> None:
        known = self.rows(t.records, t.records.c.user_name == f"p{name}", t.records.c.deleted_at.is_(None))
        mine = next((row.id for row in known if row.source_id == self.sources[source].id), None)
        values = {"title": title or EMPTY, "emails.work": email or EMPTY}
        said = scim(self.sources[source], f"p{name}", id=mine, active=active, **values)
        self.write(_plain(said))

    def hris(self, number: int, title: str | None, email: str | None, manager: int | None, active: bool) -> None:
        led = None if manager is None else f"e{manager}"
        values = {"title": title or EMPTY, "emails.work": email or EMPTY}
        self.write(_plain(hris(self.sources["hr"], f"e{number}", active=active, manager=led, **values)))

    def delete(self, number: int) -> None:
        living = self.rows(t.records, t.records.c.deleted_at.is_(None), t.records.c.source_key.is_(None))
        if living:
            row = living[number % len(living)]
            self.write(RecordDelete(row.source_id, row.id))

    def by_hand(self, number: int, what: str, other: int) -> None:
        said: dict[str, dict[str, Any]] = {
            "title": {"values": {"title": "Chief"}},
            "manager": {"values": {"manager": self.living(other)}},
            "role": {"given": frozenset({("manager", "tenant")})},
            "suspend": {"suspended": True},
            "reinstate": {"suspended": False},
        }
        self.write(ByHand(self.living(number), **said[what]))

    def living(self, number: int) -> str:
        with reading(self.engine) as conn:
            return aliases.resolve(conn, self.tenant.id, self.id(number))

    def merge(self, one: int, other: int) -> None:
        merge(self.engine, self.tenant.id, self.id(one), self.id(other), actor="test")

    def split(self, number: int, chosen: int, keeps_id: Any) -> None:
        id = self.living(number)
        mine = sorted(row.id for row in self.rows(t.records, t.records.c.account_id == id))
        some = [record for place, record in enumerate(mine) if chosen >> place & 1]
        split(self.engine, self.tenant.id, id, some, keeps_id=keeps_id, actor="test")

    def take_back(self, number: int) -> None:
        for alias in came_with(self.engine, self.tenant.id, self.id(number))[:1]:
            split(self.engine, self.tenant.id, alias.account_id, alias.records, actor="test")

    def apart(self, one: int, other: int) -> None:
        tell_apart(self.engine, self.tenant.id, self.id(one), self.id(other), actor="test")

    def check(self) -> None:
        agreement.check(self.engine, self.tenant.id)
        living = {row.id for row in self.rows(t.accounts)}
        with reading(self.engine) as conn:
            assert {aliases.resolve(conn, self.tenant.id, one) for one in self.ids} == living
        for pair in page(self.engine, self.tenant.id, decided=False).pairs:
            assert pair.doubt is not None
            assert {pair.doubt.one, pair.doubt.other} <= living
            assert not pair.told_apart
        for row in self.rows(t.accounts):
            assert {row.manager_id, *(one for ids in row.managers.values() for one in ids)} - {None} <= living
        for one in provision(self.engine, self.tenant.id, [Rederive(one) for one in sorted(living)], actor="test"):
            assert one.before is not None
            assert _derived(one.before) == _derived(one.after)
            # Whose manager was refused, as he would have led himself, has him once that circle is open.
            assert one.before.manager_id in (None, one.after.manager_id)


def _plain(said: Any) -> Any:
    """Documents are JSON."""
    said.document["said"] = {name: None if value is EMPTY else value for name, value in said.document["said"].items()}
    return said


def _derived(account: Account) -> Any:
    attributes = {name: value for name, value in account.attributes.items() if name != "manager"}
    return (attributes, account.grants, account.status, account.affiliation)


@pytest.fixture(scope="module")
def one_engine(shared_engine: sa.Engine) -> sa.Engine:
    return shared_engine


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(acts, min_size=4, max_size=16))
def test_everything_agrees_whatever_happened(one_engine: sa.Engine, said: list[Any]) -> None:
    world = World(one_engine)
    for what, *rest in (*OPENING, *said):
        world.act(what, *rest)
    world.check()
