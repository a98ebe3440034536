"""Rules that concern everybody: saving one derives all accounts again, without anybody sending anything."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import audit
from app.store import tables as t
from app.sync import rules


def titles(engine) -> list[str]:
    with engine.connect() as conn:
        return [row.attributes.get("title") for row in conn.execute(sa.select(t.accounts.c.attributes))]


@pytest.fixture
def ada(engine, tenant, okta, hr) -> None:
    mail = {"emails.work": "ada@x.org"}
    said = RecordWrite(okta.id, Spoken(True, {**mail, "title": "Coder"}), {}, user_name="ada@x.org")
    more = RecordWrite(hr.id, Spoken(True, {**mail, "title": "ENG"}), {}, source_key="1")
    provision(engine, tenant.id, [said], actor="test")
    provision(engine, tenant.id, [more], actor="test")


def test_another_owner_wins_at_once(engine, tenant, ada) -> None:
    assert titles(engine) == ["ENG"]
    rules.set_owners(engine, tenant.id, "title", ["okta", "hris"], actor="test")
    assert titles(engine) == ["Coder"]
    rules.reset_owners(engine, tenant.id, "title", actor="test")
    assert titles(engine) == ["ENG"]
    with engine.connect() as conn:
        assert audit.verify(conn, tenant.id)[1] is None


def test_a_code_gets_a_name_and_loses_it(engine, tenant, ada) -> None:
    rules.set_meaning(engine, tenant.id, "hr", "title", "ENG", "Engineer", actor="test")
    assert titles(engine) == ["Engineer"]
    rules.set_meaning(engine, tenant.id, "hr", "title", "ENG", None, actor="test")
    assert titles(engine) == ["ENG"]


@pytest.mark.parametrize(("attribute", "owner"), [("shoe", "idp"), ("title", "nobody"), ("emails", "sap")])
def test_a_rule_that_cannot_be_is_refused(engine, tenant, ada, attribute: str, owner: str) -> None:
    with pytest.raises(rules.RuleError):
        rules.set_owners(engine, tenant.id, attribute, [owner], actor="test")
    assert titles(engine) == ["ENG"]
