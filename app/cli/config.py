"""`rollcall config`: the environment variables and whether they are right."""

from __future__ import annotations

import click

from app.cli.context import Context, json_option, show, table
from app.settings import VARIABLES


@click.group()
def config() -> None:
    """The settings, which are environment variables."""


@config.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """Every variable with its type, default, meaning, and whether it is set."""
    rows = [
        {
            "name": variable.name,
            "type": variable.type,
            "default": variable.default,
            "value": _value(context, variable.name, secret=variable.secret),
            "meaning": variable.sentence,
        }
        for variable in VARIABLES
    ]
    show(rows, table(([row[title] for title in row] for row in rows), list(rows[0])), as_json=as_json)


@config.command()
@json_option
@click.pass_obj
def check(context: Context, as_json: bool) -> None:
    """Ends with 0 when the environment is right, else says what is wrong and ends with 2."""
    settings = context.settings
    show({"ok": True, "public_url": settings.public_url}, "The settings are right.", as_json=as_json)


def _value(context: Context, name: str, *, secret: bool) -> str | None:
    value = context.environ.get(name)
    return "(set)" if value and secret else value
