"""What the demo's story does not leave behind, so that each page of the console has something to show. Made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.demo import stage
from app.demo.stage import Stage
from app.store import administrators, connections, credentials, drift, passkeys, receivers, sign_ins
from app.store.engine import reading, writing
from app.store.sign_ins import Attempt
from app.sync import drafts
from app.sync.mapping_changes import Change
from tests.journeys.demo_served import Demo

CHECKS: Final = [
    {"check": "signature", "ok": True, "detail": "RS256, key kestrel-1"},
    {"check": "issuer", "ok": True, "detail": "Kestrel ID"},
    {"check": "account", "ok": False, "detail": "nobody is known by this subject"},
]


def build(demo: Demo) -> None:
    """Add to the demo what it lacks."""
    with demo.server.engine() as engine:
        stand = stage.find(engine)
        _a_way_back(engine, stand)
        _attempts(engine, stand)
        _loose_ends(engine, stand)
        _a_draft(engine, stand)


def _a_way_back(engine: sa.Engine, stand: Stage) -> None:
    """The owner's, so that no page reminds of it; nobody holds its key."""
    with writing(engine) as conn:
        owner = administrators.by_email(conn, stand.tenant.id, stage.OWNER)
        assert owner is not None
        passkeys.add(conn, stand.tenant.id, owner.id, b"key", b"public", 0, ["internal"], "Olga's laptop")


def _attempts(engine: sa.Engine, stand: Stage) -> None:
    with reading(engine) as conn:
        known = connections.listing(conn, stand.tenant.id)
    with writing(engine) as conn:
        for number in range(9):
            refused = number % 3 == 0
            sign_ins.write(
                conn,
                Attempt(
                    stand.tenant.id,
                    "refused" if refused else "accepted",
                    connection_id=known[0].id if known else None,
                    reason="not_provisioned" if refused else None,
                    steps=CHECKS if refused else CHECKS[:2],
                    agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
                    address="192.0.2.7",
                ),
            )


def _a_draft(engine: sa.Engine, stand: Stage) -> None:
    change = Change("set", "attribute", "Operations", role="manager", attribute="department")
    drafts.begin(engine, stand.tenant.id, [change], "administrator", note="Whoever runs operations leads a team")


def _loose_ends(engine: sa.Engine, stand: Stage) -> None:
    """A receiver that does not answer, a token that ends soon, fields that nobody understands."""
    url, tenant_id = "https://academy.kestrel.example/events", stand.tenant.id
    soon = datetime.now(UTC) + timedelta(days=12)
    with writing(engine) as conn:
        receivers.add(
            conn, tenant_id, source_id=None, url=url, audience=url, events=["*"], external_id=False, token=None
        )
        credentials.issue(conn, tenant_id, "scim_token", "Before the move", source_id=stand.okta.id, expires_at=soon)
    drift.report(engine, tenant_id, stand.okta.id, ["urn:kestrel:shift", "badgeNumber"])
