"""`rollcall saml-key`."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.cli import rollcall
from app.cli.context import Context
from tests.cli.commands import Command, told


@pytest.fixture
def run(engine: sa.Engine, database_url: str) -> Command:
    def _run(*words: str) -> Result:
        key = base64.b64encode(b"k" * 32).decode()
        environ = {"DATABASE_URL": database_url, "ROLLCALL_LOG_LEVEL": "error", "ROLLCALL_SECRET_KEY": key}
        return CliRunner().invoke(rollcall, words, obj=Context(environ))

    return _run


def test_a_new_key_waits_until_everybody_can_know_it(run: Command) -> None:
    [first] = told(run("saml-key", "list", "--json"))
    assert first["state"] == "signs"
    assert "BEGIN CERTIFICATE" in first["certificate"]
    made = told(run("saml-key", "rotate", "--json"))
    listed = {one["id"]: one for one in told(run("saml-key", "list", "--json"))}
    assert (listed[first["id"]]["state"], listed[made["id"]]["state"]) == ("signs", "will sign")
    assert listed[first["id"]]["retires_at"] > listed[made["id"]]["signs_from"]
    assert "PRIVATE" not in run("saml-key", "list", "--json").stdout


def test_at_once_where_nobody_has_to_be_told(run: Command) -> None:
    [first] = told(run("saml-key", "list", "--json"))
    made = told(run("saml-key", "rotate", "--lead", "0", "--json"))
    listed = {one["id"]: one["state"] for one in told(run("saml-key", "list", "--json"))}
    assert listed == {first["id"]: "decrypts", made["id"]: "signs"}
    assert "decrypts" in run("saml-key", "list").stdout
