"""Which pages may read an answer across origins (the Fetch standard's CORS): those of a public client's own addresses.

A web application that runs in the browser alone asks for its tokens itself. It proves nothing by a cookie, so none is
ever let through; a client that keeps a secret has a server that asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit

from sso.relying_parties import RelyingParty

PREFLIGHT_SECONDS: Final = 600
VARIES: Final = {"Vary": "Origin"}
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Parties(Protocol):
    """Knows clients."""

    def party(self, client_id: str) -> RelyingParty | None:
        """The client of that id, if it was not removed."""
        ...


def headers(parties: Parties, client_id: str | None, origin: str | None) -> dict[str, str]:
    """What to add to an answer to this client, asked for by a page of that origin (None: by no page)."""
    if origin is None:
        return {}
    party = parties.party(client_id) if client_id is not None and _UUID.fullmatch(client_id) else None
    return {**VARIES, "Access-Control-Allow-Origin": origin} if party and origin in origins(party) else dict(VARIES)


def of_form(parties: Parties, form: Mapping[str, Sequence[str]], origin: str | None) -> dict[str, str]:
    """The same, for the client that a form names."""
    return headers(parties, next(iter(form.get("client_id", ())), None), origin)


def preflight(origin: str | None) -> dict[str, str]:
    """Whether a page may ask with a token: it names no client yet. Whether it may read the answer, the answer says."""
    if origin is None:
        return {}
    return {
        **VARIES,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Authorization",
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }


def origins(party: RelyingParty) -> frozenset[str]:
    """From which a public web client's pages come: those of its redirect URIs, as a browser writes them."""
    if party.auth_method != "none" or party.kind != "web":
        return frozenset()
    return frozenset(_origin(uri) for uri in party.redirect_uris)


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")
