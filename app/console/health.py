"""How Rollcall is: what `rollcall doctor` looks at, this tenant's receivers and metadata, and the versions at work."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from typing import Final

from flask import Response

from app.adapters import health
from app.console.desk import Desk
from app.console.rendering import page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store import connections, receivers
from app.store import health as reads
from app.store.engine import reading

SECTION: Final = Section("health", "Health", "activity", "/admin/health", 90)
LIBRARIES: Final = ("flask", "sqlalchemy", "psycopg", "procrastinate", "authlib", "python3-saml")
# What a check looks at, for people who did not install this.
TITLES: Final = {
    "PostgreSQL": "Database",
    "revision": "Tables",
    "connections": "Connections to the database",
    "clocks": "Clocks",
    "worker": "Background worker",
    "jobs": "Background jobs",
    "data folder": "Data folder",
    "disk": "Disk",
    "SAML library": "SAML library",
}


def show(desk: Desk, visit: Visit) -> Response:
    """The page."""
    checks = health.checks(desk.engine, desk.settings, desk.now())
    with reading(desk.engine) as conn:
        behind = {one.id: one for one in reads.behind(conn, visit.tenant_id)}
        listed = receivers.listing(conn, visit.tenant_id)
        known = connections.listing(conn, visit.tenant_id)
    return page(
        "health/show.html",
        title="Health",
        checks=[(TITLES.get(check.name, check.name), check) for check in checks],
        wrong=sum(not check.ok for check in checks),
        receivers=[(one, behind.get(one.id)) for one in listed],
        connections=[one for one in known if one.metadata_url],
        versions=versions(),
        now=desk.now(),
    )


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Of Rollcall, and of what it runs on."""
    return (
        ("Rollcall", version("rollcall")),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in LIBRARIES),
    )


ROUTES: Final = (Route("GET", "/admin/health", show),)
