"""All sources, and making one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.rendering import back, field, page
from app.console.sources import words
from app.console.visit import Visit
from app.identity.model import Affiliation
from app.store import rules as rulebook
from app.store import source_reads, tenants
from app.store.engine import reading
from app.sync import source_changes

MADE_HERE: Final = ("hris", "crm", "idp")  # a sign-in's source comes with its connection
SYSTEMS: Final = ("workday", "successfactors", "adp", "bamboohr", "salesforce", "dynamics", "hubspot", "okta", "entra",
                  "onelogin", "google", "generic")  # fmt: skip


def shown(desk: Desk, visit: Visit) -> Response:
    """The tenant's sources, how they go, and what each owns first."""
    with reading(desk.engine) as conn:
        found = source_reads.overview(conn, visit.tenant_id)
        rules = rulebook.current(conn, visit.tenant_id)
    owned = {id: words.owns_first(source, rules) for id, source in rules.sources.items()}
    return page(
        "sources/listing.html",
        sources=found,
        owned=owned,
        kinds=words.KINDS,
        states=words.STATES,
        affiliations=words.AFFILIATIONS,
    )


def new(desk: Desk, visit: Visit) -> Response:
    """The form for a source."""
    return _form({"kind": "hris", "affiliation": "employee", "employee_namespace": "default", "system": "generic"}, {})


def create(desk: Desk, visit: Visit) -> Response:
    """Make the source."""
    said = {name: field(name) for name in ("name", "kind", "system", "affiliation", "employee_namespace", "domains")}
    domains = [one for one in said["domains"].replace(",", " ").split() if one]
    errors = _errors(said, domains)
    if errors:
        return _form(said, errors, 422)
    try:
        made = source_changes.create(
            desk.engine,
            visit.tenant_id,
            said["name"],
            kind=said["kind"],
            system=said["system"],
            affiliation=said["affiliation"],
            employee_namespace=said["employee_namespace"] or None,
            domains=domains,
            actor=visit.actor,
        )
    except tenants.NameTakenError:
        return _form(said, {"name": "There is a source of this name already. Choose another."}, 422)
    return back(f"/admin/sources/{made.id}", f"The source {made.name} is there.")


def _errors(said: Mapping[str, str], domains: list[str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    rule = "Use lower-case letters, digits and inner hyphens, at most 63."
    for name in ("name", "system"):
        if not tenants.NAME.fullmatch(said[name]):
            errors[name] = rule
    if said["employee_namespace"] and not tenants.NAME.fullmatch(said["employee_namespace"]):
        errors["employee_namespace"] = rule
    if said["kind"] not in MADE_HERE:
        errors["kind"] = "Choose what it is."
    if said["affiliation"] not in [each.value for each in Affiliation]:
        errors["affiliation"] = "Choose whom it speaks about."
    wrong = [one for one in domains if not tenants.DOMAIN.fullmatch(tenants.domain_name(one))]
    if wrong:
        errors["domains"] = f"{wrong[0]} is not a domain name. Write them like example.com, with spaces between."
    return errors


def _form(said: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    return page(
        "sources/new.html",
        status,
        said_so_far=said,
        errors=errors,
        kinds=[(kind, words.KINDS[kind]) for kind in MADE_HERE],
        affiliations=list(words.AFFILIATIONS.items()),
        systems=SYSTEMS,
    )
