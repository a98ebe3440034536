"""A set-up is found by its tenant alone, has a name of its own, and trusts nobody."""

from __future__ import annotations

from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import connection_setups, tenants
from app.store.connection_setups import Setup
from app.store.engine import reading, writing
from app.store.tenants import NameTakenError


def _begin(engine: sa.Engine, tenant_id: str, name: str = "okta-login") -> str:
    with writing(engine) as conn:
        return connection_setups.begin(conn, tenant_id, name, "Okta", "saml", "okta", "test")


def _find(engine: sa.Engine, tenant_id: str, id: str) -> Setup | None:
    with reading(engine) as conn:
        return connection_setups.find(conn, tenant_id, id)


def test_what_is_said_is_kept_until_the_connection_is_made(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    id = _begin(engine, tenant.id)
    with writing(engine) as conn:
        connection_setups.say(conn, tenant.id, id, {"entity_id": "https://idp.example"})
        assert [one.connection_id for one in connection_setups.waiting(conn, tenant.id)] == [id]
        assert connection_setups.anybodys(conn, id) is not None
    found = _find(engine, tenant.id, id)
    assert found is not None
    assert (found.vendor, found.said, found.made_at) == ("okta", {"entity_id": "https://idp.example"}, None)
    with writing(engine) as conn:
        connection_setups.made(conn, tenant.id, id)
        assert connection_setups.waiting(conn, tenant.id) == []
        assert connection_setups.anybodys(conn, id) is None
    found = _find(engine, tenant.id, id)
    assert found is not None
    assert found.said == {}
    assert found.made_at is not None


def test_it_is_its_tenants_alone(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    id = _begin(engine, tenant.id)
    with writing(engine) as conn:
        other = tenants.create(conn, "other").id
        connection_setups.say(conn, other, id, {"entity_id": "x"})
        assert not connection_setups.discard(conn, other, id)
    assert _find(engine, other, id) is None
    found = _find(engine, tenant.id, id)
    assert found is not None
    assert found.said == {}


def test_a_name_is_taken_once(engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow) -> None:
    id = _begin(engine, tenant.id)
    with pytest.raises(NameTakenError):
        _begin(engine, tenant.id)
    with pytest.raises(NameTakenError):
        _begin(engine, tenant.id, okta.name)
    with pytest.raises(ValueError, match="small letters"):
        _begin(engine, tenant.id, "Okta Login")
    with writing(engine) as conn:
        assert connection_setups.discard(conn, tenant.id, id)
    assert _begin(engine, tenant.id) != id


def test_only_so_many_wait(engine: sa.Engine, tenant: tenants.Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_setups, "MOST", 2)
    for name in ("a", "b"):
        _begin(engine, tenant.id, name)
    with pytest.raises(ValueError, match="finish or discard"):
        _begin(engine, tenant.id, "c")
    assert _find(engine, tenant.id, str(uuid4())) is None
