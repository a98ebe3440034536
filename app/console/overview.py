"""The console's first page: what needs attention, how far a new tenant has come, and how busy it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Response

from app.console import attention
from app.console.desk import Desk
from app.console.rendering import page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store.engine import reading
from app.store.first_steps import FirstSteps, first_steps
from app.store.overview import Hour, overview, requests_by_hour, sign_ins_by_hour

SECTION: Final = Section("overview", "Overview", "layout-dashboard", "/admin", 10)


def show(desk: Desk, visit: Visit) -> Response:
    """The page."""
    now = desk.now()
    with reading(desk.engine) as conn:
        found = overview(conn, visit.tenant_id, now)
        steps = first_steps(conn, visit.tenant_id)
        requests = requests_by_hour(conn, visit.tenant_id, now)
        sign_ins = sign_ins_by_hour(conn, visit.tenant_id, now)
    return page(
        "overview/show.html",
        title="Overview",
        items=attention.items(found, now),
        steps=None if steps.done else _steps(steps),
        resources=found.resources,
        requests=_rows(requests),
        sign_ins=_rows(sign_ins),
    )


def _rows(hours: Sequence[Hour]) -> list[tuple[object, int, int]]:
    return [(hour.start, hour.well.number, hour.refused.number) for hour in hours]


def _steps(there: FirstSteps) -> list[tuple[str, str, str, bool]]:
    """What is left to do for a new tenant: title, sentence, address, done."""
    return [
        (
            "Connect where people come from",
            "An identity provider pushes them by SCIM, an HR system sends a file or calls the API.",
            "/admin/provisioning",
            there.source,
        ),
        (
            "See the first people arrive",
            "Assign somebody in the identity provider, or upload a file of a few.",
            "/admin/people",
            there.people,
        ),
        (
            "Give groups their roles",
            "Groups appear as they are pushed. What is not mapped grants nothing.",
            "/admin/groups",
            there.mapping,
        ),
        (
            "Let people sign in",
            "A connection by SAML or OpenID Connect, in numbered steps for each provider.",
            "/admin/sign-in-connections",
            there.connection,
        ),
        (
            "See somebody sign in",
            "The test of a connection shows each attribute that arrives, before anybody depends on it.",
            "/admin/sign-in-connections",
            there.signed_in,
        ),
    ]


ROUTES: Final = (Route("GET", "/admin", show),)
