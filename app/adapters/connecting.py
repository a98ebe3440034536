"""What administrators do to connections: each act checked, in one transaction with its audit entry.

said ─▶ settings checked ─▶ connection, source ─▶ ledger ─▶ COMMIT
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.adapters.audited import audited
from app.adapters.connection_schemas import BadConnectionError, check_domain, parse, parse_claims, plain
from app.identity.model import SourceKind
from app.store import connections, people, runs, sessions, tenants
from app.store.audit import Entry
from app.store.connections import NewConnection, Stored
from app.store.vault import Vault
from sso import certificates
from sso.connections import Arrival, Oidc, Saml

LONGEST_TITLE: Final = 100
_NOT_TOLD: Final = frozenset({"refresh_at", "refreshed_at", "refresh_failure"})
_SECRETLESS: Final = ("private_key_jwt", "none")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where a provider publishes its metadata, the certificate that it is signed with, and when to read it again."""

    url: str | None = None
    certificate: str | None = None
    refresh_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A new connection as an administrator says it. `paired` is the name of the SCIM source of the same provider."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    title: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)
    domains: Sequence[str] = ()
    arrival: Arrival = "link"
    paired: str | None = None
    affiliation: str = "employee"
    employee_namespace: str | None = None  # None: that of the paired source, if it has one
    id: str | None = None  # None: a new one
    enabled: bool = True
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different; None stays. `settings` and `claims` are laid over what is there, null takes away."""

    title: str | None = None
    settings: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] | None = None
    secret: str | None = field(default=None, repr=False)
    domains: Sequence[str] | None = None
    arrival: Arrival | None = None
    paired: str | None = None
    enabled: bool | None = None
    metadata: Metadata | None = None


def create(engine: sa.Engine, vault: Callable[[], Vault], tenant_id: str, said: Said, actor: str) -> str:
    """A new connection with its source; returns its id.

    Raises:
        BadConnectionError: its settings cannot be.
        NameTakenError: the tenant has a connection or a source of that name, or somebody has one of that id.
        NotFoundError: there is no such source to pair it with.
    """
    settings, claims = parse(said.kind, said.settings), parse_claims(said.claims)
    _check_secret(settings, said.secret is not None)
    _check_pair(settings, bool(said.paired))
    new = NewConnection(
        tenant_id,
        said.name,
        _title(said.title or said.name),
        said.kind,
        plain(settings),
        plain(claims),
        None if said.secret is None else vault().seal(_checked_secret(said.secret)),
        [check_domain(one) for one in said.domains],
        arrival=said.arrival,
        affiliation=said.affiliation,
        employee_namespace=said.employee_namespace,
        id=said.id,
        enabled=said.enabled,
        **_columns(said.metadata or Metadata()),
    )

    def act(conn: sa.Connection) -> tuple[str, list[Entry]]:
        id = connections.create(conn, replace(new, paired_source_id=_paired(conn, tenant_id, said.paired)))
        facts = {"name": said.name, "kind": said.kind, "arrival": said.arrival, **_shown(new.settings)}
        return id, [Entry(actor, "connection.created", id, facts)]

    return audited(engine, tenant_id, act, alone=True)


def change(
    engine: sa.Engine, vault: Callable[[], Vault], tenant_id: str, name: str, wanted: Change, actor: str
) -> Stored:
    """Change the connection called `name`; returns it as it is then.

    Raises:
        BadConnectionError: its settings could not be.
        NotFoundError: the tenant has no such connection, or no such source to pair it with.
    """

    def act(conn: sa.Connection) -> tuple[Stored, list[Entry]]:
        before = connections.named(conn, tenant_id, name)
        values = _changes(before, wanted, vault)
        _check_provider(before.settings, values.get("settings", before.settings))
        paired_before = before.source_settings.get("paired_source_id") is not None
        _check_pair(
            parse(before.kind, values.get("settings", before.settings)),
            paired_before if wanted.paired is None else bool(wanted.paired),
        )
        if values:
            connections.change(conn, tenant_id, before.id, **values)
        if wanted.arrival is not None or wanted.paired is not None:
            old = before.source_settings
            paired = _paired(conn, tenant_id, wanted.paired) if wanted.paired is not None else old["paired_source_id"]
            arrival = wanted.arrival or old["arrival"]
            connections.change_arrival(conn, tenant_id, before.id, arrival, paired)
            _derive_again(conn, tenant_id, before, actor)
            values |= {"arrival": arrival}
        facts = {"name": name, "changed": sorted(values.keys() - _NOT_TOLD)}
        if "settings" in values:
            facts |= _shown(values["settings"])
        if "enabled" in values:
            facts["enabled"] = values["enabled"]
        entries = [Entry(actor, "connection.changed", before.id, facts)] if facts["changed"] else []
        return connections.named(conn, tenant_id, name), entries

    return audited(engine, tenant_id, act, alone=wanted.arrival is not None or wanted.paired is not None)


def _check_provider(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Another provider's names for people are other people's, and our secret is not for it."""
    for name in ("issuer", "entity_id"):
        if before.get(name) != after.get(name):
            raise BadConnectionError(f"{name} stays: another identity provider is another connection; create one")


