"""Set-up links: for what, by whom, for how long."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.adapters import set_up_links
from app.adapters.administering import Doer, NotDoneError
from app.store import connections, console_links, tenants
from app.store.connections import NewConnection
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.adapters.administrators import OWNER, Person

SETTINGS = {"issuer": "https://idp.example", "client_id": "hub"}


def connection(engine: sa.Engine, tenant_id: str) -> str:
    with writing(engine) as conn:
        return connections.create(conn, NewConnection(tenant_id, "okta-login", "Okta", kind="oidc", settings=SETTINGS))


def test_a_link_is_for_one_connection_or_one_source(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow
) -> None:
    login = connection(engine, tenant.id)
    assert [(one.purpose, one.id) for one in set_up_links.targets(engine, tenant.id)] == [
        ("connection", login),
        ("scim", okta.id),
    ]
    target, link = set_up_links.make(engine, tenant.id, "connection", login, "  Acme's   IT ", 30, OWNER)
    with reading(engine) as conn:
        found = console_links.find(conn, link.secret)
    assert found is not None
    assert (found.connection_id, found.source_id, found.note) == (login, None, "Acme's IT")
    assert target.title == found.about


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"purpose": "connection"}, "target"),
        ({"target_id": str(uuid4())}, "target"),
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
        ({"note": " "}, "note"),
        ({"note": "x" * 101}, "note"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, said: dict[str, Any], field: str
) -> None:
    right = {"purpose": "scim", "target_id": okta.id, "note": "IT", "days": 7}
    with pytest.raises(NotDoneError) as caught:
        set_up_links.make(engine, tenant.id, **{**right, **said}, doer=OWNER)
    assert caught.value.field == field
    with reading(engine) as conn:
        assert console_links.listing(conn, tenant.id) == []


def test_another_tenants_source_and_link_are_nobodys(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    with pytest.raises(NotDoneError):
        set_up_links.make(engine, other.id, "scim", okta.id, "IT", 7, OWNER)
    _, link = set_up_links.make(engine, tenant.id, "scim", okta.id, "IT", 7, OWNER)
    assert not set_up_links.revoke(engine, other.id, link.id, OWNER)
    assert set_up_links.revoke(engine, tenant.id, link.id, OWNER)
    assert not set_up_links.revoke(engine, tenant.id, link.id, OWNER)


def test_who_makes_them(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    with pytest.raises(NotDoneError):
        set_up_links.make(engine, tenant.id, "scim", okta.id, "IT", 7, Doer("x", "help_desk"))


def test_an_invitation_is_not_revoked_as_one(engine: sa.Engine, tenant: Tenant) -> None:
    ada = Person(engine, tenant.id)
    assert not set_up_links.revoke(engine, tenant.id, ada.invited.link.id, OWNER)
