"""`rollcall source`: the systems that speak about a tenant's people."""

from __future__ import annotations

import click

from app.cli.context import Context, json_option, name_of, show, table, tenant_option
from app.cli.issuing import minute
from app.cli.lazy import LazyGroup
from app.identity.model import Affiliation, SourceKind
from app.store import drift, tenants
from app.store.engine import reading, writing


@click.group(cls=LazyGroup, lazy={"import": "importing:source_import", "map": "ownership:source_map"})
def source() -> None:
    """The systems that speak about a tenant's people."""


@source.command()
@click.argument("name", callback=name_of("source"))
@tenant_option
@click.option("--kind", type=click.Choice([kind.value for kind in SourceKind]), required=True, help="What it is.")
@click.option(
    "--system", required=True, callback=name_of("system"), help="Its product: okta, entra, onelogin, workday, generic …"
)
@click.option(
    "--affiliation", type=click.Choice([each.value for each in Affiliation]), default="employee", show_default=True
)
@click.option(
    "--employee-namespace", default="default", show_default=True, help="Whose numbering its employee numbers follow."
)
@click.option("--domain", "domains", multiple=True, help="A mail domain that it alone may vouch for; may be repeated.")
@json_option
@click.pass_obj
def create(
    context: Context,
    name: str,
    tenant_name: str,
    kind: str,
    system: str,
    affiliation: str,
    employee_namespace: str,
    domains: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add a source to a tenant."""
    for domain in domains:
        if not tenants.DOMAIN.fullmatch(domain.casefold()):
            raise click.BadParameter(f"{domain!r} is not a domain name", param_hint="--domain")
    with context.database() as engine, writing(engine) as conn:
        tenant = tenants.find(conn, tenant_name)
        made = tenants.create_source(
            conn,
            tenant.id,
            name,
            kind=kind,
            system=system,
            affiliation=affiliation,
            employee_namespace=employee_namespace,
        )
        for domain in domains:
            tenants.assign_domain(conn, tenant.id, domain, made.id)
    show(made, f"Source {made.name} of {tenant.name} is there ({made.id}).", as_json=as_json)


@source.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show a tenant's sources."""
    with context.database() as engine, reading(engine) as conn:
        found = tenants.sources(conn, tenants.find(conn, tenant_name).id)
    rows = [(each.name, each.kind, each.system, each.affiliation, each.state, each.id) for each in found]
    show(found, table(rows, ["name", "kind", "system", "affiliation", "state", "id"]), as_json=as_json)


@source.command("drift")
@tenant_option
@json_option
@click.pass_obj
def drift_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show what sources sent and nobody understood."""
    with context.database() as engine, reading(engine) as conn:
        found = drift.listing(conn, tenants.find(conn, tenant_name).id)
    rows = [(one.source, one.path, one.times, minute(one.last_at)) for one in found]
    show(found, table(rows, ["source", "path", "times", "last"]), as_json=as_json)
