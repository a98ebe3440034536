"""PATCH of a group's members, in the shapes that identity providers send, is arithmetic of sets; on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests import databases
from tests.journeys import agreement
from tests.proofs import TIMES
from tests.proofs.town import BASE, Town, client_of, service

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
NOBODY = str(UUID(int=7))


@pytest.fixture(scope="module")
def people(shared_engine: sa.Engine) -> Iterator[tuple[Town, list[str]]]:
    databases.empty(shared_engine)
    town = client_of(shared_engine, service(shared_engine), "town")
    names = [{"userName": f"u{number}"} for number in range(6)]
    yield town, [town.client.post(f"{BASE}/Users", json=name).get_json()["id"] for name in names]
    agreement.check(shared_engine, town.tenant)
    databases.empty(shared_engine)


def _operation(rng: Random, ids: list[str], held: set[str]) -> tuple[dict[str, Any], set[str]]:
    """An operation, and the members after it."""
    chosen = rng.sample(ids, rng.randint(1, 3))
    listed = [{"value": id} | rng.choice(({}, {"$ref": None}, {"display": "x"})) for id in chosen]
    one, some = chosen[0], set(chosen)
    either = " or ".join(f'value eq "{id}"' for id in chosen)
    return rng.choice(
        [
            ({"op": "Add", "path": "members", "value": listed}, held | some),
            ({"op": "add", "value": {"members": listed}}, held | some),
            ({"op": "add", "path": "members", "value": listed[0]}, held | {one}),
            ({"op": "add", "path": "members", "value": one}, held | {one}),
            ({"op": "replace", "path": "members", "value": listed}, some),
            ({"op": "replace", "value": {"members": listed, "displayName": "Crew"}}, some),
            ({"op": "Remove", "path": "members", "value": listed}, held - some),
            ({"op": "remove", "path": f'members[value eq "{one}"]'}, held - {one}),
            ({"op": "remove", "path": f"members[{either}]"}, held - some),
            ({"op": "remove", "path": f'members[not (value eq "{one}")]'}, held & {one}),
            ({"op": "remove", "path": "members"}, set()),
            ({"op": "replace", "value": {"displayName": "Crew"}}, held),
        ]
    )


def test_members_after_any_operations(people: tuple[Town, list[str]]) -> None:
    town, ids = people

    @settings(max_examples=40 * TIMES, phases=(Phase.explicit, Phase.generate))
    @given(st.integers(0, 2**60))
    def play(seed: int) -> None:
        rng = Random(seed)
        group = town.client.post(f"{BASE}/Groups", json={"displayName": "Crew"}).get_json()
        path, held = f"{BASE}/Groups/{group['id']}", set[str]()
        for _ in range(4):
            operations, after = [], held
            for _ in range(rng.choice((1, 1, 2, 3))):
                operation, after = _operation(rng, ids, after)
                operations.append(operation)
            lost = rng.random() < 0.1
            if lost:
                operations.append({"op": "add", "path": "members", "value": [{"value": NOBODY}]})
                after = held
            answer = town.client.patch(path, json={"schemas": [PATCH_OP], "Operations": operations})
            assert answer.status_code == (400 if lost else 204), (seed, operations, answer.text)
            shown = town.client.get(path).get_json()
            assert {one["value"] for one in shown.get("members", [])} == after, (seed, held, operations)
            assert (shown["meta"]["version"] == group["meta"]["version"]) == (after == held), (seed, held, operations)
            group, held = shown, after

    play()
