"""Pause, resume, retire a source; the mail domains that it vouches for."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from app.console.desk import Desk
from app.console.rendering import Refused, back, field
from app.console.sources import one
from app.console.visit import Visit
from app.store import tenants
from app.store.engine import reading
from app.store.tenants import SourceRow
from app.sync import rules, source_changes
from app.sync.rule_changes import Retirement


def pause(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Take nothing from it until it goes on."""
    return _turned(desk, visit, source_id, source_changes.pause, "is paused. Nothing is taken from it; nobody changed.")


def resume(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Let it go on."""
    return _turned(desk, visit, source_id, source_changes.resume, "goes on.")


def retire(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Work out what retiring it would change; nothing is retired yet."""
    source = row(desk, visit, source_id)
    try:
        run = rules.propose(desk.engine, visit.tenant_id, Retirement(source.id), actor=visit.actor)
    except rules.RuleError as error:
        raise Refused(409, f"{error}.".capitalize()) from error
    return back(f"/admin/runs/{run}")


def assign(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Let it alone vouch for a domain."""
    source, domain = row(desk, visit, source_id), field("domain")
    if not tenants.DOMAIN.fullmatch(tenants.domain_name(domain)):
        wrong = "That is not a domain name. Write it like example.com."
        return one.show(desk, visit, source_id, 422, errors={"domain": wrong}, domain=domain)
    source_changes.assign(desk.engine, visit.tenant_id, source, domain, actor=visit.actor)
    return back(f"/admin/sources/{source.id}#domains", f"{tenants.domain_name(domain)} is {source.name}'s now.")


def free(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Take a domain back from it."""
    source, domain = row(desk, visit, source_id), field("domain")
    source_changes.free(desk.engine, visit.tenant_id, source, domain, actor=visit.actor)
    return back(f"/admin/sources/{source.id}#domains", f"{domain} is assigned to nobody any more.")


def row(desk: Desk, visit: Visit, source_id: str) -> SourceRow:
    """The tenant's source of this id, as it is stored.

    Raises:
        NotFoundError: there is none.
    """
    with reading(desk.engine) as conn:
        return tenants.source_by_id(conn, visit.tenant_id, source_id)


def _turned(desk: Desk, visit: Visit, source_id: str, turn: Callable[..., None], said: str) -> Response:
    source = row(desk, visit, source_id)
    try:
        turn(desk.engine, visit.tenant_id, source, actor=visit.actor)
    except source_changes.SourceStateError as error:
        raise Refused(409, str(error)) from error
    return back(f"/admin/sources/{source.id}", f"The source {source.name} {said}")
