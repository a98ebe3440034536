"""The `rollcall` command. One file a group of verbs; each verb parses, calls one thing, prints.

Every command that prints has `--json`. It ends with 0 done, 1 failed, 2 wrong usage, 3 held by a guard.
"""

from __future__ import annotations

import os
from typing import Any, Final

import click
import sqlalchemy as sa

from app.cli.context import Context
from app.cli.lazy import LazyGroup
from app.identity.merging_guards import NotMergedError
from app.identity.writes import BusyError, LastAdministratorError, NotByHandError
from app.settings import SettingsError
from app.store.credentials import UnknownCredentialError
from app.store.embedded_user import EmbeddedError
from app.store.engine import ServerTooOldError
from app.store.tenants import NameTakenError, NotFoundError
from app.store.vault import VaultError

__all__ = ["main", "rollcall"]

VERBS: Final = {
    "account": "account_merging:account",
    "admin": "admin:admin",
    "api": "api:api",
    "audit": "audit:audit",
    "client": "client:client",
    "config": "config:config",
    "connection": "connection:connection",
    "db": "db:db",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "duplicate": "duplicate:duplicate",
    "key": "key:key",
    "mapping": "mapping:mapping",
    "ownership": "ownership:ownership",
    "role": "role:role",
    "run": "importing:run_group",
    "saml-key": "saml_key:saml_key",
    "scim": "scim:scim",
    "serve": "serve:serve",
    "session": "session:session",
    "sign-in": "sign_in:sign_in",
    "source": "source:source",
    "tenant": "tenant:tenant",
    "worker": "worker:worker",
}

# What a command may fail with that a sentence explains; anything else is a defect and shows its traceback.
EXPECTED: Final = (
    BusyError,
    EmbeddedError,
    LastAdministratorError,
    NameTakenError,
    NotByHandError,
    NotFoundError,
    NotMergedError,
    ServerTooOldError,
    UnknownCredentialError,
    VaultError,
)


class _Rollcall(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            raise click.ClickException(str(error)) from error
        except SettingsError as error:
            raise click.UsageError(f"the environment is wrong\n{error}") from error
        except sa.exc.OperationalError as error:
            raise click.ClickException(f"PostgreSQL: {error.orig}") from error


@click.group(cls=_Rollcall, lazy=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rollcall")
@click.pass_context
def rollcall(ctx: click.Context) -> None:
    """The identity hub of learning platforms."""
    if ctx.obj is None:
        ctx.obj = Context(os.environ)


def main() -> None:
    """The console script."""
    rollcall()
