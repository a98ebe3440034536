"""Log lines: what a failure says, and what it must not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog

from app import logs
from app.store import tables as t
from app.store.engine import writing

SECRET = "rc_pt_of-somebody"


@pytest.fixture(autouse=True)
def _as_served() -> Iterator[None]:
    held = structlog.get_config()
    logs.set_up("warning")
    yield
    structlog.configure(**held)


@pytest.mark.parametrize(
    "log",
    [logging.getLogger("app.somewhere").exception, lambda said: structlog.get_logger().error(said, exc_info=True)],
)
def test_a_failure_is_told_without_the_values(log: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    def fails(token: str) -> None:
        raise ValueError(f"{len(token)} characters")

    try:
        fails(SECRET)
    except ValueError:
        log("a request failed")
    text = capsys.readouterr().err
    line = json.loads(text.splitlines()[-1])
    assert [frame["name"] for frame in line["exception"][0]["frames"]][-1] == "fails"
    assert SECRET not in text


def test_a_statement_that_fails_is_told_without_its_values(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.DBAPIError) as failed, writing(engine) as conn:
        conn.execute(sa.insert(t.tenants).values(id=SECRET, name=SECRET))
    assert "parameters hidden" in str(failed.value)


def test_a_row_that_is_refused_is_not_quoted(engine: sa.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"id": str(uuid4()), "name": "of-somebody"}
    try:
        with writing(engine) as conn:
            for _ in range(2):
                conn.execute(sa.insert(t.tenants).values(**row))
    except sa.exc.DBAPIError:
        logging.getLogger("app.somewhere").exception("a request failed")
    text = capsys.readouterr().err
    assert "duplicate key" in text
    assert row["name"] not in text
    assert row["id"] not in text
