"""A client as it is stored, and the relying party that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from app.store.clients import ClientRow
from sso.relying_parties import RelyingParty

# What stands in columns of its own.
_COLUMNS: Final = frozenset({"id", "tenant_id", "name", "redirect_uris", "post_logout_redirect_uris"})
_SETTINGS: Final = tuple(field for field in fields(RelyingParty) if field.name not in _COLUMNS)


def relying_party(row: ClientRow) -> RelyingParty:
    """The relying party; what is not stored has its default."""
    stored = {field.name: row.settings[field.name] for field in _SETTINGS if field.name in row.settings}
    if "scopes" in stored:
        stored["scopes"] = tuple(stored["scopes"])
    return RelyingParty(row.id, row.tenant_id, row.name, row.redirect_uris, row.post_logout_redirect_uris, **stored)


def settings_of(party: RelyingParty) -> Mapping[str, Any]:
    """What is stored of it beside the columns: only what differs from the default."""
    return {
        field.name: getattr(party, field.name) for field in _SETTINGS if getattr(party, field.name) != field.default
    }
