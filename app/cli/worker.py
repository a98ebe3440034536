"""`rollcall worker`: background jobs."""

from __future__ import annotations

import click

from app.cli.context import Context
from app.cli.processes import end_with_parent
from app.sync import jobs


@click.command()
@click.option("--child", is_flag=True, hidden=True, help="End when the parent process ends.")
@click.pass_obj
def worker(context: Context, child: bool) -> None:
    """Run background jobs until SIGTERM. `serve` runs one already; more may run, on any machine."""
    if child:
        end_with_parent()
    with context.database_url() as url, context.database() as engine:
        jobs.work(url, engine)
