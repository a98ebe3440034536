"""Commands run in this process, on the test's database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner, Result

from app.cli import rollcall
from app.cli.context import Context

Command = Callable[..., Result]


def runner(database_url: str, **environ: str) -> Command:
    """`run("mapping", "list", …)` gives click's result; `answer` is what is typed."""

    def run(*words: object, answer: str = "") -> Result:
        context = Context({"DATABASE_URL": database_url, "ROLLCALL_LOG_LEVEL": "error", **environ})
        return CliRunner().invoke(rollcall, [str(word) for word in words], obj=context, input=answer)

    return run


def told(result: Result) -> Any:
    """The JSON that the command printed."""
    return json.loads(result.stdout)