def remove(engine: sa.Engine, tenant_id: str, name: str, actor: str) -> int:
    """Remove a connection: its source is retired, its sessions end. Returns how many they were.

    Raises:
        NotFoundError: the tenant has no such connection.
    """

    def act(conn: sa.Connection) -> tuple[int, list[Entry]]:
        found = connections.named(conn, tenant_id, name)
        connections.remove(conn, tenant_id, found.id)
        _derive_again(conn, tenant_id, found, actor)
        ended = sessions.end_of_connection(conn, tenant_id, found.id, actor)
        return ended, [Entry(actor, "connection.removed", found.id, {"name": name, "sessions": ended})]

    return audited(engine, tenant_id, act, alone=True)


def end_sessions(engine: sa.Engine, tenant_id: str, name: str, actor: str) -> int:
    """End every session that began through the connection; how many.

    Raises:
        NotFoundError: the tenant has no such connection.
    """

    def act(conn: sa.Connection) -> tuple[int, list[Entry]]:
        found = connections.named(conn, tenant_id, name)
        ended = sessions.end_of_connection(conn, tenant_id, found.id, actor)
        facts = {"name": name, "sessions": ended}
        return ended, [Entry(actor, "connection.signed_out", found.id, facts)] if ended else []

    return audited(engine, tenant_id, act)


def _derive_again(conn: sa.Connection, tenant_id: str, connection: Stored, actor: str) -> None:
    """A run for all who ever came in by it: what it may do decides who of them is active, and whose groups count."""
    concerned = people.of_source(conn, tenant_id, connection.source_id)
    if concerned:
        facts = {"connection": connection.name}
        runs.queue(
            conn,
            tenant_id,
            kind="rules",
            actor=actor,
            account_ids=concerned,
            summary=facts,
            source_id=connection.source_id,
        )


def _changes(before: Stored, wanted: Change, vault: Callable[[], Vault]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wanted.title is not None:
        values["title"] = _title(wanted.title)
    if wanted.enabled is not None and wanted.enabled != before.enabled:
        values["enabled"] = wanted.enabled
    if wanted.domains is not None:
        values["domains"] = [check_domain(one) for one in wanted.domains]
    if wanted.secret is not None:
        values["secret"] = vault().seal(_checked_secret(wanted.secret))
    if wanted.metadata is not None:
        values |= {**_columns(wanted.metadata), "refreshed_at": datetime.now(UTC), "refresh_failure": None}
    if wanted.claims is not None:
        values["claims"] = plain(parse_claims(_laid_over(before.claims, wanted.claims)))
    if wanted.settings is not None:
        settings = parse(before.kind, _laid_over(before.settings, wanted.settings))
        _check_secret(settings, before.secret is not None or wanted.secret is not None)
        values["settings"] = plain(settings)
    return values


def _columns(of: Metadata) -> dict[str, Any]:
    return {"metadata_url": of.url, "metadata_certificate": of.certificate, "refresh_at": of.refresh_at}


def _laid_over(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **wanted}.items() if value is not None}


def _paired(conn: sa.Connection, tenant_id: str, name: str | None) -> str | None:
    if not name:
        return None
    source = tenants.find_source(conn, tenant_id, name)
    if source.kind != SourceKind.IDP:
        raise BadConnectionError(f"{name} is no identity provider's source: a connection is paired with one of those")
    return source.id


def _title(text: str) -> str:
    title = text.strip()
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise BadConnectionError(f"title: one line of at most {LONGEST_TITLE} characters, which people read")
    return title


def _checked_secret(secret: str) -> str:
    if not (secret and secret.isascii() and secret.isprintable()):
        raise BadConnectionError("the client secret is one line of ASCII")
    return secret


def _check_secret(settings: Saml | Oidc, there: bool) -> None:
    if isinstance(settings, Saml) or settings.auth_method in _SECRETLESS:
        return
    if not there:
        raise BadConnectionError(f"auth_method {settings.auth_method} needs a client secret; --client-secret-stdin")


def _check_pair(settings: Saml | Oidc, paired: bool) -> None:
    """A pair is known by names that the provider rules. Of several directories one could give another's names."""
    if paired and isinstance(settings, Oidc) and len(settings.tenants) > 1:
        raise BadConnectionError("tenants: a connection of several directories cannot be paired; make one for each")


def _shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit keeps of settings: certificates by what people compare them by."""
    shown = dict(settings)
    if "certificates" in shown:
        shown["certificates"] = [certificates.read(one).fingerprint for one in shown["certificates"]]
    return {"settings": shown}
