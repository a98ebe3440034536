"""PATCH makes of a user what the RFC's text makes of it, on both stores; a refused one changes nothing at all."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.store import Limits
from tests import databases
from tests.journeys import agreement
from tests.proofs import TIMES
from tests.proofs import definition as d
from tests.proofs import patching as p
from tests.proofs.town import BASE, client_of, elements, service, words

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SHOWN_ONLY = ("id", "meta", "schemas", "groups", d.LMS)
NUMBERS = itertools.count()
WORDS = ("a", "A", "b", "ß", "ss", "x y")


def _word(rng: Random) -> str:
    return rng.choice(WORDS) if rng.random() < 0.7 else words(rng)


def _element(rng: Random) -> dict[str, Any]:
    made: dict[str, Any] = {"value": _word(rng)}
    if rng.random() < 0.7:
        made["type"] = rng.choice(("work", "home"))
    if rng.random() < 0.3:
        made["display"] = _word(rng)
    if rng.random() < 0.3:
        made["primary"] = rng.choice((True, False))
    return made


def _brackets(rng: Random) -> d.Element:
    name = rng.choice(p.LISTS)
    terms = [d.Is(f"{name}.type", "eq", rng.choice(("work", "home"))), d.Is(f"{name}.value", "eq", _word(rng))]
    terms += [
        d.Is(f"{name}.primary", "eq", True),
        d.Is(f"{name}.value", "sw", _word(rng)),
        d.Is(f"{name}.display", "pr"),
    ]
    one = rng.choice((terms[0], terms[0], *terms))
    term = rng.choice((one, one, d.All((terms[0], rng.choice(terms[1:]))), d.Some((one, terms[1])), d.No(one)))
    tail = d.Is(f"{name}.{rng.choice(p.PARTS)}", "pr") if rng.random() < 0.6 else None
    return d.Element(name, term, tail)


def _target(rng: Random) -> tuple[Any, Any]:
    """A place, and a value that may stand there."""
    kind = rng.randrange(12)
    if kind <= 1:
        return rng.choice(p.TEXTS), rng.choice((_word(rng), _word(rng), None, ""))
    if kind == 2:
        return "active", rng.choice((True, False, "True", "False"))
    if kind == 3:
        return f"name.{rng.choice(p.NAMES)}", _word(rng)
    if kind == 4:
        return "name", {name: _word(rng) for name in p.NAMES if rng.random() < 0.5}
    if kind == 5:
        return f"{d.ENTERPRISE}:{rng.choice(p.OFFICE)}", _word(rng)
    if kind == 6:
        office = {d.ENTERPRISE: {"department": _word(rng)}, f"{d.ENTERPRISE}:manager": {"value": _word(rng)}}
        office |= {f"{d.ENTERPRISE}:manager.value": _word(rng)}
        place = rng.choice(list(office))
        return place, _word(rng) if place.endswith("manager") and rng.random() < 0.5 else office[place]
    if kind <= 8:
        some = [_element(rng) for _ in range(rng.choice((1, 1, 2)))]
        return rng.choice(p.LISTS), some[0] if len(some) == 1 and rng.random() < 0.2 else some
    if kind == 9:
        return f"{rng.choice(p.LISTS)}.{rng.choice(p.PARTS)}", _word(rng)
    place = _brackets(rng)
    return place, _word(rng) if place.tail else _element(rng)


def _operation(rng: Random) -> p.Operation:
    verb = rng.choice(("add", "replace", "replace", "remove"))
    if rng.random() < 0.05:
        place = rng.choice((*p.READ_ONLY, "nobody", "userName"))
        return verb, place, None if verb == "remove" or place == "userName" else _word(rng)
    if verb != "remove" and rng.random() < 0.25:
        pairs = [_target(rng) for _ in range(rng.choice((1, 2, 3)))]
        named = {place.lower(): (place, value) for place, value in pairs if isinstance(place, str)}
        if named:
            return verb, None, dict(named.values())
    place, value = _target(rng)
    if verb == "remove":
        return verb, place, [value] if place in p.LISTS and isinstance(value, dict) and rng.random() < 0.5 else None
    return verb, place, value


def _sent(rng: Random, operation: p.Operation) -> dict[str, Any]:
    """As clients write it: verbs and names in any case."""
    verb, place, value = operation
    made: dict[str, Any] = {"op": rng.choice((verb, verb.capitalize(), verb.upper()))}
    if isinstance(place, d.Element):
        behind = f".{d.last(place.tail.place)}" if place.tail else ""
        made["path"] = f"{d.written(d.Element(place.place, place.term))}{behind}"
    elif place is not None:
        made["path"] = rng.choice((place, place, place.upper() if not place.startswith("urn") else place))
    return made | ({} if value is None and verb == "remove" else {"value": value})


def _own(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name not in SHOWN_ONLY}


def _expected(document: dict[str, Any], operations: list[p.Operation]) -> dict[str, Any] | str:
    """The document, or the scimType of the refusal."""
    try:
        return p.patched(document, operations)
    except p.Refused as refused:
        return str(refused)


def _play(client: FlaskClient, seed: int) -> None:
    """One user and a few requests, each compared."""
    rng = Random(seed)
    document = {"userName": f"u{next(NUMBERS)}", "title": _word(rng)} | {
        n: elements(rng, n) for n in p.LISTS if rng.random() < 0.5
    }
    made = client.post(f"{BASE}/Users", json=document)
    assert made.status_code == 201, made.text
    shown = made.get_json()
    for _ in range(4):
        operations = [_operation(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
        body = {"schemas": [PATCH_OP], "Operations": [_sent(rng, one) for one in operations]}
        said = f"seed {seed}\nbefore {_own(shown)}\nsent {body['Operations']}"
        data = json.dumps(body)  # in the order that the operation names them; Flask would sort
        answer = client.patch(f"{BASE}/Users/{shown['id']}", data=data, content_type="application/scim+json")
        after = client.get(f"{BASE}/Users/{shown['id']}").get_json()
        wanted = _expected(_own(shown), operations)
        if isinstance(wanted, str):
            assert (answer.status_code, answer.get_json().get("scimType")) == (400, wanted), f"{said}\n{answer.text}"
            assert after == shown, said
            continue
        assert answer.status_code == 200, f"{said}\n{answer.text}"
        assert answer.get_json() == after, said
        assert p.cleaned(_own(after)) == wanted, f"{said}\nwanted {wanted}\nafter  {_own(after)}"
        unchanged = _own(after) == _own(shown)
        assert (after["meta"]["version"] == shown["meta"]["version"]) == unchanged, said
        assert (after["meta"]["lastModified"] == shown["meta"]["lastModified"]) or not unchanged, said
        shown = after


SEEDS = st.integers(0, 2**40)
QUICK = (Phase.explicit, Phase.generate)


@settings(max_examples=400 * TIMES, phases=QUICK)
@given(SEEDS)
def test_in_memory(seed: int) -> None:
    app = Flask("proofs")
    app.testing = True
    app.register_blueprint(blueprint(MemoryDoorkeeper({"token": MemoryStore()}), Limits()))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    _play(client, seed)


@pytest.fixture(scope="module")
def town(shared_engine: sa.Engine) -> Iterator[Any]:
    databases.empty(shared_engine)
    made = client_of(shared_engine, service(shared_engine), "town")
    yield made
    agreement.check(shared_engine, made.tenant)
    databases.empty(shared_engine)


def test_on_postgresql(town: Any) -> None:
    @settings(max_examples=60 * TIMES, phases=QUICK)
    @given(SEEDS)
    def play(seed: int) -> None:
        _play(town.client, seed)

    play()
