"""`rollcall source`: the systems that speak about a tenant's people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
import sqlalchemy as sa

from app.cli.context import Context, actor, json_option, name_of, show, table, tenant_option
from app.cli.issuing import minute
from app.cli.lazy import LazyGroup
from app.identity.model import Affiliation, SourceKind
from app.store import drift, tenants
from app.store.engine import reading
from app.sync import rules, source_changes
from app.sync.rule_changes import Retirement, RuleError


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
    with context.database() as engine:
        with reading(engine) as conn:
            tenant = tenants.find(conn, tenant_name)
        made = source_changes.create(
            engine,
            tenant.id,
            name,
            kind=kind,
            system=system,
            affiliation=affiliation,
            employee_namespace=employee_namespace,
            domains=domains,
            actor=actor(),
        )
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


@source.command()
@click.argument("name")
@tenant_option
@json_option
@click.pass_obj
def pause(context: Context, name: str, tenant_name: str, as_json: bool) -> None:
    """Take nothing from a source until it goes on. Changes no person."""
    with _named(context, tenant_name, name) as (engine, found):
        source_changes.pause(engine, found.tenant_id, found, actor=actor())
    show({"source": name, "state": "paused"}, f"Source {name} is paused.", as_json=as_json)


@source.command()
@click.argument("name")
@tenant_option
@json_option
@click.pass_obj
def resume(context: Context, name: str, tenant_name: str, as_json: bool) -> None:
    """Let a paused source go on."""
    with _named(context, tenant_name, name) as (engine, found):
        source_changes.resume(engine, found.tenant_id, found, actor=actor())
    show({"source": name, "state": "active"}, f"Source {name} goes on.", as_json=as_json)


@source.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show whom it would change, and save nothing.")
@click.option("--reason", default="", help="Why; needed where more people lose something than the guard lets pass.")
@tenant_option
@json_option
@click.pass_obj
def retire(context: Context, name: str, dry_run: bool, reason: str, tenant_name: str, as_json: bool) -> None:
    """End a source for good: its grants end, and what nobody else says stays behind."""
    with _named(context, tenant_name, name) as (engine, found):
        run_id, summary = rules.proposed(engine, found.tenant_id, Retirement(found.id), actor=actor())
        state = "planned"
        if not dry_run:
            if summary.get("holds") and not reason:
                raise click.ClickException(f"{summary['verdict']} Say why with --reason. The list is run {run_id}.")
            state = rules.save(engine, found.tenant_id, run_id, actor(), reason=reason, wait=True)
    counted = ", ".join(f"{number} {effect}" for effect, number in summary["counts"].items()) or "nobody"
    ended = "Nothing was saved" if dry_run else f"Source {name} is retired"
    text = f"{ended}. Changed: {counted}. {summary['verdict']} Run {run_id} is {state}."
    show({"source": name, "run": run_id, "state": state, **summary}, text, as_json=as_json)


@source.command()
@click.argument("name")
@click.argument("domain")
@click.option("--free", is_flag=True, help="Take the domain back from the source.")
@tenant_option
@json_option
@click.pass_obj
def domain(context: Context, name: str, domain: str, free: bool, tenant_name: str, as_json: bool) -> None:
    """Let a source alone vouch for addresses of DOMAIN."""
    with _named(context, tenant_name, name) as (engine, found):
        act = source_changes.free if free else source_changes.assign
        act(engine, found.tenant_id, found, domain, actor=actor())
    text = f"{domain} is nobody's any more." if free else f"{domain} is {name}'s."
    show({"domain": domain, "source": None if free else name}, text, as_json=as_json)


@contextmanager
def _named(context: Context, tenant_name: str, name: str) -> Iterator[tuple[sa.Engine, tenants.SourceRow]]:
    try:
        with context.database() as engine:
            with reading(engine) as conn:
                found = tenants.find_source(conn, tenants.find(conn, tenant_name).id, name)
            yield engine, found
    except (source_changes.SourceStateError, RuleError) as error:
        raise click.ClickException(str(error)) from error
