"""Tenants, sources and domains."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import tables, tenants
from app.store.engine import reading, writing


def test_a_tenant_comes_with_a_ledger_and_roles(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        assert tenants.find(conn, "acme") == tenant
        assert conn.execute(sa.select(tables.ledger.c.next_event)).scalars().all() == [1]
        ranks = {row.name: row.rank for row in conn.execute(sa.select(tables.roles.c.name, tables.roles.c.rank))}
    assert ranks == {"learner": 10, "instructor": 50, "manager": 60, "admin": 100}


@pytest.mark.parametrize("name", ["", "Acme", "a b", "-a", "a-", "a" * 64, "ä", "a\n"])
def test_a_name_is_a_short_slug(engine: sa.Engine, name: str) -> None:
    with writing(engine) as conn, pytest.raises(ValueError, match="is not a name"):
        tenants.create(conn, name)


def test_a_taken_name_is_refused_and_the_transaction_goes_on(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        with pytest.raises(tenants.NameTakenError, match="tenant acme already"):
            tenants.create(conn, tenant.name)
        tenants.create(conn, "other")
    with reading(engine) as conn:
        assert [each.name for each in tenants.listing(conn)] == ["acme", "other"]


def test_each_rule_change_raises_the_revision(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        okta = tenants.create_source(conn, tenant.id, "okta", kind="idp", system="okta")
        assert tenants.find(conn, "acme").revision == 2
        tenants.assign_domain(conn, tenant.id, "Example.com", okta.id)
        assert tenants.find(conn, "acme").revision == 3
        assert tenants.domains(conn, tenant.id) == {"example.com": okta.id}


def test_a_source_is_found_in_its_tenant_only(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        made = tenants.create_source(conn, tenant.id, "hr", kind="hris", system="workday", employee_namespace=None)
        assert tenants.find_source(conn, tenant.id, "hr") == made
        assert tenants.sources(conn, other.id) == []
        with pytest.raises(tenants.NotFoundError, match="no source hr"):
            tenants.find_source(conn, other.id, "hr")
        with pytest.raises(tenants.NameTakenError):
            tenants.create_source(conn, tenant.id, "hr", kind="hris", system="workday")


def test_kinds_are_a_short_list(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn, pytest.raises(ValueError, match="robot"):
        tenants.create_source(conn, tenant.id, "x", kind="robot", system="generic")


@pytest.mark.parametrize("domain", ["", "example", "a b.com", "@example.com", "example..com"])
def test_a_domain_is_a_domain_name(engine: sa.Engine, okta: tenants.SourceRow, domain: str) -> None:
    with writing(engine) as conn, pytest.raises(ValueError, match="is not a domain name"):
        tenants.assign_domain(conn, okta.tenant_id, domain, okta.id)


def test_a_domain_can_be_handed_over(engine: sa.Engine, okta: tenants.SourceRow, entra: tenants.SourceRow) -> None:
    with writing(engine) as conn:
        tenants.assign_domain(conn, okta.tenant_id, "example.com", okta.id)
        tenants.assign_domain(conn, okta.tenant_id, "example.com", entra.id)
        assert tenants.domains(conn, okta.tenant_id) == {"example.com": entra.id}
