"""A connection for administrators: how it is set, what its identity provider must know, what to care for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.adapters.connection_schemas import BadConnectionError, parse
from app.store.connections import Stored
from sso import certificates
from sso.connections import Addresses, Oidc, Saml


def described(stored: Stored, public_url: str, now: datetime | None = None) -> dict[str, Any]:
    """The connection as JSON, without its secret.

    `addresses` is what the identity provider must be told; `settings` are all, with their defaults; `warnings` are
    sentences.
    """
    now = now or datetime.now(UTC)
    settings, fault = _settings(stored)
    shown = [] if not isinstance(settings, Saml) else [certificate(one, now) for one in settings.certificates]
    return {
        "id": stored.id,
        "name": stored.name,
        "tenant": stored.tenant_name,
        "type": stored.kind,
        "title": stored.title,
        "state": _state(stored),
        "arrival": stored.source_settings.get("arrival", "link"),
        "paired_source_id": stored.source_settings.get("paired_source_id"),
        "source_id": stored.source_id,
        "domains": list(stored.domains),
        "addresses": addresses(public_url, stored.tenant_name, stored.name, stored.kind, stored.id),
        "settings": stored.settings if settings is None else asdict(settings),
        "claims": dict(stored.claims),
        "has_secret": stored.secret is not None,
        "certificates": shown,
        "metadata_url": stored.metadata_url,
        "refreshed_at": stored.refreshed_at,
        "refresh_at": stored.refresh_at,
        "refresh_failure": stored.refresh_failure,
        "version": stored.version,
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
        "warnings": [*fault, *_warnings(stored, shown)],
    }


def addresses(public_url: str, tenant: str, name: str, kind: str, id: str) -> dict[str, str]:
    """What a connection's identity provider must know of us, by the names that the specifications use."""
    ours = Addresses(public_url, id)
    start = {"sign_in_url": f"{public_url}/sign-in/{tenant}/{name}"}
    if kind == "saml":
        return {
            "entity_id": ours.entity_id,
            "acs_url": ours.acs,
            "slo_url": ours.slo,
            "metadata_url": ours.metadata,
            **start,
        }
    return {
        "redirect_uri": ours.callback,
        "post_logout_redirect_uri": f"{public_url}/signed-out",
        "backchannel_logout_uri": ours.back_channel,
        "frontchannel_logout_uri": ours.front_channel,
        **start,
    }


def _settings(stored: Stored) -> tuple[Saml | Oidc | None, list[str]]:
    try:
        return parse(stored.kind, stored.settings), []
    except BadConnectionError as error:
        return None, [f"its settings cannot be: {error}"]


def _state(stored: Stored) -> str:
    if stored.source_state != "active":
        return f"off: its source is {stored.source_state}"
    return "on" if stored.enabled else "off"


def certificate(body: str, now: datetime) -> dict[str, Any]:
    """A certificate by what people compare it by, and how long it still is."""
    read = certificates.read(body)
    return {
        "subject": read.subject,
        "not_before": read.not_before,
        "not_after": read.not_after,
        "fingerprint": read.fingerprint,
        "expires_soon": read.expires_soon(now),
        "days_left": (read.not_after - now).days,
    }


def _warnings(stored: Stored, shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """A certificate that is about to end matters while no other takes over."""
    said = []
    if shown and all(one["expires_soon"] for one in shown):
        last = max(one["not_after"] for one in shown)
        said.append(
            f"no signing certificate is valid beyond {last:%Y-%m-%d}: ask the provider for the next one"
            + ("" if stored.metadata_url else ", and add it with `connection set --certificate`")
        )
    if stored.refresh_failure:
        said.append(f"its metadata was not taken over: {stored.refresh_failure}")
    return said
