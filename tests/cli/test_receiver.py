"""`rollcall scim receiver` and `rollcall key`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.cli import rollcall
from app.cli.context import Context
from app.store import outward_tables as t
from app.store.engine import reading
from app.store.tables import audit
from scim.events import URIS, VERIFICATION
from tests.cli.commands import told
from tests.events.receiver import Receiver, listening

Run = Callable[..., Result]
OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))


@pytest.fixture
def run(engine: sa.Engine, database_url: str, okta: Any) -> Run:
    def _run(*words: object, answer: str = "", **environ: str) -> Result:
        known = {"DATABASE_URL": database_url, "ROLLCALL_LOG_LEVEL": "error", "ROLLCALL_SECRET_KEY": OLD}
        context = Context(known | environ)
        return CliRunner().invoke(rollcall, [str(word) for word in words], obj=context, input=answer)

    return _run


def _add(run: Run, url: str, *more: object, **options: str) -> Result:
    words = ("scim", "receiver", "add", "--tenant", "acme", "--source", "okta", "--url", url, "--audience", "lms")
    return run(*words, *more, "--json", **options)


def test_a_receiver_is_added_shown_tested_and_removed(run: Run, engine: sa.Engine) -> None:
    with listening(Receiver()) as receiver:
        added = told(_add(run, receiver.url, "--token-stdin", answer="s3cret\n"))
        assert added["events"] == list(URIS)
        assert added["jwks_uri"] == "http://127.0.0.1:8080/.well-known/jwks.json"
        at = (added["id"], "--tenant", "acme")
        assert told(run("scim", "receiver", "test", *at, "--json")) == {"taken": True, "failure": None}
        [probe] = receiver.taken
        assert probe.uri == VERIFICATION
        assert probe.headers["authorization"] == "Bearer s3cret"
        receiver.answer = lambda _: (401, b"", {})
        failed = run("scim", "receiver", "test", *at)
        assert (failed.exit_code, "status 401 instead of 202" in failed.stdout) == (1, True)
    shown = run("scim", "receiver", "show", *at)
    assert "s3cret" not in shown.stdout
    assert "okta" in shown.stdout
    listed = told(run("scim", "receiver", "list", "--tenant", "acme", "--json"))
    assert [(each["id"], each["has_token"], each["waiting"]) for each in listed] == [(added["id"], True, 0)]
    with reading(engine) as conn:
        assert b"s3cret" not in bytes(conn.execute(sa.select(t.receivers.c.token)).scalar_one())
    assert told(run("scim", "receiver", "remove", *at, "--json"))["removed"]
    assert told(run("scim", "receiver", "list", "--tenant", "acme", "--json")) == []
    assert run("scim", "receiver", "remove", *at).exit_code == 1


def test_adding_and_removing_are_audited_without_what_the_address_may_hide(run: Run, engine: sa.Engine) -> None:
    added = told(_add(run, "http://127.0.0.1:9/hook?key=s3cret"))
    run("scim", "receiver", "remove", added["id"], "--tenant", "acme")
    with reading(engine) as conn:
        rows = conn.execute(sa.select(audit.c.action, audit.c.subject, audit.c.facts).order_by(audit.c.number)).all()
    assert [(row.action, row.subject) for row in rows] == [
        ("receiver.added", added["id"]),
        ("receiver.removed", added["id"]),
    ]
    assert rows[0].facts["url"] == "http://127.0.0.1:9/hook"
    assert rows[0].facts["source"] == "okta"


def test_events_are_chosen_by_their_short_names(run: Run) -> None:
    added = told(_add(run, "http://127.0.0.1:9/", "--events", "prov:delete, prov:create:notice"))
    short = [uri.removeprefix("urn:ietf:params:scim:event:") for uri in added["events"]]
    assert short == ["prov:create:notice", "prov:delete"]


@pytest.mark.parametrize(
    ("url", "more", "sentence"),
    [
        ("https://10.0.0.1/", (), "ROLLCALL_OUTBOUND_NETWORKS"),
        ("http://10.0.0.1/", (), "plain http is for loopback only"),
        ("ftp://127.0.0.1/", (), "begins with https://"),
        ("http://127.0.0.1:9/", ("--events", "prov:create:full"), "no event that is offered"),
        ("http://127.0.0.1:9/", ("--audience", " "), "cannot be empty"),
        ("http://127.0.0.1:9/", ("--token-stdin",), "one line of ASCII"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_kept(
    run: Run, engine: sa.Engine, url: str, more: tuple[str, ...], sentence: str
) -> None:
    result = _add(run, url, *more)
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.stderr
    with reading(engine) as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(t.receivers)).scalar_one() == 0


def test_loopback_is_open_only_to_an_installation_there(run: Run) -> None:
    public = {"ROLLCALL_PUBLIC_URL": "https://id.example.com"}
    assert _add(run, "http://127.0.0.1:9/", **public).exit_code == 2
    assert _add(run, "http://127.0.0.1:9/", **public, ROLLCALL_OUTBOUND_NETWORKS="127.0.0.0/8").exit_code == 0
    assert _add(run, "https://10.1.2.3/", **public, ROLLCALL_OUTBOUND_NETWORKS="10.1.0.0/16").exit_code == 0


def test_an_external_database_needs_the_setting(run: Run) -> None:
    result = _add(run, "http://127.0.0.1:9/", ROLLCALL_SECRET_KEY="")
    assert (result.exit_code, "ROLLCALL_SECRET_KEY: with DATABASE_URL it must be set" in result.stderr) == (2, True)


def test_the_embedded_database_makes_its_own(tmp_path: Path) -> None:
    context = Context({"ROLLCALL_DATA_DIR": str(tmp_path)})
    assert context.secret_key == Context({"ROLLCALL_DATA_DIR": str(tmp_path)}).secret_key
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_keys_are_rotated_and_secrets_sealed_anew(run: Run) -> None:
    _add(run, "http://127.0.0.1:9/", "--token-stdin", answer="s3cret\n")
    made = told(run("key", "rotate", "--overlap", 5, "--json"))
    listed = told(run("key", "list", "--json"))
    assert {each["kid"] for each in listed[-2:]} == {each["kid"] for each in made}
    assert [each["retires_at"] is None for each in listed] == [False, False, True, True]
    assert sorted(each["algorithm"] for each in made) == ["ES256", "RS256"]
    assert made[0]["kid"] in run("key", "list").stdout
    assert run("key", "reseal", "--json", ROLLCALL_SECRET_KEY=NEW).exit_code == 1
    assert told(run("key", "reseal", "--json", ROLLCALL_SECRET_KEY=f"{NEW},{OLD}")) == {"resealed": 5}
    assert told(run("key", "reseal", "--json", ROLLCALL_SECRET_KEY=NEW)) == {"resealed": 5}
