"""`rollcall scim check` as a person runs it: against our running server, and against somebody else's."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from app.store import credentials, tenants
from app.store.engine import writing
from tests.journeys.server import CHECKOUT, Server

pytestmark = pytest.mark.journey


def check(url: str, token: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "app.cli", "scim", "check", url, "--token-stdin", "--yes", "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, input=token, capture_output=True, text=True, timeout=300, check=False)
    assert token not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def wrong(told: dict[str, Any], outcome: str) -> set[tuple[str, str]]:
    return {(one["suite"], one["check"]) for one in told["findings"] if one["outcome"] == outcome}


def test_ours_passes_with_its_defaults(running: Server, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        source = tenants.create_source(conn, tenant.id, "tester", kind="idp", system="generic")
        token = credentials.issue(conn, tenant.id, "scim_token", "tester", source_id=source.id).secret
    code, told = check(f"{running.url}/scim/v2", token)
    assert (code, wrong(told, "failed")) == (0, set())
    assert told["counts"]["passed"] > 200
    assert {suite for suite, _ in wrong(told, "warning")} == {"scim2-tester", "scim-sanity"}


@pytest.fixture
def peer() -> Iterator[str]:
    """scim2-server, which keeps resources in memory, as a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = "from scim2_server.testserver.cli import main; main()"
    command = [sys.executable, "-u", "-c", program, "--port", str(port), "--bearer-token", "quay"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Serving SCIM on")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_another_server_is_told_what_identity_providers_will_miss(peer: str) -> None:
    code, told = check(peer, "quay")
    assert code == 1
    assert {
        ("field", "The manager as a bare id is understood"),
        ("field", "A remove with members in its value removes those only"),
        ("field", "A schema that the server does not know is ignored"),
    } <= wrong(told, "failed")
    assert ("scim-sanity", "PATCH /Users/{id}") in wrong(told, "warning")
    assert {suite for suite, _ in wrong(told, "failed")} == {"field"}
