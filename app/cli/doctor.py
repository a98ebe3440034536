"""`rollcall doctor`: is everything here that the server needs?"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from typing import Final

import click
import sqlalchemy as sa

from app.cli.context import FAILED, Context, finish, json_option, show, table
from app.settings import SettingsError
from app.store import embedded, migrate
from app.store.embedded_user import EmbeddedError
from app.store.engine import ServerTooOldError, check_server, make_migration_engine
from sso import saml_library

LEAST_FREE_BYTES: Final = 500 * 1024 * 1024


class TroubleError(Exception):
    """A check failed; the message says what to do."""


EXPECTED: Final = (
    TroubleError,
    SettingsError,
    EmbeddedError,
    ServerTooOldError,
    sa.exc.SQLAlchemyError,
    OSError,
    ImportError,
)


@click.command()
@json_option
@click.pass_obj
def doctor(context: Context, as_json: bool) -> None:
    """Check settings, database, data folder, SAML library and disk; ends with 1 when something is wrong."""
    reports = [_report(name, check, context) for name, check in CHECKS.items()]
    rows = [("ok" if each["ok"] else "WRONG", each["check"], each["says"]) for each in reports]
    show(reports, table(rows, ["", "check", "says"]), as_json=as_json)
    if not all(each["ok"] for each in reports):
        finish(FAILED)


def _report(name: str, check: Callable[[Context], str], context: Context) -> dict[str, object]:
    try:
        return {"check": name, "ok": True, "says": check(context)}
    except EXPECTED as error:
        return {"check": name, "ok": False, "says": " ".join(str(error).split())}


def _settings(context: Context) -> str:
    return f"public address {context.settings.public_url}"


def _postgresql(context: Context) -> str:
    with context.database_url() as url:
        engine = make_migration_engine(url, lock_timeout_ms=migrate.LOCK_TIMEOUT_MS)
        with engine.connect() as conn:
            return f"version {check_server(conn)}, {'given' if context.settings.database_url else 'embedded'}"


def _revision(context: Context) -> str:
    with context.database_url() as url:
        engine = make_migration_engine(url, lock_timeout_ms=migrate.LOCK_TIMEOUT_MS)
        with engine.connect() as conn:
            if not migrate.is_head(conn):
                raise TroubleError("not this release's tables; run `rollcall db upgrade`")
    return f"at {migrate.head()}"


def _data_folder(context: Context) -> str:
    if context.settings.database_url:
        return "not used, DATABASE_URL is set"
    folder = embedded.place(context.settings.data_dir, chosen=context.settings.data_dir_chosen)
    open_to_all = [path for path in (folder / "postgresql", folder / "run") if path.exists() and _others_may(path)]
    if open_to_all:
        raise TroubleError(f"{open_to_all[0]} is open to other users; close it with chmod 700")
    return str(folder)


def _others_may(path: os.PathLike[str]) -> bool:
    return bool(os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _saml_library(_context: Context) -> str:
    return ", ".join(f"{name} {version}" for name, version in saml_library.library_versions().items())


def _disk(context: Context) -> str:
    folder = context.settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise TroubleError(f"only {free // 2**20} MiB free at {folder}")
    return f"{free // 2**20} MiB free"


CHECKS: Final[dict[str, Callable[[Context], str]]] = {
    "settings": _settings,
    "PostgreSQL": _postgresql,
    "revision": _revision,
    "data folder": _data_folder,
    "SAML library": _saml_library,
    "disk": _disk,
}
