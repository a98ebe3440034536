"""Coming in: by password, by invitation, by set-up link; what lets nobody in; what is at the door before that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters import administering, set_up_links
from app.console.visit import cookie_name, csrf_of, door_cookie_name
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.adapters.administrators import DAY, OWNER, PASSWORD, Person
from tests.console.conftest import SETTINGS, Console, Seen, _seen
from tests.passkey_device import Device

URL = SETTINGS.public_url


class Outside:
    """A browser at the door."""

    def __init__(self, app: Flask, host: str = "127.0.0.1:8080") -> None:
        self.client: FlaskClient = app.test_client()
        self.host = host

    def get(self, path: str) -> Seen:
        return _seen(self.client.get(path, base_url=f"http://{self.host}", follow_redirects=True))

    def post(self, path: str, csrf: str | None = None, **fields: str) -> Seen:
        data = {"csrf": self.csrf if csrf is None else csrf, **fields}
        return _seen(self.client.post(path, base_url=f"http://{self.host}", data=data, follow_redirects=True))

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name, domain=self.host.partition(":")[0])
        return found.value if found else None

    @property
    def csrf(self) -> str:
        return csrf_of(self.session or self.cookie(door_cookie_name(URL)) or "")

    @property
    def session(self) -> str | None:
        return self.cookie(cookie_name(URL))


@pytest.fixture
def outside(application: Flask) -> Outside:
    return Outside(application)


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant) -> Person:
    """Her authenticator was set up a minute ago."""
    return Person(engine, tenant.id, at=datetime.now(UTC) - timedelta(minutes=2)).with_password()


def invited(engine: sa.Engine, tenant: Tenant) -> str:
    return administering.invite(engine, tenant.id, "eve@acme.example", "Eve", "admin", DAY, OWNER).link.secret


def is_in(browser: Outside) -> bool:
    return browser.client.get("/admin/access", base_url=f"http://{browser.host}").status_code == 200


def test_the_organisation_is_asked_once(outside: Outside, tenant: Tenant) -> None:
    page = outside.get("/admin/sign-in?to=/admin/access")
    assert "Organisation" in page.text
    page = outside.post("/admin/sign-in", organisation="nobody", to="/admin/access")
    assert (page.status, "no organisation of that name" in page.text, 'value="nobody"' in page.html) == (
        422,
        True,
        True,
    )
    page = outside.post("/admin/sign-in", organisation="Acme", to="/admin/access")
    assert (page.status, page.at) == (200, "/admin/sign-in/acme?to=%2Fadmin%2Faccess")
    assert outside.get("/admin/sign-in").at == "/admin/sign-in/acme"
    assert outside.get("/admin/sign-in?other=").at == "/admin/sign-in?other="


def test_a_remembered_organisation_that_is_gone_is_forgotten(outside: Outside) -> None:
    outside.client.set_cookie("rollcall-organisation", "gone", path="/admin", domain="127.0.0.1")
    assert "Organisation" in outside.get("/admin/sign-in").text


def test_password_and_code_let_in_and_lead_on(outside: Outside, ada: Person) -> None:
    outside.get("/admin/sign-in/acme")
    said = {"email": ada.email, "password": PASSWORD, "code": ada.code(datetime.now(UTC))}
    page = outside.post("/admin/sign-in/acme/password", to="/admin/access", **said)
    assert (page.status, page.at) == (200, "/admin/access")
    assert "Ada Lovelace" in page.text
    page = outside.post("/admin/sign-out")
    assert "You are signed out" in " ".join(page.said)
    assert not is_in(outside)
    page = outside.post("/admin/sign-in/acme/password", **said)
    assert page.status == 422
    assert "That did not let you in" in page.text
    assert not is_in(outside)


@pytest.mark.parametrize(
    "wrong", [{"email": "nobody@acme.example"}, {"password": "wrong wrong wrong"}, {"code": "000000"}]
)
def test_one_answer_for_whatever_is_wrong(outside: Outside, ada: Person, wrong: dict[str, str]) -> None:
    outside.get("/admin/sign-in/acme")
    said = {"email": ada.email, "password": PASSWORD, "code": ada.code(datetime.now(UTC)), **wrong}
    page = outside.post("/admin/sign-in/acme/password", **said)
    assert page.status == 422
    assert "Check the address, the password and the code" in page.text
    assert PASSWORD not in page.html
    assert outside.session is None


def test_where_one_goes_on_to_is_inside(outside: Outside, ada: Person) -> None:
    outside.get("/admin/sign-in/acme")
    for number, to in enumerate(
        ("//evil.example", "https://evil.example", "/saml/x", "/admin/../x", "/administrators")
    ):
        said = {"email": ada.email, "password": PASSWORD, "code": ada.code(ada.later(number))}
        data = {"csrf": outside.csrf, "to": to, **said}
        answer = outside.client.post("/admin/sign-in/acme/password", base_url=f"http://{outside.host}", data=data)
        assert answer.headers.get("Location", "/admin") == "/admin"


def test_a_session_is_new_at_each_way_in_and_none_is_taken_over(
    outside: Outside, ada: Person, engine: sa.Engine
) -> None:
    """Session fixation: whatever cookie somebody planted, it is not the one that counts afterwards."""
    outside.client.set_cookie(cookie_name(URL), "A" * 43, domain="127.0.0.1")
    outside.get("/admin/sign-in/acme")
    door = outside.cookie(door_cookie_name(URL)) or ""
    page = outside.post(
        "/admin/sign-in/acme/password",
        csrf_of(door),
        email=ada.email,
        password=PASSWORD,
        code=ada.code(datetime.now(UTC)),
    )
    assert page.status != 422
    assert outside.session not in (None, "A" * 43)
    first = outside.session
    link = administering.invite_again(engine, ada.tenant_id, ada.id, DAY, OWNER).link.secret
    outside.post(f"/admin/invitation/{link}")
    assert outside.session not in (None, first)
    assert ada.session(first) is None  # the browser's former session ended


def test_a_form_at_the_door_needs_the_doors_token(
    outside: Outside, ada: Person, engine: sa.Engine, tenant: Tenant
) -> None:
    link = invited(engine, tenant)
    outside.get("/admin/sign-in/acme")
    said = {"email": ada.email, "password": PASSWORD, "code": ada.code(datetime.now(UTC))}
    for token in ("", csrf_of("A" * 43)):
        assert outside.post("/admin/sign-in/acme/password", token, **said).status == 403
        assert outside.post(f"/admin/invitation/{link}", token).status == 403
    assert outside.session is None
    assert outside.post(f"/admin/invitation/{link}").status == 200


def test_looking_at_an_invitation_changes_nothing(outside: Outside, engine: sa.Engine, tenant: Tenant) -> None:
    link = invited(engine, tenant)
    for _ in range(3):
        page = outside.get(f"/admin/invitation/{link}")
        assert page.status == 200
        assert "administrator olga@acme.example" in page.text
        assert "You are invited to administer acme" in page.text
    page = outside.post(f"/admin/invitation/{link}")
    assert page.at == "/admin/access/way-back"
    other = Outside(outside.client.application)
    page = other.get(f"/admin/invitation/{link}")
    assert (page.status, "It was used already" in page.text) == (410, True)
    assert other.post(f"/admin/invitation/{link}").status == 410
    assert other.session is None


@pytest.mark.parametrize(
    ("change", "said"),
    [("expires_at = now()", "Its time is over"), ("revoked_at = now()", "It was taken back")],
)
def test_an_invitation_that_is_over_says_what_to_do(
    outside: Outside, engine: sa.Engine, tenant: Tenant, change: str, said: str
) -> None:
    link = invited(engine, tenant)
    with writing(engine) as conn:
        conn.exec_driver_sql(f"UPDATE console_links SET {change}")
    outside.get("/admin/sign-in")
    for page in (outside.get(f"/admin/invitation/{link}"), outside.post(f"/admin/invitation/{link}")):
        assert page.status == 410
        assert said in page.text
        assert "rollcall admin invite" in page.text
    assert outside.session is None


def test_an_address_that_never_was_is_nothing(outside: Outside, tenant: Tenant) -> None:
    for path in ("/admin/invitation/x", "/admin/set-up/x", f"/admin/set-up/{'x' * 300}"):
        assert outside.get(path).status == 404


def test_the_reminder_stays_until_there_is_a_way_back(outside: Outside, engine: sa.Engine, tenant: Tenant) -> None:
    outside.get("/admin/sign-in")
    outside.post(f"/admin/invitation/{invited(engine, tenant)}")
    assert "You cannot come in again yet" in outside.get("/admin/administrators").text
    with writing(engine) as conn:
        conn.exec_driver_sql(
            "INSERT INTO passkeys (tenant_id, id, administrator_id, credential_id, public_key, sign_count, name)"
            " SELECT tenant_id, gen_random_uuid(), id, 'c', 'k', 0, 'Key' FROM administrators"
        )
    assert "You cannot come in again yet" not in outside.get("/admin/administrators").text


def test_a_set_up_link_leads_to_its_one_thing(
    outside: Outside, engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    _, link = set_up_links.make(engine, tenant.id, "scim", okta.id, "Kim", 2, OWNER)
    page = outside.get(f"/admin/set-up/{link.secret}")
    assert "let your identity provider push people and groups" in page.text
    answer = outside.client.post(
        f"/admin/set-up/{link.secret}", base_url=f"http://{outside.host}", data={"csrf": outside.csrf}
    )
    assert answer.headers["Location"] == f"/admin/provisioning/{okta.id}/set-up"
    assert outside.get("/admin/access").status == 403
    assert outside.get("/admin/administrators").status == 403
    assert "Go on" in outside.get(f"/admin/set-up/{link.secret}").text
    other = Outside(outside.client.application)
    assert other.get(f"/admin/set-up/{link.secret}").status == 410
    assert other.get(f"/admin/invitation/{link.secret}").status == 404
    assert set_up_links.revoke(engine, tenant.id, link.id, OWNER)
    assert outside.client.get("/admin/access", base_url=f"http://{outside.host}").status_code == 303


def test_too_many_tries_of_one_network_wait(outside: Outside, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.console.entering.TRIES_AT_ONCE", 3)
    monkeypatch.setattr("app.console.entering.TRIES_A_MINUTE", 1)
    outside.get("/admin/sign-in/acme")
    said = {"email": "nobody@acme.example", "password": "wrong wrong wrong", "code": "000000"}
    assert [outside.post("/admin/sign-in/acme/password", **said).status for _ in range(4)] == [422, 422, 422, 429]


def test_passkeys_are_told_of_where_there_are_none(outside: Outside, ada: Person, application: Flask) -> None:
    assert "Passkeys need an address with a name" in outside.get("/admin/sign-in/acme").text
    assert outside.post("/admin/sign-in/passkey-options").status == 409
    assert "Use a passkey" in Outside(application, "localhost:8080").get("/admin/sign-in/acme").text


def test_a_passkey_lets_in_once_and_in_its_browser(application: Flask, ada: Person, engine: sa.Engine) -> None:
    device = Device("http://localhost:8080")
    ada.with_passkey(device)
    browser, other = (Outside(application, "localhost:8080") for _ in range(2))
    for one in (browser, other):
        one.get("/admin/sign-in/acme")
    options = json.loads(browser.post("/admin/sign-in/passkey-options").html)
    answer = device.sign(options)
    assert other.post("/admin/sign-in/acme/passkey", answer=answer).status == 422
    assert browser.post("/admin/sign-in/acme/passkey", answer=answer, to="/admin/access").at == "/admin/access"
    assert other.post("/admin/sign-in/acme/passkey", answer=answer).status == 422
    assert not is_in(other)
    with reading(engine) as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM console_challenges")).scalar_one() == 0


def test_no_secret_stands_in_a_page(console: Callable[..., Console]) -> None:
    html = console("owner").get("/admin/access").html
    assert not re.search(r"\$argon2|gAAAA", html)
