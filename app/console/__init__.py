"""The console: where administrators see, try and decide. Pages at /admin, made on the server.

    request ─▶ routing (session, role, form's token) ─▶ one handler of a section ─▶ reads of app/store, acts of
                                                          │                         app/adapters, app/sync, …
                                                          └▶ rendering ─▶ templates/console/<section>/

A section is a module with its `ROUTES`, and a `SECTION` where it stands in the navigation; it is listed here once.
Handlers parse, call one function, answer. docs/console.md tells how to add a page.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

from flask import Blueprint

from app.console import (
    access,
    administrators,
    assets,
    audit,
    connections,
    duplicates,
    finding,
    group_drafts,
    group_history,
    groups,
    health,
    links_in,
    lms_roles,
    merging,
    overview,
    people,
    person,
    person_acts,
    phrases,
    proving,
    provisioning,
    runs,
    setup_links,
    sources,
    tenant_settings,
    themes,
    trying,
    ways_in,
)
from app.console.desk import Desk
from app.console.routing import Route, Section, add

MODULES: Final[tuple[ModuleType, ...]] = (
    access,
    administrators,
    audit,
    connections,
    duplicates,
    finding,
    group_drafts,
    group_history,
    groups,
    health,
    links_in,
    lms_roles,
    merging,
    overview,
    people,
    person,
    person_acts,
    proving,
    provisioning,
    runs,
    setup_links,
    sources,
    tenant_settings,
    themes,
    trying,
    ways_in,
)


def routes() -> tuple[Route, ...]:
    """Every route of the console, each once."""
    return tuple(route for module in MODULES for route in module.ROUTES)


def sections() -> tuple[Section, ...]:
    """The navigation, in no order."""
    return tuple(module.SECTION for module in MODULES if hasattr(module, "SECTION"))


def blueprint(desk: Desk) -> Blueprint:
    """The console, to be registered without a prefix."""
    made = Blueprint("console", __name__)
    assets.add(made)
    phrases.add(made)
    add(made, desk, routes(), sections())
    return made
