"""`rollcall serve`: everything in one command."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import click

from app.cli import processes
from app.cli.context import Context
from app.settings import Settings, local_url
from app.store import migrate


@click.command()
@click.option("--host", help="The address to listen on.  [ROLLCALL_HOST]")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on.  [ROLLCALL_PORT]")
@click.option("--workers", type=click.IntRange(1, 256), help="Web worker processes.  [ROLLCALL_WORKERS]")
@click.option("--worker/--no-worker", "jobs", default=True, help="Whether to run a job worker beside the web workers.")
@click.pass_obj
def serve(context: Context, host: str | None, port: int | None, workers: int | None, jobs: bool) -> None:
    """Serve over HTTP: migrates if needed, and says in one line when it is ready."""
    run(context, choose(context, host, port, workers), jobs=jobs)


def run(context: Context, settings: Settings, *, jobs: bool = True, beside: Sequence[str] = ()) -> None:
    """Serves until it is told to stop. `beside` is a further command of ours to keep running meanwhile."""
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        url = stack.enter_context(context.database_url())
        migrate.upgrade(url)
        _hand_down(settings, url)
        if context.settings.database_url is None:  # the children see a database address, and would miss the key
            keys = [base64.b64encode(key).decode() for key in context.secret_key]
            os.environ["ROLLCALL_SECRET_KEY"] = ",".join(keys)
        if jobs:
            stack.enter_context(processes.kept("worker", "--child"))
        if beside:
            stack.enter_context(processes.kept(*beside))
        processes.serve_web(
            settings, lambda: click.echo(f"Rollcall is ready on {local_url(settings.host, settings.port)}")
        )


def choose(context: Context, host: str | None, port: int | None, workers: int | None) -> Settings:
    """The settings, with what the command line says instead."""
    settings = context.settings
    chosen = replace(
        settings, host=host or settings.host, port=port or settings.port, workers=workers or settings.workers
    )
    if context.environ.get("ROLLCALL_PUBLIC_URL", "").strip():
        return chosen
    return replace(chosen, public_url=local_url(chosen.host, chosen.port))


def _hand_down(settings: Settings, url: str) -> None:
    """The child processes read the same environment as this one, with what was chosen here."""
    os.environ["DATABASE_URL"] = url
    os.environ["ROLLCALL_HOST"] = settings.host
    os.environ["ROLLCALL_PORT"] = str(settings.port)
    os.environ["ROLLCALL_WORKERS"] = str(settings.workers)
    os.environ["ROLLCALL_PUBLIC_URL"] = settings.public_url


def _stop(_number: int, _frame: object) -> None:
    """SIGTERM before the web workers are up: leave through every `finally`."""
    raise SystemExit(0)
