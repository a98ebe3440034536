"""`rollcall demo`: a small company, to look at."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlsplit

import click
import sqlalchemy as sa

from app.cli import serve as serving
from app.cli.context import Context, json_option, to_json
from app.cli.processes import end_with_parent
from app.demo import doors, server, site, stage, story
from app.demo.handover import hand_over
from app.demo.okta import DemoError
from app.demo.stage import Progress
from app.outbound import is_loopback


@click.group()
def demo() -> None:
    """A small company with an identity provider and an HR system."""


@demo.command()
@click.option("--url", metavar="URL", help="A server that runs already on this database. Without it one is started.")
@json_option
@click.pass_obj
def play(context: Context, url: str | None, as_json: bool) -> None:
    """Tell the story in the tenant `demo`, once; then say what to try next.

    Played before, it only issues fresh secrets and says what to try next.
    """
    address = _checked(url)
    with context.database() as engine:
        progress = stage.progress(engine)
        if progress is Progress.FOREIGN:
            raise click.ClickException(f"there is a tenant `{stage.TENANT}` that is not the demo's: it is left alone")
        told: story.Told | None = None
        try:
            if progress is Progress.PLAYED:
                _say(f"The demo was played before: its tenant `{stage.TENANT}` is there.", as_json=as_json)
            else:
                told = _played(context, engine, progress, address, as_json=as_json)
        except DemoError as error:
            raise click.ClickException(str(error)) from error
        handover = hand_over(engine, stage.find(engine), context.settings.public_url, context.settings.port)
    if as_json:
        story_told = None if told is None else asdict(told)
        click.echo(
            to_json({"played": told is not None, "tenant": stage.TENANT, "story": story_told, **asdict(handover)})
        )
        return
    click.echo("\nWhat to try next\n")
    for line in handover.lines():
        click.echo(f"{line}")


@demo.command()
@click.pass_obj
def serve(context: Context) -> None:
    """Serve, with the demo's identity provider and learning platform on the next port."""
    settings = serving.choose(context, None, None, None)
    if not is_loopback(settings.public_url):
        raise click.UsageError("the demo's identity provider asks for no password: it is for loopback addresses only")
    serving.run(context, settings, beside=("demo", "site", "--child"))


@demo.command(name="site", hidden=True)
@click.option("--child", is_flag=True, hidden=True, help="End when the parent process ends.")
@click.pass_obj
def site_(context: Context, child: bool) -> None:
    """Serve the demo's identity provider and learning platform alone; `demo serve` does it."""
    if child:
        end_with_parent()
    port = site.port_beside(context.settings.port)
    with context.database() as engine:
        found = doors.open_doors(engine, stage.find(engine), context.settings.public_url, port)
    site.serve(found, lambda: click.echo(f"Kestrel Academy, the demo's learning platform, is ready on {found.url}"))


def _played(
    context: Context, engine: sa.Engine, progress: Progress, address: str | None, *, as_json: bool
) -> story.Told:
    def say(line: str) -> None:
        _say(line, as_json=as_json)

    if progress is Progress.ABSENT:
        stand, token = stage.build(engine)
    else:
        stand = stage.find(engine)
        token = stage.fresh_token(engine, stand)
    if address is not None:
        return story.play(engine, stand, token, address, say)
    with server.running(engine.url.render_as_string(hide_password=False), context.environ) as own:
        return story.play(engine, stand, token, own, say)


def _say(line: str, *, as_json: bool) -> None:
    if not as_json:
        click.echo(line)


def _checked(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise click.BadParameter(f"{url!r} is not the address of a server", param_hint="--url")
    return url.rstrip("/")
