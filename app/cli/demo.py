"""`rollcall demo`: a small company, to look at."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlsplit

import click
import sqlalchemy as sa

from app.cli.context import Context, json_option, to_json
from app.demo import server, stage, story
from app.demo.handover import hand_over
from app.demo.okta import DemoError
from app.demo.stage import Progress


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
        handover = hand_over(engine, stage.find(engine), context.settings.public_url)
    if as_json:
        story_told = None if told is None else asdict(told)
        click.echo(
            to_json({"played": told is not None, "tenant": stage.TENANT, "story": story_told, **asdict(handover)})
        )
        return
    click.echo("\nWhat to try next\n")
    for line in handover.lines():
        click.echo(f"{line}")


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
