"""An identity provider that never answers keeps nobody waiting but those who sign in through it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from app.store.tenants import Tenant
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

WAITING = 6  # more than the server has processes


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a provider that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_others_are_answered_while_sign_ins_wait(running: Server, tenant: Tenant, silent: str) -> None:
    made = ("connection", "create", "--tenant", tenant.name, "--type", "oidc", "--name", "slow")
    running.rollcall(*made, "--issuer", silent, "--client-id", "us", "--setting", "auth_method=none")
    address = f"{running.url}/sign-in/{tenant.name}/slow"
    with ThreadPoolExecutor(WAITING) as pool:
        waiting = [pool.submit(requests.get, address, timeout=30) for _ in range(WAITING)]
        answered = [requests.get(f"{running.url}/readyz", timeout=30).status_code for _ in range(20)]
        still = sum(not each.done() for each in waiting)
        assert answered == [200] * 20
        assert still >= WAITING - 2  # nobody waited for them; one that found a wait under way may have given up at once
        pages = [each.result() for each in waiting]
    assert {page.status_code for page in pages} == {503}
    assert all("does not answer" in page.text for page in pages)
