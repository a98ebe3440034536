"""Schemas that the tenant declared, and drift: what arrived and nothing knows."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Response

from app.adapters import schemas as declaring
from app.adapters.scim_store import UNKNOWN_MEMBER
from app.console.desk import Desk
from app.console.provisioning.own import HOME
from app.console.rendering import arg, back, field, page
from app.console.routing import Route
from app.console.visit import Visit
from app.store import drift as drifting
from app.store import schemas as store
from app.store.engine import reading
from scim.extensions import DeclarationError

HERE: Final = f"{HOME}/schemas"
SHOWN: Final = 100
KINDS: Final = (("User", "Users"), ("Group", "Groups"))
EXAMPLE: Final = """{
  "id": "urn:acme:params:scim:schemas:extension:training:2.0:User",
  "name": "Training",
  "attributes": [
    { "name": "costCentre", "type": "string", "multiValued": false }
  ]
}"""


def show(desk: Desk, visit: Visit) -> Response:
    """What is declared, and a form to declare more."""
    return _page(desk, visit)


def add(desk: Desk, visit: Visit) -> Response:
    """Declare what was pasted; one of the same URN is changed."""
    text, kind = field("document"), field("kind", "User")
    drop = field("drop") == "yes"
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _page(desk, visit, 422, text=text, kind=kind, errors={"document": f"This is not JSON: {error}."})
    if kind not in dict(KINDS):
        return _page(desk, visit, 422, text=text, errors={"kind": "Choose one of these."})
    try:
        saved = declaring.declare(desk.engine, visit.tenant_id, kind, document, actor=visit.actor, drop_values=drop)
    except DeclarationError as error:
        said = [f"{path or 'The document'} {message}." for path, message in error.complaints]
        return _page(desk, visit, 422, text=text, kind=kind, errors={"document": " ".join(said)})
    except declaring.StoredValuesError as error:
        return _page(desk, visit, 422, text=text, kind=kind, asks_drop=True, errors={"document": f"{error}."})
    done = "is declared" if saved.created else "is changed"
    return back(HERE, f"{saved.urn} {done} for {dict(KINDS)[kind].lower()}.")


def remove(desk: Desk, visit: Visit) -> Response:
    """Take one away, and its values with it where the form says so."""
    urn = field("urn")
    try:
        gone = declaring.remove(
            desk.engine, visit.tenant_id, urn, actor=visit.actor, drop_values=field("drop") == "yes"
        )
    except declaring.StoredValuesError as error:
        return _page(desk, visit, 409, held=urn, errors={"urn": f"Nothing was changed: {error}."})
    return back(HERE, f"{gone.urn} is gone, and its values from {gone.refitted} resources.")


def drift(desk: Desk, visit: Visit) -> Response:
    """What sources send and nobody understands, the newest first."""
    after = arg("after")
    with reading(desk.engine) as conn:
        found = drifting.page(conn, visit.tenant_id, after, SHOWN + 1)
    following = drifting.mark(found[SHOWN - 1]) if len(found) > SHOWN else ""
    rows = [(one, _said(one.path)) for one in found[:SHOWN]]
    return page("provisioning/drift.html", rows=rows, following=following, after=after)


def _said(path: str) -> str:
    if path == UNKNOWN_MEMBER:
        return "Left out: a group named a member whom Rollcall does not know."
    if path.lower().startswith("urn:"):
        return (
            "Never mapped: no schema declares it. Declare it under Schemas, or take it out of the provider's mapping."
        )
    return "Ignored: no schema has such an attribute. Look for a slip in the provider's mapping."


def _page(desk: Desk, visit: Visit, status: int = 200, **values: Any) -> Response:
    with reading(desk.engine) as conn:
        found = store.listing(conn, visit.tenant_id)
    shown: dict[str, Any] = {"text": "", "kind": "User", "errors": {}, "asks_drop": False, "held": "", **values}
    pretty = [(one, orjson.dumps(one.document, option=orjson.OPT_INDENT_2).decode()) for one in found]
    return page("provisioning/schemas.html", status, found=pretty, kinds=KINDS, example=EXAMPLE, **shown)


ROUTES: Final = (
    Route("GET", HERE, show),
    Route("POST", HERE, add, "admin"),
    Route("POST", f"{HERE}/remove", remove, "admin"),
    Route("GET", f"{HOME}/drift", drift),
)
