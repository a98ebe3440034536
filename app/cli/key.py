"""`rollcall key`: the keys that sign tokens, and the encryption of stored secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from app.cli.context import Context, json_option, show, table
from app.cli.issuing import minute
from app.events import issuing
from app.events.receivers import reseal as seal_again
from app.store.engine import reading


@click.group()
def key() -> None:
    """Keys that sign tokens; /.well-known/jwks.json shows their public parts."""


@key.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """Show the signing keys. It says which signs, which will, which is only published."""
    with context.database() as engine, reading(engine) as conn:
        keys = issuing.published_keys(conn)
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {"kid": each.kid, "algorithm": each.public["alg"], "signs_from": each.signs_from, "retires_at": each.retires_at}
        for each in keys
        if each.is_published(now)
    ]
    shown = [(each["kid"], each["algorithm"], minute(each["signs_from"]), minute(each["retires_at"])) for each in rows]
    show(rows, table(shown, ["kid", "algorithm", "signs from", "retires at"]), as_json=as_json)


@key.command()
@click.option(
    "--overlap", default=24, show_default=True, type=click.IntRange(1, 24 * 90), help="Hours that old ones stay valid."
)
@json_option
@click.pass_obj
def rotate(context: Context, overlap: int, as_json: bool) -> None:
    """Make new signing keys. They sign in an hour, when everybody can know them; the old ones stay published."""
    vault = context.vault
    with context.database() as engine:
        made = issuing.rotate(engine, vault, timedelta(hours=overlap))
    data = [{"kid": key.kid, "algorithm": key.algorithm, "signs_from": key.signs_from} for key in made]
    lines = [f"{key.kid} ({key.algorithm}) signs from {minute(key.signs_from)} UTC." for key in made]
    show(data, "\n".join(lines), as_json=as_json)


@key.command()
@json_option
@click.pass_obj
def reseal(context: Context, as_json: bool) -> None:
    """Encrypt stored secrets anew. The first key of ROLLCALL_SECRET_KEY does it; the others can be dropped then."""
    vault = context.vault
    with context.database() as engine:
        count = seal_again(engine, vault)
    show({"resealed": count}, f"{count} secrets are encrypted with the first key.", as_json=as_json)
