"""The SCIM sources and how they are; one of them; a new one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count
from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.provisioning import own, terms
from app.console.provisioning.own import HOME
from app.console.rendering import back, field, page
from app.console.routing import Route
from app.console.scim_dictionary import meaning
from app.console.scim_vendors import named, of_system, vendors
from app.console.visit import Visit
from app.identity.model import Affiliation
from app.store import credentials, receivers, scim_clients, scim_health, scim_requests, tenants
from app.store.credentials import Kind, Listed
from app.store.engine import reading
from app.store.tenants import NameTakenError
from app.sync import source_changes

KINDS: Final[tuple[Kind, ...]] = ("scim_token", "client", "client_secret")
NEWEST: Final = 10
AFFILIATIONS: Final = {Affiliation.EMPLOYEE.value: "Employees", Affiliation.CUSTOMER.value: "Customers"}


def overview(desk: Desk, visit: Visit) -> Response:
    """All sources, each with what needs attention."""
    now = desk.now()
    with reading(desk.engine) as conn:
        found = scim_health.listing(conn, visit.tenant_id, now)
        held = credentials.living(conn, visit.tenant_id, KINDS)
        heard = receivers.listing(conn, visit.tenant_id)
    shown = [(one, _shown(held, one.id), [each for each in heard if each.source_id in (None, one.id)]) for one in found]
    return page("provisioning/sources.html", shown=shown, state=lambda one: terms.state(one, now))


def one(desk: Desk, visit: Visit, source_id: str) -> Response:
    """One source: its health, credentials, newest requests, receivers, and what waits."""
    return render(desk, visit, source_id)


def render(
    desk: Desk,
    visit: Visit,
    source_id: str,
    status: int = 200,
    *,
    issued: Mapping[str, str | None] | None = None,
    errors: Mapping[str, str] | None = None,
    form: str = "",
) -> Response:
    """The page of one source; `issued` is what a form has just made, `errors` are those of the form named `form`."""
    now = desk.now()
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        health = next(iter(scim_health.listing(conn, visit.tenant_id, now, source.id)), None)
        held = credentials.living(conn, visit.tenant_id, KINDS, source_id=source.id)
        trusts = scim_clients.federations(conn, visit.tenant_id, [one.id for one in held if one.kind == "client"])
        asked = scim_requests.Asked(source_id=source.id, limit=NEWEST)
        newest = scim_requests.page(conn, visit.tenant_id, asked)
        heard = receivers.listing(conn, visit.tenant_id)
        waiting = scim_health.pending(conn, visit.tenant_id, source.id) if health and health.pending else ()
    last = None if health is None else health.last
    return page(
        "provisioning/source.html",
        status,
        source=source,
        health=health,
        tokens=[one for one in held if one.kind == "scim_token"],
        clients=[(one, trusts.get(one.id), _secrets(held, one)) for one in held if _is_scim_client(one)],
        newest=newest,
        receivers=[each for each in heard if each.source_id in (None, source.id)],
        waiting=waiting,
        refusal=None if last is None or last.status < 400 else meaning(last.status, last.scim_type),
        vendor=of_system(source.system),
        base_url=desk.settings.scim_base_url,
        token_url=f"{desk.public_url}/oauth/token",
        scope=scim_clients.SCOPE,
        lives=list(terms.LIVES.items()),
        overlaps=list(terms.OVERLAPS.items()),
        state=lambda one: terms.state(one, now),
        issued=issued,
        errors=errors or {},
        form=form,
    )


def form(desk: Desk, visit: Visit) -> Response:
    """A form for a new source."""
    return _form(200, {}, {"system": field("system")})


def create(desk: Desk, visit: Visit) -> Response:
    """Make the source, and go on to its set-up."""
    said = {name: field(name) for name in ("name", "system", "other", "affiliation")}
    system = said["other"] if said["system"] == "other" else said["system"]
    name = said["name"].lower() or _free_name(desk, visit, system)
    errors = {}
    if not tenants.NAME.fullmatch(name):
        errors["name"] = "A name is lower-case letters, digits and inner hyphens, at most 63: okta, or entra-partners."
    if not tenants.NAME.fullmatch(system):
        errors["other"] = "Say which product it is: lower-case letters, digits and inner hyphens."
    if said["affiliation"] not in AFFILIATIONS:
        errors["affiliation"] = "Choose one of these."
    if errors:
        return _form(422, errors, said)
    try:
        made = source_changes.create(
            desk.engine,
            visit.tenant_id,
            name,
            kind="idp",
            system=system,
            affiliation=said["affiliation"],
            actor=visit.actor,
        )
    except NameTakenError:
        return _form(422, {"name": "There is a source of this name already. Choose another one."}, said)
    return back(f"{own.page_of(made)}/set-up", f"The source {made.name} is there. Now connect it.")


def _free_name(desk: Desk, visit: Visit, system: str) -> str:
    """What a source of that product is called if nobody says: okta, then okta-2."""
    with reading(desk.engine) as conn:
        taken = {one.name for one in tenants.sources(conn, visit.tenant_id)}
    return next(name for name in chain((system,), (f"{system}-{n}" for n in count(2))) if name not in taken)


def _form(status: int, errors: Mapping[str, str], said: Mapping[str, str]) -> Response:
    products = [(one.systems[0], one.title) for one in vendors() if one.systems]
    generic = named("generic")
    assert generic is not None
    products.append(("other", generic.title))
    return page(
        "provisioning/new.html",
        status,
        errors=errors,
        given=said,
        products=products,
        affiliations=list(AFFILIATIONS.items()),
    )


def _is_scim_client(one: Listed) -> bool:
    return one.kind == "client" and scim_clients.SCOPE in one.scopes


def _secrets(held: list[Listed], client: Listed) -> list[Listed]:
    return [one for one in held if one.kind == "client_secret" and one.client_id == client.id]


def _shown(held: list[Listed], source_id: str) -> list[Listed]:
    """What proves who calls: tokens and secrets; a client itself only where it has no secret."""
    mine = [one for one in held if one.source_id == source_id]
    with_secret = {one.client_id for one in mine if one.kind == "client_secret"}
    return [one for one in mine if one.kind != "client" or (_is_scim_client(one) and one.id not in with_secret)]


ROUTES: Final = (
    Route("GET", HOME, overview),
    Route("GET", f"{HOME}/new", form, "admin"),
    Route("POST", f"{HOME}/new", create, "admin"),
    Route("GET", f"{HOME}/<source_id>", one),
)
