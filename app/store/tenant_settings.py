"""What a tenant may decide for itself: one table of name, default and sentence. A default's type is the setting's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from app.store import tables as t
from app.store.tenants import raise_revision

UNBOUNDED: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; a dot in its name is a level in `tenants.settings`."""

    name: str
    default: bool | int | float
    sentence: str
    least: int = 0
    most: int = UNBOUNDED

    @property
    def range(self) -> str:
        """What it may be, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, float):
            return "0 to 1"
        return f"{self.least:,} or more" if self.most == UNBOUNDED else f"{self.least:,} to {self.most:,}"


SETTINGS: Final = (
    Setting("highest_role_wins", True, "Of several roles in one scope only the highest is effective; else all are."),
    Setting("forget_email_after_days", 30, "Days after which an inactive account is no longer found by e-mail."),
    Setting(
        "both_affiliations",
        False,
        "One account may be employee and customer at once; else two accounts that would be are not merged.",
    ),
    Setting("guard.share", 0.1, "Share of the people who may lose access or a role by one run without a yes."),
    Setting("guard.floor", 5, "People who may lose access or a role by one run, however small the tenant."),
    Setting("guard.group_floor", 50, "The same for one change of a group."),
    Setting("scim.user_patch_answers_204", False, "PATCH of a user answers 204 without a body instead of 200 with it."),
    Setting(
        "scim.group_patch_answers_204", True, "PATCH of a group answers 204 without a body instead of 200 with it."
    ),
    Setting(
        "scim.unknown_members_ignored",
        False,
        "An id in a group that nobody has is left out and reported as drift; else it refuses the whole change.",
    ),
    Setting("scim.roles_endpoint", False, "The platform's roles can be read at /Roles, for Okta's entitlement mode."),
    Setting("scim.account_extension", True, "SCIM users show the account that they belong to, read-only."),
    Setting("scim.requests_per_second", 0, "SCIM requests a second that a tenant may send to this server; 0: any."),
    Setting("scim.log_days", 30, "Days that SCIM requests stay in the provisioning log; 0: none is kept."),
    Setting("session.hours", 24, "Hours after which a person signs in again.", least=1, most=8760),
    Setting(
        "session.idle_minutes",
        480,
        "Minutes without a visit after which a person signs in again; 0: any.",
        most=525_600,
    ),
    Setting("console.hours", 12, "Hours after which an administrator comes into the console anew.", least=1, most=168),
    Setting(
        "console.idle_minutes",
        60,
        "Minutes without a visit after which an administrator comes into the console anew.",
        least=1,
        most=1440,
    ),
    Setting("sign_in.log_days", 30, "Days that attempts to sign in stay in the sign-in log.", least=1, most=3650),
)
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
_STEPS: Final = {setting.name: tuple(setting.name.split(".")) for setting in SETTINGS}


def value(settings: Mapping[str, Any], name: str) -> Any:
    """The tenant's choice, or the default. `settings` is the column `tenants.settings`."""
    if not settings:
        return _BY_NAME[name].default
    level: Any = settings
    for step in _STEPS[name]:
        level = level.get(step) if isinstance(level, Mapping) else None
    return _BY_NAME[name].default if level is None else level


def choose(conn: sa.Connection, tenant_id: str, name: str, text: str) -> Any:
    """Set one setting from its text; returns the value.

    Raises:
        ValueError: there is no such setting, or the text is none of its type.
    """
    chosen = read(name, text)
    row = sa.select(t.tenants.c.settings).where(t.tenants.c.id == tenant_id).with_for_update()
    settings = dict(conn.execute(row).scalar_one())
    level = settings
    *steps, last = name.split(".")
    for step in steps:
        level[step] = level = dict(level.get(step) or {})
    level[last] = chosen
    conn.execute(sa.update(t.tenants).where(t.tenants.c.id == tenant_id).values(settings=settings))
    raise_revision(conn, tenant_id)
    return chosen


def read(name: str, text: str) -> bool | int | float:
    """The value that a setting's text stands for.

    Raises:
        ValueError: there is no such setting, or the text is none of its type, or out of its range.
    """
    setting = _BY_NAME.get(name)
    if setting is None:
        raise ValueError(f"there is no setting {name!r}; there are {', '.join(sorted(_BY_NAME))}")
    if isinstance(setting.default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is true or false")
        return text.lower() == "true"
    try:
        number = type(setting.default)(text)
    except ValueError:
        raise ValueError(f"{name} is a number like {setting.default}") from None
    if not setting.least <= number <= (1 if isinstance(number, float) else setting.most):
        raise ValueError(f"{name} is out of its range: {setting.range}")
    return number
