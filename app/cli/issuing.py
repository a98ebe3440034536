"""What the verbs for tokens, keys and clients share: printing a list, revoking one, reading a time span."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import click
import sqlalchemy as sa

from app.adapters import issuing
from app.cli.context import Context, actor, show, table
from app.store import credentials, tenants
from app.store.engine import reading

expires_option = click.option(
    "--expires-in", metavar="DAYS", type=click.IntRange(1, 3650), help="End it after so many days."
)


def end_after(days: int | None) -> datetime | None:
    """The instant in so many days."""
    return None if days is None else datetime.now(UTC) + timedelta(days=days)


def a_uuid(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    """A check for an argument that is an id."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not an id; `list` shows them") from None


def list_all(context: Context, tenant_name: str, kind: credentials.Kind, *, as_json: bool) -> None:
    """Prints the tenant's credentials of one kind."""
    with context.database() as engine, reading(engine) as conn:
        found = credentials.listing(conn, tenants.find(conn, tenant_name).id, [kind])
    rows = [
        (
            each.name,
            each.source,
            f"{each.hint}…",
            " ".join(each.scopes),
            state(each),
            minute(each.last_used_at),
            each.id,
        )
        for each in found
    ]
    show(found, table(rows, ["name", "source", "begins", "scopes", "state", "last used", "id"]), as_json=as_json)


def revoke_one(
    context: Context, tenant_name: str, credential_id: str, kind: credentials.Kind, *, as_json: bool
) -> None:
    """Revokes one credential of that kind and says so."""
    with context.database() as engine:
        issuing.revoke(engine, tenant_of(engine, tenant_name), credential_id, kind, actor=actor())
    show({"id": credential_id, "revoked": True}, f"{credential_id} is revoked.", as_json=as_json)


def tenant_of(engine: sa.Engine, name: str) -> str:
    """The id of the tenant of that name.

    Raises:
        NotFoundError: there is none.
    """
    with reading(engine) as conn:
        return tenants.find(conn, name).id


def state(listed: credentials.Listed) -> str:
    """Whether it is valid, and until when."""
    if listed.revoked_at is not None:
        return "revoked"
    if listed.expires_at is None:
        return "valid"
    return "expired" if listed.expires_at <= datetime.now(UTC) else f"valid until {minute(listed.expires_at)}"


def minute(at: datetime | None) -> str:
    """An instant for people."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def second(at: datetime | None) -> str:
    """The same, more exactly."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
