"""The section "Sign-in": connections, their set-up and tests, the log of attempts, and the learning platforms.

    listing ─▶ setting_up (which provider, its guide) ─▶ provider (metadata, issuer) ─▶ people, claims ─▶ testing ─▶ on
                 place: the one connection that an address names, for whoever may see it
    showing: one connection and what is done to it      log: attempts, traces, reasons      platforms: the LMSs

Vendors are files of `app/console/vendors`; nothing here knows one.
"""

from __future__ import annotations

from typing import Final

from app.console.connections import claiming, listing, log, people, platforms, provider, setting_up, showing, testing
from app.console.connections.place import BASE
from app.console.routing import Route, Section

SECTION: Final = Section("sign-in", "Sign-in", "login-2", BASE, 50)
ROUTES: Final[tuple[Route, ...]] = (
    *listing.ROUTES,
    *setting_up.ROUTES,
    *provider.ROUTES,
    *people.ROUTES,
    *claiming.ROUTES,
    *testing.ROUTES,
    *showing.ROUTES,
    *log.ROUTES,
    *platforms.ROUTES,
)
