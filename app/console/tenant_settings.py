"""What the organisation decided: every tenant setting with its sentence, default and range. An owner changes them.

What changes people's roles (whether the highest one wins) is shown first, as a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request

from app.console.desk import Desk
from app.console.rendering import back, field, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store import source_reads, tenants
from app.store.engine import reading
from app.store.tenant_settings import SETTINGS, Setting, value
from app.sync import rules, source_changes
from app.sync.rule_changes import HighestRole
from app.sync.source_changes import ROLE_RULE

# title, the names' beginnings
GROUPS: Final = (
    ("Roles", ("highest_role",)),
    ("The guard", ("guard.",)),
    ("People", ("forget_", "both_")),
    ("SCIM", ("scim.",)),
    ("Signing in", ("session.", "sign_in.")),
    ("The console", ("console.",)),
    ("Others", ("",)),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting and what is chosen; `text` is what a form holds."""

    setting: Setting
    value: Any
    text: str

    @property
    def kind(self) -> str:
        return "switch" if isinstance(self.setting.default, bool) else "number"

    @property
    def differs(self) -> bool:
        return bool(self.value != self.setting.default)


def shown(desk: Desk, visit: Visit) -> Response:
    """All settings."""
    return _page(desk, visit)


def save(desk: Desk, visit: Visit) -> Response:
    """Save those of the form that differ; all of them, or none if one is wrong."""
    texts = {one.name: _text(one) for one in SETTINGS if one.name != ROLE_RULE and f"has-{one.name}" in request.form}
    try:
        changed = source_changes.choose(desk.engine, visit.tenant_id, texts, actor=visit.actor)
    except source_changes.SettingsError as error:
        return _page(desk, visit, 422, texts, error.errors)
    number = len(changed)
    said = f"Saved: {number} {'setting' if number == 1 else 'settings'}." if number else "Nothing differs from before."
    return back("/admin/settings", said, "success" if number else "info")


def highest_role(desk: Desk, visit: Visit) -> Response:
    """Show whose roles would change."""
    run = rules.propose(desk.engine, visit.tenant_id, HighestRole(field("wins") == "true"), actor=visit.actor)
    return back(f"/admin/runs/{run}")


def _page(
    desk: Desk,
    visit: Visit,
    status: int = 200,
    texts: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    with reading(desk.engine) as conn:
        chosen = source_reads.chosen_settings(conn, visit.tenant_id)
        domains = tenants.domains(conn, visit.tenant_id)
        names = {one.id: one.name for one in tenants.sources(conn, visit.tenant_id)}
    return page(
        "settings/settings.html",
        status,
        groups=_grouped(chosen, texts or {}),
        highest=value(chosen, ROLE_RULE),
        role_rule=ROLE_RULE,
        domains=[(domain, source_id, names.get(source_id, "")) for domain, source_id in domains.items()],
        errors=errors or {},
    )


def _grouped(chosen: Mapping[str, Any], texts: Mapping[str, str]) -> list[tuple[str, list[Shown]]]:
    left = [
        Shown(one, value(chosen, one.name), texts.get(one.name, _spelled(value(chosen, one.name)))) for one in SETTINGS
    ]
    groups: list[tuple[str, list[Shown]]] = []
    for title, beginnings in GROUPS:
        mine = [one for one in left if one.setting.name.startswith(beginnings)]
        left = [one for one in left if one not in mine]
        if mine:
            groups.append((title, mine))
    return groups


def _text(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return "true" if field(setting.name) else "false"
    return field(setting.name)


def _spelled(chosen: Any) -> str:
    return str(chosen).lower() if isinstance(chosen, bool) else str(chosen)


SECTION: Final = Section("settings", "Settings", "settings", "/admin/settings", 100)
ROUTES: Final = (
    Route("GET", "/admin/settings", shown),
    Route("POST", "/admin/settings", save, "owner"),
    Route("POST", "/admin/settings/highest-role", highest_role, "owner"),
)
