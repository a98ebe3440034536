"""`rollcall saml-key`: the keys by which identity providers know us over SAML."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from app.adapters.connections import LEAD, ensure_key, rotate_key
from app.cli.context import Context, json_option, show, table
from app.cli.issuing import minute
from app.store import saml_keys
from app.store.engine import reading
from sso import certificates


@click.group("saml-key")
def saml_key() -> None:
    """Keys that sign our SAML messages and decrypt assertions; each connection's metadata shows their certificates."""


@saml_key.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """Show the keys. It says which signs, which will, which only decrypts. The first is made if there is none."""
    vault = context.vault
    with context.database() as engine:
        ensure_key(engine, vault, context.settings.public_url)
        with reading(engine) as conn:
            found = saml_keys.listing(conn)
            signs = saml_keys.current(conn)[0].id
    now = datetime.now(UTC)
    data = [_data(row, str(row.id) == str(signs), now) for row in found]
    titles = ["id", "state", "signs_from", "retires_at", "expires"]
    rows = [[minute(one[name]) if name in titles[2:] else one[name] for name in titles] for one in data]
    show(data, table(rows, titles), as_json=as_json)


@saml_key.command()
@click.option(
    "--lead",
    default=LEAD.days,
    show_default=True,
    type=click.IntRange(0, 365),
    help="Days until it signs: every identity provider must know it by then.",
)
@click.option(
    "--overlap", default=30, show_default=True, type=click.IntRange(1, 365), help="Days that old ones go on decrypting."
)
@json_option
@click.pass_obj
def rotate(context: Context, lead: int, overlap: int, as_json: bool) -> None:
    """Make a new key. Providers that do not read our metadata by themselves must be given its certificate."""
    vault, name = context.vault, context.settings.public_url
    with context.database() as engine:
        id, begins = rotate_key(engine, vault, name, lead=timedelta(days=lead), overlap=timedelta(days=overlap))
    show({"id": id, "signs_from": begins}, f"{id} signs from {minute(begins)} UTC.", as_json=as_json)


def _data(row: Any, signs: bool, now: datetime) -> dict[str, Any]:
    read = certificates.read(row.certificate)
    over = row.retires_at is not None and row.retires_at <= now
    state = "over" if over else "signs" if signs else "will sign" if row.signs_from > now else "decrypts"
    return {
        "id": row.id,
        "state": state,
        "signs_from": row.signs_from,
        "retires_at": row.retires_at,
        "expires": read.not_after,
        "fingerprint": read.fingerprint,
        "certificate": row.certificate,
    }
