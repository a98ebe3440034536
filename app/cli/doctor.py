"""`rollcall doctor`: is everything here that the server needs?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click
import sqlalchemy as sa

from app.adapters import health
from app.adapters.health import TroubleError
from app.cli.context import FAILED, Context, finish, json_option, show, table
from app.settings import SettingsError
from app.store import migrate
from app.store.embedded_user import EmbeddedError
from app.store.engine import ServerTooOldError, check_server, make_migration_engine

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
            return health.revision(migrate.is_head(conn))


def _data_folder(context: Context) -> str:
    return health.data_folder(context.settings)


def _saml_library(_context: Context) -> str:
    return health.saml_versions()


def _disk(context: Context) -> str:
    return health.disk(context.settings)


CHECKS: Final[dict[str, Callable[[Context], str]]] = {
    "settings": _settings,
    "PostgreSQL": _postgresql,
    "revision": _revision,
    "data folder": _data_folder,
    "SAML library": _saml_library,
    "disk": _disk,
}
