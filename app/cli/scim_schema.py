"""`rollcall scim schema`: what a tenant's users and groups may hold beyond the RFCs' schemas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson

from app.adapters import schemas
from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.store import schemas as store
from app.store import tenants
from app.store.engine import reading
from scim.extensions import DeclarationError

yes_option = click.option("--yes", is_flag=True, help="Drop stored values that do not fit any more.")


@click.group()
def schema() -> None:
    """Schemas that a tenant declares. They extend its users or groups (RFC 7643 §7)."""


@schema.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tenant_option
@click.option("--kind", type=click.Choice(list(store.TABLES)), default="User", show_default=True, help="It extends.")
@yes_option
@json_option
@click.pass_obj
def add(context: Context, file: Path, tenant_name: str, kind: str, yes: bool, as_json: bool) -> None:
    """Declare the schema in FILE. One of the same URN is changed."""
    try:
        document = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from None
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        with _explained():
            saved = schemas.declare(engine, tenant_id, kind, document, actor=actor(), drop_values=yes)
    text = f"{saved.urn} {'is declared' if saved.created else 'is changed'} for each {kind}."
    if saved.refitted:
        text += f" {saved.refitted} stored documents were brought in line."
    show(saved, text, as_json=as_json)


@schema.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show what is declared. With it, how many resources hold values of it."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        found: list[dict[str, Any]] = [
            {
                "urn": one.urn,
                "kind": one.kind,
                "attributes": [attribute["name"] for attribute in one.document["attributes"]],
                "resources": store.count(conn, tenant_id, one.kind, one.urn),
                "updated_at": one.updated_at,
            }
            for one in store.listing(conn, tenant_id)
        ]
    rows = [(one["urn"], one["kind"], len(one["attributes"]), one["resources"]) for one in found]
    show(found, table(rows, ["urn", "kind", "attributes", "resources"]), as_json=as_json)


@schema.command("show")
@click.argument("urn")
@tenant_option
@json_option
@click.pass_obj
def show_(context: Context, urn: str, tenant_name: str, as_json: bool) -> None:
    """Show one declaration, as /Schemas does."""
    with context.database() as engine, reading(engine) as conn:
        declared = store.listing(conn, tenants.find(conn, tenant_name).id)
    found = next((one.document for one in declared if one.urn.lower() == urn.lower()), None)
    if found is None:
        raise click.ClickException(f"the tenant declared no schema {urn}")
    show(found, orjson.dumps(found, option=orjson.OPT_INDENT_2).decode(), as_json=as_json)


@schema.command()
@click.argument("urn")
@tenant_option
@yes_option
@json_option
@click.pass_obj
def remove(context: Context, urn: str, tenant_name: str, yes: bool, as_json: bool) -> None:
    """Take a schema away. Its values leave the documents of all resources that are there."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        with _explained():
            gone = schemas.remove(engine, tenant_id, urn, actor=actor(), drop_values=yes)
    text = f"{gone.urn} is gone, and its values from {gone.refitted} resources."
    show(gone, text, as_json=as_json)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except DeclarationError as error:
        raise click.UsageError(f"the schema cannot be kept\n{error}") from error
    except schemas.StoredValuesError as error:
        raise click.ClickException(f"{error}. Nothing was changed; --yes drops them.") from error
