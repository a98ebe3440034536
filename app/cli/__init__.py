"""The `rollcall` command. One file a group of verbs; each verb parses, calls one thing, prints.

Every command that prints has `--json`. It ends with 0 done, 1 failed, 2 wrong usage, 3 held by a guard.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import click

from app import settings as environment
from app.cli.context import HELD, Context

__all__ = ["HELD", "Context", "main", "rollcall"]

# Verb -> module and the command in it. Modules are imported when their verb is used: a command starts in a fraction of
# a second, and one that is broken does not take the others with it.
COMMANDS: Final = {
    "serve": "serving:serve",
    "worker": "working:worker",
    "db": "database:db",
    "doctor": "doctor:doctor",
    "config": "config:config",
    "tenant": "tenant:tenant",
    "source": "source:source",
    "scim": "scim_token:scim",
    "api": "api:api",
    "account": "account:account",
    "mapping": "mapping:mapping",
    "demo": "demo:demo",
}


class _Verbs(click.Group):
    """Finds commands by name in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(f"app.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101 - a mistake in the table above
        return command


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rollcall")
@click.pass_context
def rollcall(ctx: click.Context) -> None:
    """The identity hub of learning platforms."""
    if ctx.obj is None:
        ctx.obj = Context(os.environ)


def main() -> None:
    """The console script."""
    try:
        rollcall.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        sys.exit(130)
    except environment.SettingsError as error:
        click.echo(f"The environment is wrong.\n{error}", err=True)
        sys.exit(2)
