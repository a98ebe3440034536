"""Tests of connections on the real database and by signed messages: what is found out, what is kept, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.adapters.connections import Connections
from app.adapters.sign_in import SignInDesk
from app.store import connections, sign_in_tests, tenants
from app.store.engine import reading, writing
from app.store.vault import Vault
from sso import cookies, keeping
from sso.arriving import Arrivals
from sso.bindings import Redirect
from sso.connections import Addresses
from sso.keeping import Visitor
from sso.saml_side import SamlSide
from tests.adapters.sign_in_people import BASE, SECRET, Browser, Town
from tests.sso import saml_idp
from tests.sso.saml_idp import World, attribute, attributes

OWNER = "console-session"
PENDING = cookies.pending_cookie(BASE).name


class Trying:
    """A town, its connection, and a browser that tests it."""

    def __init__(self, engine: sa.Engine, okta: tenants.SourceRow, **said: Any) -> None:
        self.town, self.engine, self.tenant_id = Town(engine, okta), engine, okta.tenant_id
        self.id = self.town.saml(**said)
        self.browser = Browser(self.town, self.id)
        known = Connections(engine, lambda: Vault([SECRET]), BASE)
        self.known, desk = known, SignInDesk(engine, known)
        self.tests = Arrivals(desk, {"saml": SamlSide(BASE, desk.saml_keys)}, BASE, lambda: datetime.now(UTC)).tests

    def begin(self) -> tuple[str, str]:
        """A test of this browser: the request's ID and the test's."""
        connection = self.known.find(self.id)
        assert connection is not None
        tester, value = keeping.Tester(str(uuid4()), OWNER), cookies.new_value()
        begun = self.tests.begin(connection, tester, f"/admin/sign-in-connections/{self.id}", value, Visitor())
        assert begun is not None
        assert isinstance(begun.message, Redirect)
        self.browser.client.set_cookie(PENDING, value, domain="hub.example.com")
        return self.browser.request_id(begun.message.url), tester.id

    def run(self, subject: str = "ada", **said: Any) -> dict[str, Any]:
        """The whole test; its report."""
        request_id, id = self.begin()
        answer = self.browser.answer(request_id, subject, **said)
        assert (answer.status_code, answer.location) == (303, f"/admin/sign-in-connections/{self.id}")
        return self.report(id)

    def report(self, id: str) -> dict[str, Any]:
        with reading(self.engine) as conn:
            found = sign_in_tests.find(conn, self.tenant_id, id, self.id, OWNER)
        assert found is not None
        return dict(found.report)

    def unchanged(self) -> list[Any]:
        """All that a sign-in would write."""
        tables = ("accounts", "records", "groups", "members", "sessions", "audit", "events")
        return [self.town.rows(table) for table in tables]


@pytest.fixture
def trying(engine: sa.Engine, okta: tenants.SourceRow) -> Trying:
    return Trying(engine, okta)


def test_it_says_who_it_would_be_and_provisions_nothing(trying: Trying) -> None:
    trying.town.provision(displayName="Ada Lovelace")
    before = trying.unchanged()
    report = trying.run(email="ada@acme.example", groups=["teachers"])
    assert trying.unchanged() == before
    assert (report["reason"], report["found"]["rule"]) == (None, "paired userName")
    assert report["found"]["account_id"] == str(trying.town.account().id)
    assert report["found"]["new_groups"] == ["teachers"]
    said = {one["name"]: one for one in report["said"]}
    assert said["userName"]["values"] == ["ada@acme.example"]
    assert said["userName"]["serves"] == ["user_name"]
    assert said["NameID"]["serves"] == ["subject"]
    assert all(step["ok"] for step in report["steps"])
    assert [step["check"] for step in report["steps"]][-3:] == ["answer", "claims", "account"]


def test_the_log_keeps_no_value_of_the_person(trying: Trying) -> None:
    trying.town.provision()
    report = trying.run(email="ada@acme.example")
    attempt = trying.town.last()
    assert (attempt.code, attempt.outcome, attempt.reason, attempt.session_id) == (
        report["code"],
        "tested",
        None,
        None,
    )
    assert "ada@" not in str(attempt.steps)
    [kept] = trying.town.rows("sign_in_tests")
    assert "ada@acme.example" in str(kept.report)
    assert OWNER.encode() not in kept.owner


def test_roles_that_would_follow_are_told_with_their_reason(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    trying = Trying(engine, okta, arrival="create", paired_source_id=None)
    trying.browser.sign_in("bob", user_name="bob", groups=["teachers"])
    trying.town.map_group("teachers", "instructor")
    [role] = trying.run("eve", user_name="eve", groups=["teachers"])["found"]["roles"]
    assert (role["role"], role["scope"], role["effective"]) == ("instructor", "tenant", True)
    assert "teachers" in role["why"]
    assert len(trying.town.rows("accounts")) == 1


def test_strangers_and_leavers_would_be_refused(trying: Trying) -> None:
    assert trying.run("eve", user_name="eve@acme.example")["reason"] == "not_provisioned"
    id = trying.town.provision()
    trying.town.set_active(id, False)
    report = trying.run()
    assert (report["reason"], report["found"]["status"]) == ("inactive", "inactive")
    assert report["steps"][-1]["ok"] is False
    assert report["remedy"]
    assert trying.town.last().reason == "inactive"


def test_a_connection_that_is_off_is_tested_and_stays_off(trying: Trying) -> None:
    trying.town.provision()
    with writing(trying.engine) as conn:
        connections.change(conn, trying.tenant_id, trying.id, enabled=False)
    assert trying.run()["reason"] is None
    assert trying.browser.answer(None).status_code == 403
    assert trying.town.rows("sessions") == []


def test_what_cannot_be_taken_is_shown_to_the_tester(trying: Trying) -> None:
    request_id, id = trying.begin()
    answer = _with_two_addresses(trying, request_id)
    assert answer.status_code == 303
    report = trying.report(id)
    assert report["reason"] == "attributes"
    assert {one["name"]: one["values"] for one in report["said"]}["email"] == ["a@acme.example", "b@acme.example"]
    assert "b@acme" not in str(trying.town.last().steps)


def _with_two_addresses(trying: Trying, request_id: str) -> TestResponse:
    world = World(Addresses(BASE, trying.id), request_id=request_id, now=datetime.now(UTC).replace(microsecond=0))
    id = f"_{uuid4().hex}"
    document = saml_idp.assertion(
        world, id=id, attributes=attributes(attribute("email", "a@acme.example", "b@acme.example"))
    )
    form = saml_idp.form(saml_idp.signed(world, saml_idp.response(world, document), (id,)))
    return trying.browser.post(f"/saml/{trying.id}/acs", form)


def test_the_assertion_of_a_test_signs_nobody_in_later(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    trying = Trying(engine, okta, settings={"allow_unsolicited": True})
    trying.town.provision()
    trying.run(id="_same")
    answer = trying.browser.answer(None, id="_same")
    assert (answer.status_code, trying.town.last().reason) == (403, "replayed")
    assert trying.town.rows("sessions") == []


def test_who_is_signed_in_stays_so(trying: Trying) -> None:
    trying.town.provision()
    trying.browser.sign_in()
    before = trying.town.rows("sessions")
    trying.run()
    assert trying.browser.is_signed_in()
    assert [row.id for row in trying.town.rows("sessions")] == [row.id for row in before]
