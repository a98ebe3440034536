from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.adapters.expiring import expiring
from app.store import connections
from app.store.connections import NewConnection
from app.store.engine import reading, writing
from app.store.tenants import Tenant, create
from tests.certificates import certificate

SETTINGS = {"entity_id": "https://idp.example", "sso_url": "https://idp.example/sso"}


def connect(engine: sa.Engine, tenant: Tenant, name: str, *days: int, **more: Any) -> None:
    known = [certificate(f"{name}-{one}", days=one) for one in days]
    with writing(engine) as conn:
        said = NewConnection(tenant.id, name, name, "saml", {**SETTINGS, "certificates": known}, **more)
        connections.create(conn, said)


def test_certificates_that_end_are_named_the_next_one_first(engine: sa.Engine, tenant: Tenant) -> None:
    connect(engine, tenant, "okta", 20, 365)
    connect(engine, tenant, "entra", 5)
    connect(engine, tenant, "adfs", -3, -30, 31)
    connect(engine, tenant, "off", 1, enabled=False)
    with reading(engine) as conn:
        found = expiring(conn, tenant.id, datetime.now(UTC))
    assert [(one.connection, one.subject, one.replaced) for one in found] == [
        ("adfs", "CN=adfs--3", True),
        ("entra", "CN=entra-5", False),
        ("okta", "CN=okta-20", True),
    ]
    with writing(engine) as conn:
        other = create(conn, "other")
        assert expiring(conn, other.id, datetime.now(UTC)) == []
