"""Connections are read anew each time: what was withdrawn is not trusted a moment longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.adapters.connections import Connections, connection_of, ensure_key, rotate_key
from app.store import connections, saml_keys, sign_in_tables, tenants
from app.store import tables as t
from app.store.connections import NewConnection
from app.store.engine import reading, writing
from app.store.vault import Vault, VaultError
from sso import certificates
from sso import saml_keys as making
from sso.connections import Oidc, SamlKey
from tests.certificates import certificate
from tests.databases import statements

VAULT = Vault([b"v" * 32])
NAME = "https://id.example"


@pytest.fixture
def made(engine: sa.Engine, tenant: tenants.Tenant) -> str:
    with writing(engine) as conn:
        return connections.create(
            conn,
            NewConnection(
                tenant.id,
                "acme-login",
                "Acme",
                "oidc",
                {"issuer": "https://idp.example", "client_id": "abc"},
                claims={"email": ["mail"]},
                secret=VAULT.seal("s3cret"),
                domains=["acme.example"],
                arrival="create",
            ),
        )


@pytest.fixture
def known(engine: sa.Engine) -> Connections:
    return Connections(engine, lambda: VAULT, NAME)


def test_a_connection_is_read_by_its_id_and_by_its_name(known: Connections, tenant: tenants.Tenant, made: str) -> None:
    found = known.find(made)
    assert found is not None
    assert (found.name, found.title, found.secret, found.arrival) == ("acme-login", "Acme", "s3cret", "create")
    assert found.settings == Oidc("https://idp.example", "abc")
    assert (found.claims.email, found.domains) == (("mail",), ("acme.example",))
    assert "s3cret" not in repr(found)
    assert known.named(tenant.id, "acme-login") == found
    assert known.of_tenant(tenant.id) == [found]
    assert known.find(str(uuid4())) is None
    with pytest.raises(tenants.NotFoundError):
        known.named(tenant.id, "other")
    with pytest.raises(tenants.NotFoundError):
        known.named(str(uuid4()), "acme-login")


def test_the_same_row_is_not_made_twice_and_a_change_shows_at_once(
    engine: sa.Engine, known: Connections, tenant: tenants.Tenant, made: str
) -> None:
    first = known.find(made)
    with statements() as ran:
        assert known.find(made) is first
    assert len(ran) == 1
    with writing(engine) as conn:
        assert connections.change(conn, tenant.id, made, enabled=False) == 2
    found = known.find(made)
    assert found is not None
    assert (found.enabled, found.version) == (False, 2)


def test_a_retired_source_signs_nobody_in(engine: sa.Engine, known: Connections, made: str) -> None:
    with writing(engine) as conn:
        conn.execute(sa.update(t.sources).values(state="paused"))
    found = known.find(made)
    assert found is not None
    assert not found.enabled


def test_the_arrival_is_a_setting_of_its_source(
    engine: sa.Engine, known: Connections, tenant: tenants.Tenant, made: str
) -> None:
    paired = str(uuid4())
    with writing(engine) as conn:
        conn.execute(sa.update(t.sources).values(settings={"value_maps": {"title": {}}}))
        connections.change_arrival(conn, tenant.id, made, "link", paired)
    found = known.find(made)
    assert found is not None
    assert (found.arrival, found.paired_source_id) == ("link", paired)
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.sources.c.settings)).scalar_one()["value_maps"] == {"title": {}}


def test_a_removed_connection_gives_its_name_up_and_its_source_is_retired(
    engine: sa.Engine, known: Connections, tenant: tenants.Tenant, made: str
) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        with pytest.raises(tenants.NotFoundError):
            connections.remove(conn, other.id, made)
        connections.remove(conn, tenant.id, made)
        again = connections.create(conn, NewConnection(tenant.id, "acme-login", "Acme", "saml", {}))
    assert known.find(made) is None
    with reading(engine) as conn:
        found = tenants.sources(conn, tenant.id)
    assert {(one.name.startswith("acme-login-retired-"), one.state) for one in found} == {
        (True, "retired"),
        (False, "active"),
    }
    assert again != made


def test_a_name_that_a_source_has_is_refused(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    with writing(engine) as conn, pytest.raises(tenants.NameTakenError, match="such as okta-login"):
        connections.create(conn, NewConnection(okta.tenant_id, "okta", "Okta", "saml", {}))


def test_what_may_not_be_changed(engine: sa.Engine, tenant: tenants.Tenant, made: str) -> None:
    with writing(engine) as conn:
        with pytest.raises(TypeError, match="kind"):
            connections.change(conn, tenant.id, made, kind="saml")
        with pytest.raises(tenants.NotFoundError):
            connections.change(conn, tenant.id, str(uuid4()), title="x")


def test_a_secret_of_another_key_is_an_error(engine: sa.Engine, made: str) -> None:
    with pytest.raises(VaultError):
        Connections(engine, lambda: Vault([b"w" * 32]), NAME).find(made)


def test_one_that_cannot_be_read_keeps_no_other_away(
    engine: sa.Engine, known: Connections, tenant: tenants.Tenant, made: str
) -> None:
    settings = {"entity_id": "e", "sso_url": "https://idp.example/sso", "certificates": [certificate()]}
    with writing(engine) as conn:
        connections.create(conn, NewConnection(tenant.id, "later", "L", "saml", {**settings, "of_a_later_release": 1}))
        connections.create(conn, NewConnection(tenant.id, "sealed", "S", "saml", settings, secret=b"by another key"))
    assert [one.id for one in known.of_tenant(tenant.id)] == [made]


def test_secrets_are_sealed_anew(engine: sa.Engine, made: str) -> None:
    ensure_key(engine, VAULT, NAME)
    new = Vault([b"n" * 32, b"v" * 32])
    with writing(engine) as conn:
        assert (connections.reseal(conn, new), saml_keys.reseal(conn, new)) == (1, 1)
    known = Connections(engine, lambda: Vault([b"n" * 32]), NAME)
    found = known.find(made)
    assert found is not None
    assert found.secret == "s3cret"
    assert len(known.saml_keys()) == 1


def test_the_first_key_is_made_when_it_is_needed_and_once(engine: sa.Engine, known: Connections) -> None:
    [key] = known.saml_keys()
    assert certificates.read(key.certificate).subject == f"CN={NAME}"
    assert known.saml_keys() == [key]
    assert Connections(engine, lambda: VAULT, NAME).saml_keys() == [key]
    with reading(engine) as conn:
        assert b"PRIVATE" not in bytes(conn.execute(sa.select(sign_in_tables.saml_keys.c.private)).scalar_one())


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after(engine: sa.Engine, known: Connections) -> None:
    numbers = iter(range(10))
    with patch.object(making, "make", lambda *_: SamlKey(f"certificate {next(numbers)}", "private")):
        rotate_key(engine, VAULT, NAME, overlap=timedelta(days=30))
        assert [key.certificate for key in known.saml_keys()] == ["certificate 0"]
        _, begins = rotate_key(engine, VAULT, NAME, overlap=timedelta(days=30))
        assert (begins - datetime.now(UTC)).days == 13
        assert [key.certificate for key in known.saml_keys()] == ["certificate 0", "certificate 1"]
        _set_keys(engine, signs_from=sign_in_tables.saml_keys.c.signs_from - timedelta(days=15))
        assert [key.certificate for key in known.saml_keys()] == ["certificate 1", "certificate 0"]
        _set_keys(engine, retires_at=sign_in_tables.saml_keys.c.retires_at - timedelta(days=60))
        assert [key.certificate for key in known.saml_keys()] == ["certificate 1"]


def test_a_row_becomes_a_connection(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    settings = {"entity_id": "e", "sso_url": "https://idp.example/sso", "certificates": [certificate()]}
    with writing(engine) as conn:
        id = connections.create(conn, NewConnection(tenant.id, "a", "A", "saml", {**settings, "skew": 200}))
        stored = connections.find(conn, id)
    assert stored is not None
    made = connection_of(stored, None)
    assert (made.kind, made.skew) == ("saml", 200)
    assert (stored.tenant_name, stored.source_state) == ("acme", "active")


def _set_keys(engine: sa.Engine, **values: Any) -> None:
    with writing(engine) as conn:
        conn.execute(sa.update(sign_in_tables.saml_keys).values(**values))
