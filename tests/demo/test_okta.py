"""The simulated Okta against a real server."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.demo.okta import DemoError, Okta
from app.demo.people import PEOPLE
from app.demo.view import accounts
from app.store import credentials, tenants
from app.store.engine import writing


@pytest.fixture
def token(engine: sa.Engine, okta: tenants.SourceRow) -> str:
    with writing(engine) as conn:
        return credentials.issue(conn, okta.tenant_id, "scim_token", "t", source_id=okta.id).secret


@pytest.fixture
def client(url: str, token: str) -> Okta:
    return Okta(f"{url}/scim/v2", token)


def test_a_person_is_looked_up_and_created(client: Okta, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    client.push_person(PEOPLE[0])
    client.close()
    [seen] = accounts(engine, tenant.id).values()
    assert (seen.name, seen.number, seen.title) == ("Amara Okafor", "1001", "Head of Training")
    assert client.requests == 2


def test_pushed_again_the_person_is_replaced_and_nobody_comes_twice(
    client: Okta, engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    first, again = client.push_person(PEOPLE[0]), client.push_person(PEOPLE[0])
    client.close()
    assert first == again
    assert len(accounts(engine, tenant.id)) == 1


def test_a_group_gets_its_members_once(client: Okta, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    ids = {client.push_person(person): person.name for person in PEOPLE[:3]}
    first, again = client.push_group("Trainers", ids), client.push_group("Trainers", ids)
    client.close()
    assert first == again
    with engine.connect() as conn:
        rows = conn.execute(sa.text("SELECT member_id FROM members WHERE tenant_id = :t"), {"t": tenant.id})
        assert {str(row.member_id) for row in rows} == set(ids)


def test_a_refusal_is_said_with_the_servers_words(url: str) -> None:
    client = Okta(f"{url}/scim/v2", "rc_scim_wrong")
    with pytest.raises(DemoError, match=r"GET /Users answered 401: .*unknown, expired or revoked"):
        client.push_person(PEOPLE[0])
    client.close()


def test_no_answer_is_an_error_of_the_demo() -> None:
    client = Okta("http://127.0.0.1:1/scim/v2", "t")
    with pytest.raises(DemoError, match="no answer"):
        client.push_person(PEOPLE[0])
    client.close()
