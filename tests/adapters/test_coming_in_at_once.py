"""What is good once, tried by several at once on the real database: one comes in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import sqlalchemy as sa

from app.adapters import coming_in, set_up_links
from app.store import console_links
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from tests.adapters.administrators import HERE, OWNER, PARTY, URL, Person

AT_ONCE = 4
T = TypeVar("T")


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant) -> Person:
    return Person(engine, tenant.id)


def together(act: Callable[[], T]) -> list[T]:
    """What came of it for each, none before all were ready."""
    ready = threading.Barrier(AT_ONCE)

    def once(_: int) -> T:
        ready.wait()
        return act()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(once, range(AT_ONCE)))


def test_one_code(ada: Person) -> None:
    ada.with_password()
    assert sum(begun is not None for begun in together(lambda: ada.sign_in(ada.later()))) == 1


def test_one_answer_of_a_passkey(ada: Person, engine: sa.Engine) -> None:
    ada.device.count = 5
    ada.with_passkey()
    question = coming_in.ask_for_passkey(engine, PARTY, "browser")
    answer = ada.device.sign(question.options)
    came = together(lambda: coming_in.by_passkey(engine, PARTY, URL, "browser", answer, HERE))
    assert sum(begun is not None for begun in came) == 1


def test_one_set_up_link(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    _, issued = set_up_links.make(engine, tenant.id, "scim", okta.id, "IT of Acme", 1, OWNER)
    with reading(engine) as conn:
        link = console_links.find(conn, issued.secret)
    assert link is not None
    came = together(lambda: coming_in.by_set_up_link(engine, link, HERE))
    assert sum(begun is not None for begun in came) == 1


def test_guesses_of_a_code_at_once_are_counted(ada: Person, engine: sa.Engine) -> None:
    ada.with_password()
    for _ in range(2):
        assert together(lambda: ada.sign_in(ada.later(), code="000000")) == [None] * AT_ONCE
    assert ada.sign_in(ada.later()) is None
