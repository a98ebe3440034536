"""`rollcall worker`: background jobs."""

from __future__ import annotations

import click
import sqlalchemy as sa
import structlog

from app.adapters.asynchronous import Requests
from app.adapters.metadata_refresh import MetadataRefresh
from app.cli.context import Context
from app.cli.processes import end_with_parent
from app.events.delivery import Delivery
from app.events.issuing import Issuer, ReadyIssuer
from app.events.logouts import LogoutDelivery
from app.events.receivers import way_out
from app.settings import SettingsError
from app.sync import jobs

POOL_SIZE = 6  # a run, the sweep, and receivers beside one another


@click.command()
@click.option("--child", is_flag=True, hidden=True, help="End when the parent process ends.")
@click.pass_obj
def worker(context: Context, child: bool) -> None:
    """Run background jobs until SIGTERM. `serve` runs one already; more may run, on any machine."""
    if child:
        end_with_parent()
    with context.database_url() as url, context.database(POOL_SIZE) as engine:
        jobs.work(url, engine, _chores(context, engine))


def _chores(context: Context, engine: sa.Engine) -> jobs.Chores:
    tell = jobs.Teller(engine, "deliver")
    chores = {
        "asynchronous": Requests(engine, context.settings.scim_base_url, tell).drain,
        "metadata": MetadataRefresh(engine, way_out(context.settings)).drain,
    }
    try:
        vault = context.vault
    except SettingsError as error:
        structlog.get_logger("jobs").warning("no SCIM events and no sign-outs are delivered", why=str(error))
        return chores
    issuer = Issuer(engine, vault, context.settings.public_url)
    way = way_out(context.settings)
    logouts = LogoutDelivery(engine, ReadyIssuer(issuer), way)
    return chores | {"deliver": Delivery(engine, issuer, way).drain, "logout": logouts.drain}
