"""The demo's sign-in: a connection to Kestrel ID, paired with Okta's people, and Kestrel Academy as a client.

Made when they are missing and brought up to date at each start, since the addresses follow the ports.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import sqlalchemy as sa

from app.adapters.relying_parties import settings_of
from app.demo import academy, kestrel_id, site
from app.demo.people import DOMAIN
from app.demo.site import Site
from app.demo.stage import Stage
from app.store import clients, connections, credentials
from app.store.connections import NewConnection
from app.store.engine import writing
from app.store.tenants import NotFoundError
from sso.connections import Addresses, Oidc
from sso.relying_parties import RelyingParty

CONNECTION: Final = "kestrel-id"
CLIENT: Final = "Kestrel Academy"
LABEL: Final = "demo site"  # of its SCIM token


def open_doors(engine: sa.Engine, stand: Stage, public_url: str, port: int) -> Site:
    """Everything that the demo's site at `port` needs; its earlier SCIM token ends."""
    with writing(engine) as conn:
        connection_id = _connection(conn, stand, port)
        client_id = _client(conn, stand, port)
        token = _token(conn, stand)
    return Site(port, public_url, client_id, Addresses(public_url, connection_id).callback, token)


def _connection(conn: sa.Connection, stand: Stage, port: int) -> str:
    settings = asdict(Oidc(issuer=site.issuer(port), client_id=kestrel_id.CLIENT, auth_method="none"))
    try:
        found = connections.named(conn, stand.tenant.id, CONNECTION)
    except NotFoundError:
        return connections.create(
            conn,
            NewConnection(
                stand.tenant.id,
                CONNECTION,
                "Kestrel ID",
                "oidc",
                settings,
                domains=[DOMAIN],
                paired_source_id=stand.okta.id,
            ),
        )
    if found.settings != settings:
        connections.change(conn, stand.tenant.id, found.id, settings=settings)
    return found.id


def _token(conn: sa.Connection, stand: Stage) -> str:
    for old in credentials.listing(conn, stand.tenant.id, ["scim_token"]):
        if old.name == LABEL and old.revoked_at is None:
            credentials.revoke(conn, stand.tenant.id, old.id, "scim_token")
    return credentials.issue(conn, stand.tenant.id, "scim_token", LABEL, source_id=stand.okta.id).secret


def _client(conn: sa.Connection, stand: Stage, port: int) -> str:
    home = site.address(port)
    redirect_uris, after = [f"{home}/callback"], [f"{home}/"]
    for one in clients.listing(conn, stand.tenant.id):
        if one.client.name == CLIENT and one.removed_at is None:
            clients.set_addresses(conn, stand.tenant.id, one.client.id, redirect_uris, after)
            return one.client.id
    party = RelyingParty("", "", CLIENT, (), auth_method="none", scopes=tuple(academy.SCOPES.split()))
    return clients.create(
        conn,
        stand.tenant.id,
        CLIENT,
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=after,
        settings=settings_of(party),
    )
