"""What commands share: the settings, the database, and how results are printed.

A command takes it with `@click.pass_obj` and opens the database for as long as it needs it:

    with context.database() as engine, writing(engine) as conn: …
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

import click
import orjson
import sqlalchemy as sa

from app import logs
from app import settings as environment
from app.settings import Settings, SettingsError
from app.store import embedded, migrate, tenants
from app.store.engine import make_engine
from app.store.vault import Vault, kept_keys

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
HELD: Final = 3  # a guard holds the plan until a person allows it

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
tenant_option = click.option("--tenant", "tenant_name", required=True, metavar="NAME", help="The tenant.")


class Context:
    """The command's surroundings, read from `environ` when they are first needed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    @cached_property
    def settings(self) -> Settings:
        """The checked environment.

        Raises:
            SettingsError: a variable is wrong.
        """
        loaded = environment.load(self.environ)
        logs.set_up(loaded.log_level)
        return loaded

    @contextmanager
    def database_url(self) -> Iterator[str]:
        """The address of the PostgreSQL to use: DATABASE_URL's, or the embedded one's, started if need be.

        Raises:
            EmbeddedError: the embedded one cannot run here.
        """
        if self.settings.database_url is not None:
            yield self.settings.database_url
            return
        chosen = self.settings.data_dir_chosen
        data_dir = embedded.place(self.settings.data_dir, chosen=chosen)
        if data_dir != self.settings.data_dir:
            click.echo(
                f"PostgreSQL's user may not enter {self.settings.data_dir}; the data are in {data_dir}", err=True
            )
        server = embedded.join(data_dir)
        try:
            yield server.url
        finally:
            server.leave()

    @property
    def secret_key(self) -> tuple[bytes, ...]:
        """The keys that encrypt stored secrets: the setting's, or the embedded database's own.

        Raises:
            SettingsError: the database is an external one and the setting is missing.
        """
        if self.settings.secret_key is not None:
            return self.settings.secret_key
        if self.settings.database_url is not None:
            raise SettingsError(
                "ROLLCALL_SECRET_KEY: with DATABASE_URL it must be set before a secret can be kept; "
                "`openssl rand -base64 32` makes one"
            )
        return kept_keys(self.settings.data_dir)

    @property
    def vault(self) -> Vault:
        """What seals stored secrets. Raises as `secret_key` does."""
        return Vault(self.secret_key)

    @contextmanager
    def database(self, pool_size: int = 2) -> Iterator[sa.Engine]:
        """An engine on the migrated database."""
        with self.database_url() as url:
            migrate.upgrade(url)
            engine = make_engine(url, pool_size=pool_size, lock_timeout_ms=self.settings.lock_timeout_ms)
            try:
                yield engine
            finally:
                engine.dispose()


def actor() -> str:
    """Who the audit says it was: the operating system's user, where it has a name (in a container it may have none)."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def name_of(what: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """A check for an argument or option that names a new thing: lower-case letters, digits, inner hyphens."""

    def check(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
        if not tenants.NAME.fullmatch(value):
            rule = "lower-case letters, digits and inner hyphens, at most 63"
            raise click.BadParameter(f"{value!r} is not a name for a {what}: {rule}")
        return value

    return check


def show(data: Any, text: str, *, as_json: bool) -> None:
    """Prints the result: `data` as one line of JSON, or `text` for people."""
    click.echo(to_json(data) if as_json else text)


def table(rows: Iterable[Sequence[object]], titles: Sequence[str]) -> str:
    """The rows below the titles in aligned columns."""
    texts = [list(titles), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(titles))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def to_json(data: Any) -> str:
    """JSON text; dataclasses, datetimes and sets are written too."""
    return orjson.dumps(data, default=_plain).decode()


def finish(code: int) -> None:
    """Ends the command with one of DONE, FAILED, USAGE, HELD."""
    sys.exit(code)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
