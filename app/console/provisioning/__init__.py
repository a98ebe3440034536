"""Provisioning: who pushes people here over SCIM, with what credentials, what was asked, and what it did.

overview ─▶ a source ─┬▶ set-up (a vendor's steps, the first request awaited)
                      ├▶ tokens, OAuth clients
                      └▶ its requests ─▶ one request: payload, effect, before and after
API keys · schemas and drift · receivers · what each refusal means
"""

from __future__ import annotations

from typing import Final

from app.console.provisioning import api_keys, clients, declared, receivers, requests, set_up, sources, tokens
from app.console.routing import Section

SECTION: Final = Section("provisioning", "Provisioning", "plug-connected", "/admin/provisioning", 40)
ROUTES: Final = (
    *sources.ROUTES,
    *set_up.ROUTES,
    *tokens.ROUTES,
    *clients.ROUTES,
    *api_keys.ROUTES,
    *requests.ROUTES,
    *declared.ROUTES,
    *receivers.ROUTES,
)
