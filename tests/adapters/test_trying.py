from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters import trying
from app.adapters.trying import Tried, TryingError, attempt, carry_out
from app.store import drift
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant, create_source, raise_revision
from tests.sync.people import count, hired, map_title

URN = "urn:ietf:params:scim:schemas:core:2.0:User"


def user(name: str = "ann@example.com", **more: Any) -> dict[str, Any]:
    return {
        "schemas": [URN],
        "userName": name,
        "name": {"givenName": "Ann", "familyName": "Egli"},
        "emails": [{"type": "work", "value": name}],
        **more,
    }


def step(tried: Tried, name: str) -> Any:
    return next(one for one in tried.steps if one.name == name)


def test_trying_shows_six_steps_and_changes_nothing(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    map_title(engine, tenant.id, "trainer", "instructor")
    tried = attempt(engine, tenant.id, okta.id, user(title="Trainer", shoe="42", password="secret-1"))
    assert [one.name for one in tried.steps] == ["connect", "read", "match", "own", "roles", "act"]
    assert (tried.new, tried.record_id, tried.version) == (True, None, None)
    assert step(tried, "connect").result == "Spoken of by okta (an identity provider)."
    assert step(tried, "read").inputs[0]["values"]["title"] == "Trainer"
    assert step(tried, "match").result == "Nobody known: an account of its own."
    assert {row["attribute"]: row["source"] for row in step(tried, "own").inputs}["title"] == "okta"
    assert step(tried, "roles").result == "Roles: instructor (tenant)."
    assert step(tried, "act").result == "A new account would be made."
    assert "Events: account.created." in step(tried, "act").reasons
    assert tried.ignored == ("shoe",)
    assert "secret-1" not in repr(tried)
    assert [count(engine, table) for table in (t.records, t.accounts, t.audit)] == [0, 0, 0]


def test_what_was_tried_is_carried_out(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> None:
    made = carry_out(engine, tenant.id, okta.id, user(title="Coder", shoe="42"), actor="admin:1")
    assert (made.new, made.changed, step(made, "act").result) == (True, True, "A new account was made.")
    with reading(engine) as conn:
        assert [one.path for one in drift.listing(conn, tenant.id)] == ["shoe"]
        assert set(conn.execute(sa.select(t.audit.c.actor)).scalars()) == {"admin:1"}
    second = attempt(engine, tenant.id, hr.id, hired(1, email="ann@example.com", title="Engineer"))
    assert (second.account_id, second.new) == (made.account_id, False)
    assert "This account alone holds the e-mail address" in step(second, "match").reasons[0]
    claims = [row for row in step(second, "match").inputs if row.get("namespace") == "email"]
    assert claims[0]["holders"] == 1
    assert step(second, "act").result.startswith("Would change: ")
    own = {row["attribute"]: row for row in step(second, "own").inputs}
    assert own["title"]["source"] == "hr"
    assert own["title"]["lost"] == [{"source": "okta", "value": "Coder", "why": "idp comes after hris"}]
    done = carry_out(engine, tenant.id, hr.id, hired(1, email="ann@example.com", title="Engineer"), actor="admin:1")
    assert step(done, "act").result.startswith("Changed: ")
    again = carry_out(engine, tenant.id, hr.id, hired(1, email="ann@example.com", title="Engineer"), actor="admin:1")
    assert (again.changed, step(again, "act").result) == (False, "Nothing changed.")


def test_the_stored_document_is_tried_again(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    made = carry_out(engine, tenant.id, okta.id, user(title="Trainer"), actor="admin:1")
    assert made.record_id is not None
    map_title(engine, tenant.id, "trainer", "instructor")
    with reading(engine) as conn:
        source, document = trying.stored(conn, tenant.id, made.record_id)
    tried = attempt(engine, tenant.id, source, document)
    assert (tried.record_id, tried.version) == (made.record_id, 1)
    assert step(tried, "act").result == "Would change: roles."
    with reading(engine) as conn, pytest.raises(TryingError):
        trying.stored(conn, tenant.id, made.account_id)


def test_nobody_elses_change_is_overwritten_unseen(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    carry_out(engine, tenant.id, okta.id, user(title="Coder"), actor="admin:1")
    tried = attempt(engine, tenant.id, okta.id, user(title="Chief"))
    assert tried.version == 1
    carry_out(engine, tenant.id, okta.id, user(title="Boss"), actor="admin:2", version=tried.version)
    with pytest.raises(TryingError, match="changed meanwhile"):
        carry_out(engine, tenant.id, okta.id, user(title="Chief"), actor="admin:1", version=tried.version)


def test_a_doubt_is_shown_with_its_reason(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> None:
    carry_out(engine, tenant.id, hr.id, hired(1, email="ann@example.com"), actor="admin:1")
    tried = attempt(engine, tenant.id, hr.id, hired(2, email="ann@example.com"))
    assert step(tried, "match").result.startswith("In doubt: ")
    assert count(engine, t.duplicates) == 0


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "not a JSON object"),
        ({"schemas": [URN]}, "userName"),
        (user(title=["a"]), "title"),
        (user("u" * 513), "at most 512"),
    ],
)
def test_a_wrong_document_is_refused_in_a_sentence(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, document: Any, says: str
) -> None:
    with pytest.raises(TryingError, match=says):
        attempt(engine, tenant.id, okta.id, document)


def test_who_does_not_speak_is_not_tried(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> None:
    with writing(engine) as conn:
        login = create_source(conn, tenant.id, "sso", kind="login", system="saml")
        conn.execute(sa.update(t.sources).where(t.sources.c.id == okta.id).values(state="retired"))
        raise_revision(conn, tenant.id)
    for source, says in ((login.id, "sign-in"), (okta.id, "retired"), (tenant.id, "no such source")):
        with pytest.raises(TryingError, match=says):
            attempt(engine, tenant.id, source, user())
    with pytest.raises(TryingError, match="status"):
        attempt(engine, tenant.id, hr.id, hired(1, status="dancing"))
