"""All connections of the tenant, with what each came to lately, and those that are still being set up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import Response

from app.adapters.connection_view import described
from app.console.connections.place import BASE, section_tabs
from app.console.desk import Desk
from app.console.rendering import page
from app.console.routing import Route
from app.console.visit import Visit
from app.store import connection_setups, connections, sign_in_log
from app.store.engine import reading
from app.store.sign_in_log import Lately

DAY: Final = timedelta(hours=24)


def listing(desk: Desk, visit: Visit) -> Response:
    now = desk.now()
    with reading(desk.engine) as conn:
        found = connections.listing(conn, visit.tenant_id)
        lately = sign_in_log.lately(conn, visit.tenant_id, [one.id for one in found], now - DAY)
        waiting = connection_setups.waiting(conn, visit.tenant_id)
    rows = [
        _row(described(one, desk.public_url, now), lately.get(one.id), one.enabled and one.source_state == "active")
        for one in found
    ]
    return page("connections/list.html", rows=rows, waiting=waiting, tabs=section_tabs(BASE))


def _row(data: dict[str, Any], lately: Lately | None, on: bool) -> dict[str, Any]:
    ends = [one["not_after"] for one in data["certificates"]]
    return {
        **data,
        "on": on,
        "lately": lately,
        "certificate_ends": max(ends, default=None),
        "certificate_soon": bool(ends) and all(one["expires_soon"] for one in data["certificates"]),
    }


ROUTES: Final = (Route("GET", BASE, listing),)
