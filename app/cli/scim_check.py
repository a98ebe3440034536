"""`rollcall scim check`: the conformance suites against any SCIM server."""

from __future__ import annotations

import sys
from typing import Final
from urllib.parse import urlsplit

import click

from app.checking import suites
from app.checking.report import Report
from app.checking.target import Target, UnreachableError
from app.cli.context import FAILED, Context, finish, json_option, show

ALL: Final = "all"
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def a_base_url(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    """A check for an argument that is the base URL of a SCIM service."""
    split = urlsplit(value)
    if split.scheme not in ("http", "https") or not split.hostname or split.username or split.query or split.fragment:
        raise click.BadParameter("give the SCIM base URL, such as https://id.example.com/scim/v2")
    return value.rstrip("/")


@click.command()
@click.argument("url", callback=a_base_url)
@click.option(
    "--suite", "chosen", type=click.Choice([ALL, *suites.SUITES]), default=ALL, show_default=True, help="What to run."
)
@click.option("--token-stdin", is_flag=True, help="Read the bearer token from standard input.")
@click.option("--token-env", metavar="NAME", help="Take the bearer token from this environment variable.")
@click.option("--timeout", type=click.IntRange(1, 300), default=30, show_default=True, help="Seconds for one answer.")
@click.option("--yes", is_flag=True, help="Make and delete test users and groups there without asking.")
@json_option
@click.pass_obj
def check(
    context: Context,
    url: str,
    chosen: str,
    token_stdin: bool,
    token_env: str | None,
    timeout: int,
    yes: bool,
    as_json: bool,
) -> None:
    """Check any SCIM server. Does it do what the RFCs say and identity providers need?

    URL is the SCIM base URL. Test users and groups are made, changed and deleted there; nobody else's are touched. Ends
    with 0 when all passed, 1 when something failed, 2 when it was asked in a wrong way.
    """
    names = list(suites.SUITES) if chosen == ALL else [chosen]
    _check_installed(names)
    token = _token(context, url, token_stdin=token_stdin, token_env=token_env)
    _agree(url, names, yes=yes, may_ask=not token_stdin)
    report = _run(Target(url, token, timeout), names)
    show(report.as_dict(), "\n".join(report.lines()), as_json=as_json)
    if not report.passed:
        finish(FAILED)


def _run(target: Target, names: list[str]) -> Report:
    try:
        return suites.run(target, names, lambda name: click.echo(f"{name} …", err=True))
    except UnreachableError as error:
        raise click.ClickException(str(error)) from error
    finally:
        target.close()


def _check_installed(names: list[str]) -> None:
    missing = [name for name in names if suites.SUITES[name].missing]
    if missing:
        raise click.UsageError(
            f"not installed: {', '.join(missing)}. Run `pip install scim2-tester scim-sanity` (the extra `check`), "
            "or use --suite field, which needs nothing."
        )


def _token(context: Context, url: str, *, token_stdin: bool, token_env: str | None) -> str | None:
    if token_stdin and token_env:
        raise click.UsageError("--token-stdin and --token-env exclude each other")
    if not token_stdin and not token_env:
        return None
    token = sys.stdin.readline().strip() if token_env is None else context.environ.get(token_env)
    if not token or not token.isascii() or not token.isprintable():
        raise click.UsageError(
            "there is no token " + (f"in the variable {token_env}" if token_env else "on standard input")
        )
    split = urlsplit(url)
    if split.scheme == "http" and split.hostname not in LOCAL:
        click.echo(f"The token goes to {split.hostname} without encryption: give it up afterwards.", err=True)
    return token


def _agree(url: str, names: list[str], *, yes: bool, may_ask: bool) -> None:
    makes = "\n".join(f"  {name}: {suites.SUITES[name].makes}" for name in names)
    told = f"On {url} these are made, changed and deleted:\n{makes}"
    if yes:
        return
    if not may_ask:
        raise click.UsageError(f"{told}\nSay --yes if they may be.")
    click.echo(told, err=True)
    click.confirm("Go on?", abort=True, err=True)
