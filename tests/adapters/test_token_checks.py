"""Whether a token is good: everything that it hangs on, each refused by itself; remembered for less than a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters import token_checks
from app.adapters.token_checks import TokenChecks
from app.store import credentials, tenants
from app.store.engine import reading, writing
from app.store.sessions import end_all
from sso import cookies
from sso.checking import Asker
from tests.adapters.clocks import Clocks
from tests.adapters.signed_in import HOUR, SignedIn, sign_in
from tests.databases import statements

URL = "https://id.example.com"
NOW = datetime.now(UTC)
TAKEN_AWAY: dict[str, tuple[str, dict[str, Any]]] = {
    "token revoked": ("tokens", {"revoked_at": NOW}),
    "token expired": ("tokens", {"expires_at": NOW - HOUR}),
    "token exchanged": ("tokens", {"used_at": NOW}),
    "authorization revoked": ("authorizations", {"revoked_at": NOW}),
    "authorization of another account": ("authorizations", {"account_id": "00000000-0000-4000-8000-000000000000"}),
    "client removed": ("clients", {"removed_at": NOW}),
    "session ended": ("sessions", {"ended_at": NOW}),
    "session expired": ("sessions", {"expires_at": NOW - HOUR}),
    "account inactive": ("accounts", {"status": "inactive"}),
    "account suspended": ("accounts", {"status": "inactive", "suspended": True}),
    "signed out everywhere": ("accounts", {"signed_out_at": NOW + HOUR}),
}


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> SignedIn:
    return sign_in(engine, tenant.id)


@pytest.fixture
def checks(engine: sa.Engine) -> TokenChecks:
    return TokenChecks(engine, URL)


def everything(of: SignedIn) -> Asker:
    return Asker(of.tenant_id, "00000000-0000-4000-8000-000000000000", True)


def test_a_good_token_says_whose_it_is(ada: SignedIn, checks: TokenChecks) -> None:
    good = checks.access(ada.token)
    assert good is not None
    assert (good.kind, good.tenant, good.client_id, good.audience) == ("access", "acme", ada.client_id, ada.client_id)
    assert (good.account_id, good.session_id) == (ada.account_id, ada.session_id)
    assert good.scopes == ("openid", "profile", "email", "roles")
    assert good.roles == ("learner", "trainer")
    assert (good.user_name, good.email) == ("ada@example.com", "ada@example.com")
    assert (good.context, good.methods) == ("urn:mfa", ("pwd", "otp"))
    assert good.ends is not None
    assert good.ends - good.issued == pytest.approx(3600)
    assert "ada@example.com" not in repr(good)


@pytest.mark.parametrize("what", TAKEN_AWAY)
def test_whatever_it_hangs_on_ends_it(ada: SignedIn, checks: TokenChecks, what: str) -> None:
    assert checks.access(ada.token) is not None
    table, values = TAKEN_AWAY[what]
    ada.change(table, **values)
    assert checks.access(ada.token) is None
    assert checks.introspect(everything(ada), ada.token) is None


@pytest.mark.parametrize("what", [name for name in TAKEN_AWAY if not name.startswith(("token", "auth", "client"))])
def test_whatever_a_session_hangs_on_ends_it(ada: SignedIn, checks: TokenChecks, what: str) -> None:
    sent = f"theme=dark; {cookies.session(URL, ada.tenant_id)}={ada.cookie}"
    good = checks.session("acme", sent)
    assert good is not None
    assert (good.kind, good.account_id, good.roles) == ("session", ada.account_id, ("learner", "trainer"))
    table, values = TAKEN_AWAY[what]
    ada.change(table, **values)
    assert checks.session("acme", sent) is None


def test_signing_out_everywhere_ends_it_and_a_later_session_counts(
    engine: sa.Engine, ada: SignedIn, checks: TokenChecks
) -> None:
    with writing(engine) as conn:
        end_all(conn, ada.tenant_id, ada.account_id, "person")
    assert checks.access(ada.token) is None
    ada.change("sessions", ended_at=None, created_at=datetime.now(UTC) + HOUR)
    assert checks.access(ada.token) is not None


def test_offline_access_outlives_the_end_of_time_of_the_session_and_nothing_else(
    engine: sa.Engine, tenant: tenants.Tenant, checks: TokenChecks
) -> None:
    ada = sign_in(engine, tenant.id, offline=True)
    ada.change("sessions", expires_at=NOW - HOUR)
    good = checks.access(ada.token)
    assert good is not None
    assert good.ends == pytest.approx(good.issued + 3600)
    ada.change("sessions", ended_at=NOW)
    assert checks.access(ada.token) is None


def test_it_ends_with_its_session(ada: SignedIn, checks: TokenChecks) -> None:
    ada.change("sessions", expires_at=NOW + timedelta(minutes=5))
    good = checks.access(ada.token)
    assert good is not None
    assert good.ends == pytest.approx((NOW + timedelta(minutes=5)).timestamp())


@pytest.mark.parametrize("token", ["", "rc_at_", "x" * 8_000, "rc_pt_" + "a" * 43, "\x00", "ü"])
def test_a_wrong_token_is_nobodys(ada: SignedIn, checks: TokenChecks, token: str) -> None:
    assert checks.access(token) is None
    assert checks.introspect(everything(ada), token) is None
    assert len(checks.tokens) == 0


def test_a_refresh_token_opens_nothing_and_is_its_own_clients_alone(ada: SignedIn, checks: TokenChecks) -> None:
    assert checks.access(ada.refresh) is None
    assert checks.introspect(everything(ada), ada.refresh) is None
    good = checks.introspect(Asker(ada.tenant_id, ada.client_id, False), ada.refresh)
    assert good is not None
    assert good.kind == "refresh"


def test_a_client_hears_of_its_own_tokens_and_those_meant_for_it(
    engine: sa.Engine, tenant: tenants.Tenant, ada: SignedIn, checks: TokenChecks
) -> None:
    stranger, _ = ada.client()
    other = sign_in(engine, tenant.id, settings={"audience": stranger})
    asks = Asker(ada.tenant_id, stranger, False)
    assert checks.introspect(asks, ada.token) is None
    assert checks.introspect(asks, other.token) is not None
    assert checks.introspect(asks, other.refresh) is None
    assert checks.introspect(Asker(ada.tenant_id, ada.client_id, False), ada.token) is not None


def test_another_tenants_token_is_nobodys(
    engine: sa.Engine, ada: SignedIn, checks: TokenChecks, entra: tenants.SourceRow
) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other").id
    assert checks.introspect(Asker(other, ada.client_id, True), ada.token) is None
    # Not from memory either: what is remembered for one is not for the other.
    warm = TokenChecks(engine, URL, seconds=3600.0)
    assert warm.introspect(everything(ada), ada.token) is not None
    assert warm.access(ada.token) is not None
    assert warm.introspect(Asker(other, ada.client_id, True), ada.token) is None
    assert warm.session("other", f"{cookies.session(URL, other)}={ada.cookie}") is None
    assert warm.session("nowhere", f"{cookies.session(URL, other)}={ada.cookie}") is None


def test_a_machines_token_is_known_to_introspection_alone(
    engine: sa.Engine, ada: SignedIn, checks: TokenChecks, entra: tenants.SourceRow
) -> None:
    with writing(engine) as conn:
        issued = credentials.issue(
            conn, ada.tenant_id, "access_token", "feed", scopes=["events:read"], client_id=ada.client_id
        )
        stranger = Asker(tenants.create(conn, "other").id, ada.client_id, True)
    assert checks.access(issued.secret) is None
    good = checks.introspect(everything(ada), issued.secret)
    assert good is not None
    assert (good.kind, good.scopes, good.account_id, good.ends) == ("machine", ("events:read",), None, None)
    assert checks.introspect(Asker(ada.tenant_id, ada.client_id, False), issued.secret) is not None
    assert checks.introspect(Asker(ada.tenant_id, issued.id, False), issued.secret) is None
    assert checks.introspect(stranger, issued.secret) is None
    with writing(engine) as conn:
        credentials.revoke(conn, ada.tenant_id, ada.client_id, "client")
    assert checks.introspect(everything(ada), issued.secret) is None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clock = Clocks()
    real = token_checks.Remembered
    monkeypatch.setattr(
        token_checks,
        "Remembered",
        lambda seconds, most=10_000: real(seconds, most, steady=clock.steady, calendar=clock.calendar),
    )
    return clock


def test_it_is_remembered_for_less_than_a_second(engine: sa.Engine, ada: SignedIn, clock: Clocks) -> None:
    assert token_checks.SECONDS < 1.0
    checks = TokenChecks(engine, URL, seconds=token_checks.SECONDS)
    cookie = f"{cookies.session(URL, ada.tenant_id)}={ada.cookie}"
    assert checks.access(ada.token) is not None
    assert checks.session("acme", cookie) is not None
    ada.change("accounts", status="inactive")
    clock.passed = token_checks.SECONDS - 0.01
    with statements() as seen:
        assert checks.access(ada.token) is not None
        assert checks.session("acme", cookie) is not None
    assert seen == []
    clock.passed = token_checks.SECONDS
    assert checks.access(ada.token) is None
    assert checks.session("acme", cookie) is None


def test_it_does_not_outlive_its_end_in_memory(engine: sa.Engine, ada: SignedIn, clock: Clocks) -> None:
    checks = TokenChecks(engine, URL, seconds=10 * 3600.0)
    assert checks.access(ada.token) is not None
    clock.passed = 3600.0
    ada.change("tokens", revoked_at=NOW)
    assert checks.access(ada.token) is None


def test_what_was_refused_is_asked_again(engine: sa.Engine, ada: SignedIn, clock: Clocks) -> None:
    checks = TokenChecks(engine, URL, seconds=3600.0)
    ada.change("accounts", status="inactive")
    assert checks.access(ada.token) is None
    ada.change("accounts", status="active")
    assert checks.access(ada.token) is not None


def test_a_token_costs_one_statement(ada: SignedIn, checks: TokenChecks) -> None:
    with statements() as seen:
        checks.access(ada.token)
    assert len(seen) == 1


def test_a_secret_that_is_revoked_introspects_no_more(engine: sa.Engine, ada: SignedIn, clock: Clocks) -> None:
    checks = TokenChecks(engine, URL, seconds=token_checks.SECONDS)
    form = {"client_id": ada.client_id, "client_secret": ada.secret}
    ada.change("clients", settings='{"auth_method": "client_secret_post"}')
    assert checks.asker(None, form) is not None
    with writing(engine) as conn:
        credentials.revoke(conn, ada.tenant_id, ada.client_id, "client")
    clock.passed = token_checks.SECONDS
    assert checks.asker(None, form) is None


def test_a_cookie_twice_is_none(ada: SignedIn, checks: TokenChecks) -> None:
    name = cookies.session(URL, ada.tenant_id)
    assert checks.session("acme", f"{name}={ada.cookie}; {name}={ada.cookie}") is None
    assert checks.session("acme", f"x{name}={ada.cookie}") is None
    assert checks.session("acme", f"{name}=short") is None


def test_a_visit_is_noted(engine: sa.Engine, ada: SignedIn, checks: TokenChecks) -> None:
    ada.change("sessions", seen_at=NOW - timedelta(minutes=5))
    checks.session("acme", f"{cookies.session(URL, ada.tenant_id)}={ada.cookie}")
    with reading(engine) as conn:
        seen = conn.execute(sa.text("SELECT seen_at FROM sessions")).scalar_one()
    assert seen > NOW - timedelta(minutes=1)
