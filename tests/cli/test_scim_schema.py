"""`rollcall scim schema`: declaring, looking, removing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.adapters.scim_store import ScimStore
from scim.store import Draft, Features
from tests.cli.commands import Command, runner, told
from tests.scim.declared import LEARNER, REGISTRY, learner


@pytest.fixture
def run(database_url: str, engine: Any, okta: Any) -> Command:
    return runner(database_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "learner.json"
    made.write_text(json.dumps(learner()))
    return made


def test_a_schema_comes_is_shown_and_goes(run: Command, file: Path) -> None:
    said = told(run("scim", "schema", "add", file, "--tenant", "acme", "--json"))
    assert said == {"urn": LEARNER, "kind": "User", "created": True, "refitted": 0, "lost": []}
    [listed] = told(run("scim", "schema", "list", "--tenant", "acme", "--json"))
    assert (listed["urn"], listed["kind"], listed["resources"]) == (LEARNER, "User", 0)
    assert LEARNER in run("scim", "schema", "list", "--tenant", "acme").stdout
    shown = told(run("scim", "schema", "show", LEARNER.lower(), "--tenant", "acme", "--json"))
    assert shown["attributes"][0]["name"] == "track"
    again = run("scim", "schema", "add", file, "--tenant", "acme")
    assert again.stdout == f"{LEARNER} is changed for each User.\n"
    assert run("scim", "schema", "remove", LEARNER, "--tenant", "acme").exit_code == 0
    assert told(run("scim", "schema", "list", "--tenant", "acme", "--json")) == []
    assert run("scim", "schema", "show", LEARNER, "--tenant", "acme").exit_code == 1
    assert run("scim", "schema", "remove", LEARNER, "--tenant", "acme").exit_code == 1


def test_stored_values_are_dropped_after_a_yes(run: Command, file: Path, engine: Any, okta: Any) -> None:
    run("scim", "schema", "add", file, "--tenant", "acme")
    scim = ScimStore(engine, okta.tenant_id, okta.id, "test", Features(schemas=REGISTRY))
    document = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", LEARNER], "userName": "ada@x.org"}
    scim.create("User", Draft({**document, LEARNER: {"level": 3}}))
    refused = run("scim", "schema", "remove", LEARNER, "--tenant", "acme")
    assert refused.exit_code == 1
    assert "1 resources hold values" in refused.stderr
    assert "--yes" in refused.stderr
    gone = told(run("scim", "schema", "remove", LEARNER, "--tenant", "acme", "--yes", "--json"))
    assert gone["refitted"] == 1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a JSON object"),
        (json.dumps({**learner(), "attributes": [{"name": "a", "uniqueness": "server"}]}), "attributes[0].uniqueness"),
    ],
)
def test_a_wrong_file_is_explained(run: Command, file: Path, text: str, part: str) -> None:
    file.write_text(text)
    refused = run("scim", "schema", "add", file, "--tenant", "acme")
    assert refused.exit_code == 2
    assert part in refused.stderr
