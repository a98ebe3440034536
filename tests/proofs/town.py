"""Random resources, put in through the SCIM door: people and groups of one client, with strangers that look the same.

Random(seed) ─▶ documents ─▶ POST ─▶ Town: what a GET answers, by id        Pick: a literal taken from the town
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters.doorkeeper import Doorkeeper
from app.store import credentials, tenants
from app.store import tables as t
from app.store.engine import writing
from scim.routes import blueprint
from scim.store import Limits
from tests.proofs import definition as d

BASE: Final = "/scim/v2"
# Few, so that values are often equal, each with a trap: case, foldings that change the length, signs of LIKE and JSON.
WORDS: Final = ["a", "A", "ab", "Ab%", "_", "%", "b\\", 'q"', "a b", "a\tb", "[", "]", "(", "and"]
WORDS += ["null", "true", "True", "1", "-1", "10", "9", "É", "e\u0301", "é", "ß", "SS", "ss", "İ", "i\u0307", "ı", "I"]
WORDS += ["ς", "Σ", "😀", "ﬀ", "K", "ŉ", "\u202e"]
EASY: Final = ["Ann", "ann", "Ä", "ä", "%", "a_b", "lead"]  # where the database folds: no letter changes its length
TYPES: Final = ["work", "Work", "home", "other"]


def words(rng: Random) -> str:
    return "".join(rng.choice(WORDS) for _ in range(rng.choice((1, 1, 1, 2))))


def user(rng: Random, number: int) -> dict[str, Any]:
    """A User as a client sends it."""
    document: dict[str, Any] = {"userName": f"{words(rng)}{rng.choice('.-')}{number}"}
    for place, type_ in d.USER.items():
        head, _, sub = place.rpartition(".")
        if place in ("id", "schemas", "userName") or place.startswith((d.ENTERPRISE, d.LMS, "groups", "meta")):
            continue
        if not sub or not head:
            if rng.random() < 0.4:
                document[place] = rng.choice((True, False)) if type_ == d.FLAG else words(rng)
        elif head == "name" and rng.random() < 0.4:
            document.setdefault("name", {})[sub] = words(rng)
    for name in d.LISTS["User"][:-1]:
        if rng.random() < 0.4:
            document[name] = elements(rng, name)
    if rng.random() < 0.5:
        document[d.ENTERPRISE] = _office(rng)
    if rng.random() < 0.1:
        document |= rng.choice(({"title": None}, {"nickName": ""}, {"emails": []}, {"name": {}}))
    return document


def elements(rng: Random, name: str) -> list[dict[str, Any]]:
    """A list of one to three elements, at most one of them primary."""
    listed: list[dict[str, Any]] = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        parts = d._POSTAL if name == "addresses" else ("value", "display", "type")
        element = {part: words(rng) for part in parts if rng.random() < 0.6}
        if rng.random() < 0.6:
            element["type"] = rng.choice(TYPES)
        element = element or {parts[0]: words(rng)}
        if name == "x509Certificates" and "value" in element:
            element["value"] = b64encode(element["value"].encode()).decode()
        listed.append(element)
    if rng.random() < 0.5:
        rng.choice(listed)["primary"] = True
    elif rng.random() < 0.3:
        rng.choice(listed)["primary"] = False
    return listed


def _office(rng: Random) -> dict[str, Any]:
    held: dict[str, Any] = {name: words(rng) for name in d._OFFICE if rng.random() < 0.5}
    if rng.random() < 0.5:
        held["manager"] = {"value": words(rng)} | ({"$ref": words(rng)} if rng.random() < 0.3 else {})
    return held or {"division": "a"}


@dataclass
class Town:
    """One client's resources as its GET shows them, by kind and id."""

    tenant: str
    source: str
    client: FlaskClient
    shown: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"User": {}, "Group": {}})

    def values(self, kind: str, place: str) -> list[Any]:
        """All values at a place, in a fixed order."""
        return [one for id in sorted(self.shown[kind]) for one in d.values(self.shown[kind][id], place)]

    def look(self) -> None:
        """Read everything back, page by page."""
        for kind in self.shown:
            self.shown[kind] = {one["id"]: one for one in self.pages(kind)}

    def pages(self, kind: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All resources of a list, by index paging with small pages."""
        start = 1
        while True:
            answer = self.client.get(f"{BASE}/{kind}s", query_string={"count": 40, **query, "startIndex": start})
            assert answer.status_code == 200, answer.text
            page = answer.get_json()
            yield from page["Resources"]
            start += page["itemsPerPage"]
            if start > page["totalResults"] or not page["itemsPerPage"]:
                return


def client_of(engine: sa.Engine, app: Flask, name: str) -> Town:
    """A new tenant with one source, and a client that holds its token."""
    with writing(engine) as conn:
        tenant = tenants.create(conn, name)
        source = tenants.create_source(conn, tenant.id, "okta", kind="idp", system="okta")
        token = credentials.issue(conn, tenant.id, "scim_token", "proofs", source_id=source.id).secret
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return Town(tenant.id, source.id, client)


def service(engine: sa.Engine) -> Flask:
    """The SCIM service on that database; an exception of ours surfaces."""
    app = Flask("proofs")
    app.testing = True
    app.register_blueprint(blueprint(Doorkeeper(engine), Limits()))
    return app


def settle(town: Town, engine: sa.Engine, rng: Random, people: int, groups: int) -> None:
    """Fill a town. Some accounts are given roles: by whatever rule they came."""
    ids = [_post(town, "User", user(rng, number)) for number in range(people)]
    crews: list[str] = []
    for _ in range(groups):
        members = [
            {"value": id} | ({"display": rng.choice(EASY)} if rng.random() < 0.5 else {})
            for id in rng.sample(ids, rng.randint(0, 6)) + rng.sample(crews, min(len(crews), rng.randint(0, 2)))
        ]
        document = {"displayName": words(rng), "members": members}
        crews.append(_post(town, "Group", document | ({"externalId": words(rng)} if rng.random() < 0.5 else {})))
    for id in rng.sample(ids, people // 3):
        given = rng.sample(["Instructor", "instructor", "Author", "Ä", "learner"], rng.choice((1, 2)))
        with writing(engine) as conn:
            account = sa.select(t.records.c.account_id).where(
                t.records.c.tenant_id == town.tenant, t.records.c.id == id
            )
            mine = (t.accounts.c.tenant_id == town.tenant, t.accounts.c.id == account.scalar_subquery())
            conn.execute(sa.update(t.accounts).where(*mine).values(roles=sorted(given)))
    town.look()


def _post(town: Town, kind: str, document: dict[str, Any]) -> str:
    answer = town.client.post(f"{BASE}/{kind}s", json=document)
    assert answer.status_code == 201, (document, answer.text)
    return str(answer.get_json()["id"])


@dataclass(frozen=True)
class Pick:
    """A literal: the value that stands `index`-th at its place in the town, with a twist."""

    index: int
    twist: str = "same"

    def of(self, found: list[Any]) -> Any:
        value = found[self.index % len(found)] if found else "a"
        if isinstance(value, bool):
            return value if self.twist == "same" else not value
        return TWISTS[self.twist](str(value))


TWISTS: Final[dict[str, Any]] = {
    "same": lambda text: text,
    "upper": str.upper,
    "lower": str.lower,
    "fold": str.casefold,
    "head": lambda text: text[: max(1, len(text) // 2)],
    "tail": lambda text: text[len(text) // 2 :],
    "inner": lambda text: text[1:-1] or text,
    "longer": lambda text: text + "a",
}


def moment(text: str, index: int) -> datetime:
    """An instant at, just before or just after the one in `text`, with some offset."""
    there = d.instant(text) + timedelta(microseconds=(index % 3) - 1)
    return there.astimezone(timezone(timedelta(minutes=(0, 60, -330, 845)[index % 4])))
