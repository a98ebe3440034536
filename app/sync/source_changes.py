"""An administrator's acts on sources and on the tenant's settings: one transaction each, with its audit entry.

None of them changes a person. What does is shown first: `app.sync.rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from app import provisioning
from app.identity.decide import Decision
from app.identity.model import Rules
from app.store import tables as t
from app.store import tenant_settings, tenants
from app.store.audit import Entry
from app.store.tenants import SourceRow

T = TypeVar("T")
ROLE_RULE = "highest_role_wins"  # changes people's roles, so that it is shown first


class SourceStateError(ValueError):
    """The source is in that state already, or is retired for good."""


class SettingsError(ValueError):
    """Settings that cannot be; `errors` says what is wrong by name. Nothing was saved."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def create(
    engine: sa.Engine,
    tenant_id: str,
    name: str,
    *,
    kind: str,
    system: str,
    affiliation: str,
    employee_namespace: str | None = "default",
    domains: Sequence[str] = (),
    actor: str,
) -> SourceRow:
    """A source of the tenant, and the mail domains that it alone vouches for.

    Raises:
        ValueError: a name, the kind, the affiliation or a domain is not one that can be.
        NameTakenError: the tenant has a source of that name.
    """

    def act(conn: sa.Connection) -> tuple[SourceRow, Entry]:
        said = {"kind": kind, "system": system, "affiliation": affiliation, "employee_namespace": employee_namespace}
        made = tenants.create_source(conn, tenant_id, name, **said)  # type: ignore[arg-type]
        for domain in domains:
            tenants.assign_domain(conn, tenant_id, domain, made.id)
        return made, Entry(actor, "source.created", made.id, {"name": name, **said, "domains": list(domains)})

    return _audited(engine, tenant_id, act)


def pause(engine: sa.Engine, tenant_id: str, source: SourceRow, *, actor: str) -> None:
    """Take nothing from the source until it goes on. What it said counts as before.

    Raises:
        SourceStateError: it is paused already, or retired.
    """
    _turn(engine, tenant_id, source, "paused", actor)


def resume(engine: sa.Engine, tenant_id: str, source: SourceRow, *, actor: str) -> None:
    """Let a paused source go on.

    Raises:
        SourceStateError: it is not paused.
    """
    _turn(engine, tenant_id, source, "active", actor)


def assign(engine: sa.Engine, tenant_id: str, source: SourceRow, domain: str, *, actor: str) -> None:
    """Let the source alone vouch for addresses of the domain, from its next writes on.

    Raises:
        ValueError: it is no domain name.
    """

    def act(conn: sa.Connection) -> tuple[None, Entry]:
        before = tenants.domains(conn, tenant_id).get(tenants.domain_name(domain))
        tenants.assign_domain(conn, tenant_id, domain, source.id)
        facts = {"domain": tenants.domain_name(domain), "source": source.name, "before": before}
        return None, Entry(actor, "domain.assigned", source.id, facts)

    _audited(engine, tenant_id, act)


def free(engine: sa.Engine, tenant_id: str, source: SourceRow, domain: str, *, actor: str) -> None:
    """Take a domain back from the source.

    Raises:
        NotFoundError: it does not have it.
    """

    def act(conn: sa.Connection) -> tuple[None, Entry]:
        if tenants.free_domain(conn, tenant_id, domain) != source.id:
            raise tenants.NotFoundError(f"{source.name} does not have the domain {domain}")
        return None, Entry(actor, "domain.freed", source.id, {"domain": domain, "source": source.name})

    _audited(engine, tenant_id, act)


def choose(engine: sa.Engine, tenant_id: str, chosen: Mapping[str, str], *, actor: str) -> dict[str, Any]:
    """Set settings from their texts; returns those that changed, by name. Nothing is saved if one of them is wrong.

    Raises:
        SettingsError: there is no such setting, or a text is none of its type or out of its range.
    """
    errors: dict[str, str] = {}
    for name, text in chosen.items():
        try:
            tenant_settings.read(name, text)
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise SettingsError(errors)

    def act(conn: sa.Connection) -> tuple[dict[str, Any], Entry | None]:
        row = sa.select(t.tenants.c.settings).where(t.tenants.c.id == tenant_id).with_for_update()
        before = conn.execute(row).scalar_one()
        told: dict[str, Any] = {}
        for name, text in chosen.items():
            old, new = tenant_settings.value(before, name), tenant_settings.read(name, text)
            if old != new:
                tenant_settings.choose(conn, tenant_id, name, text)
                told[name] = {"before": old, "after": new}
        return told, Entry(actor, "setting.saved", tenant_id, {"settings": told}) if told else None

    return _audited(engine, tenant_id, act)


def _turn(engine: sa.Engine, tenant_id: str, source: SourceRow, state: str, actor: str) -> None:
    def act(conn: sa.Connection) -> tuple[None, Entry]:
        if not tenants.turn_source(conn, tenant_id, source.id, state):
            raise SourceStateError(f"The source {source.name} is {state} already, or is retired.")
        action = "source.paused" if state == "paused" else "source.resumed"
        return None, Entry(actor, action, source.id, {"source": source.name})

    _audited(engine, tenant_id, act)


def _audited(engine: sa.Engine, tenant_id: str, act: Callable[[sa.Connection], tuple[T, Entry | None]]) -> T:
    def once(conn: sa.Connection, rules: Rules) -> T:
        result, entry = act(conn)
        if entry is not None:
            provisioning.save(conn, tenant_id, Decision(), rules, entry.actor, datetime.now(UTC), [entry])
        return result

    return provisioning.in_transaction(engine, tenant_id, once, alone=True)
