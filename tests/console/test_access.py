"""Your access, and what is grave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pyotp
import pytest
import sqlalchemy as sa

from app.store import administrators, console_sessions
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.adapters.administrators import PASSWORD
from tests.console.conftest import Console, Seen
from tests.passkey_device import Device

Enter = Callable[..., Console]
LOCALHOST = {"base_url": "http://localhost"}
NEW = "four white egrets fly"


def hidden(page: Seen, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.html)
    assert found
    return found[1]


def secret(page: Seen) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page.html)
    assert found
    return found[1]


def stale(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE console_sessions SET proven_at = now() - interval '31 minutes'")


@pytest.fixture
def ada(console: Enter) -> Console:
    return console("owner")


def set_up(ada: Console) -> str:
    """Password and code; the authenticator's secret."""
    page = ada.get("/admin/access/password")
    shown = secret(page)
    code = pyotp.TOTP(shown).at(datetime.now(UTC), counter_offset=-1)
    page = ada.post("/admin/access/password", password=PASSWORD, sealed=hidden(page, "sealed"), code=code)
    assert page.at == "/admin/access"
    return shown


def test_password_and_authenticator_are_set_up_together(ada: Console) -> None:
    page = ada.get("/admin/access/password")
    assert "<svg" in page.html
    shown, sealed = secret(page), hidden(page, "sealed")
    wrong = ada.post("/admin/access/password", password="short", sealed=sealed, code="000000")
    assert (wrong.status, "at least 12 characters" in wrong.text.lower()) == (422, True)
    assert secret(wrong) == shown  # the picture that was photographed stays
    wrong = ada.post("/admin/access/password", password=PASSWORD, sealed=hidden(wrong, "sealed"), code="000000")
    assert (wrong.status, "not the one of this moment" in wrong.text) == (422, True)
    assert PASSWORD not in wrong.html
    code = pyotp.TOTP(shown).now()
    done = ada.post("/admin/access/password", password=PASSWORD, sealed=hidden(wrong, "sealed"), code=code)
    assert (done.status, done.at) == (200, "/admin/access")
    assert "you can come in again" in done.said[0]


def test_the_authenticator_and_the_password_are_replaced(ada: Console) -> None:
    first = set_up(ada)
    page = ada.get("/admin/access/authenticator")
    assert secret(page) != first
    assert ada.post("/admin/access/authenticator", sealed=hidden(page, "sealed"), code="000000").status == 422
    code = pyotp.TOTP(secret(page)).now()
    assert (
        "counts from now on"
        in ada.post("/admin/access/authenticator", sealed=hidden(page, "sealed"), code=code).said[0]
    )
    assert ada.post("/admin/access/password/change", password="short").status == 422
    assert "password is changed" in ada.post("/admin/access/password/change", password=NEW).said[0]
    assert "only way back" in ada.post("/admin/access/password/remove").said[0]


def test_a_passkey_is_added_and_removed(ada: Console, engine: sa.Engine, tenant: Tenant) -> None:
    ada.client.set_cookie("rollcall-console", ada.secret, domain="localhost")
    device = Device("http://localhost")

    def post(path: str, **fields: str) -> Seen:
        from tests.console.conftest import _seen

        data = {"csrf": ada.csrf, **fields}
        return _seen(ada.client.post(path, data=data, follow_redirects=True, **LOCALHOST))

    options = json.loads(post("/admin/access/passkeys/options").html)
    answer = device.register(options)
    assert "come in again with this passkey" in post("/admin/access/passkeys", answer=answer, label="Laptop").said[0]
    assert "too long" in post("/admin/access/passkeys", answer=answer, label="Again").said[0]
    with reading(engine) as conn:
        id = str(conn.execute(sa.text("SELECT id FROM passkeys")).scalar_one())
    assert "only way back" in post(f"/admin/access/passkeys/{id}/remove").said[0]
    set_up(ada)
    assert "lets nobody in" in post(f"/admin/access/passkeys/{id}/remove").said[0]


def test_sessions_are_listed_and_ended_one_by_one(
    ada: Console, console: Enter, engine: sa.Engine, tenant: Tenant
) -> None:
    other = console("owner")
    with writing(engine) as conn:
        begun = console_sessions.begin(
            conn,
            console_sessions.NewConsoleSession(tenant.id, "passkey", administrator_id=ada.actor_id, agent="Firefox/1"),
        )
    assert "Firefox" in ada.get("/admin/access").text
    assert ada.post(f"/admin/access/sessions/{other.session_id}/end").status == 404
    assert "has ended" in ada.post(f"/admin/access/sessions/{begun.id}/end").said[0]
    assert ada.post(f"/admin/access/sessions/{begun.id}/end").status == 404
    assert "signed out" in ada.post(f"/admin/access/sessions/{ada.session_id}/end").text
    assert ada.get("/admin/access", follow=False).status == 303
    assert other.get("/admin/access").status == 200


def test_what_is_grave_asks_for_a_credential_again(ada: Console, engine: sa.Engine) -> None:
    shown = set_up(ada)
    stale(engine)
    said = {"email": "eve@acme.example", "role": "auditor", "days": "7"}
    headers = {"Referer": "http://localhost/admin/administrators?x=1"}
    answer = ada.client.post("/admin/administrators", data={"csrf": ada.csrf, **said}, headers=headers)
    assert answer.headers["Location"] == "/admin/proof?to=%2Fadmin%2Fadministrators"
    page = ada.get("/admin/proof?to=/admin/administrators")
    assert page.html.count('name="to" value="/admin/administrators"') == 1
    assert ada.post("/admin/proof/password", to="/admin/administrators", password=PASSWORD, code="000000").status == 422
    code = pyotp.TOTP(shown).now()
    page = ada.post("/admin/proof/password", to="/admin/administrators", password=PASSWORD, code=code)
    assert page.at == "/admin/administrators"
    assert "/admin/invitation/" in ada.post("/admin/administrators", **said).html


def test_a_second_way_in_is_grave_and_the_first_is_not(ada: Console, engine: sa.Engine) -> None:
    stale(engine)
    set_up(ada)
    page = ada.get("/admin/access/password")
    code = pyotp.TOTP(secret(page)).now()
    again = ada.post("/admin/access/password", password=NEW, sealed=hidden(page, "sealed"), code=code)
    assert again.at.startswith("/admin/proof?")


def test_whoever_has_nothing_to_show_is_told_to_set_it_up(ada: Console, engine: sa.Engine) -> None:
    stale(engine)
    page = ada.post("/admin/administrators", email="eve@acme.example", role="auditor", days="7")
    assert page.at.startswith("/admin/proof?")
    assert "/admin/access/way-back" in page.links


def test_whoever_came_by_a_role_has_nothing_to_set_up(
    ada: Console, engine: sa.Engine, tenant: Tenant, console: Enter
) -> None:
    from app.adapters import coming_in
    from app.store import tables as t
    from tests.adapters.administrators import HERE
    from tests.signed_in import sign_in

    person = sign_in(engine, tenant.id)
    with writing(engine) as conn:
        key = {"tenant_id": tenant.id, "account_id": person.account_id, "role": "admin", "scope": "tenant", "rule": "r"}
        conn.execute(sa.insert(t.grants).values(**key, effective=True, since=datetime.now(UTC)))
    begun = coming_in.by_connection(engine, tenant.id, person.secret, HERE)
    assert isinstance(begun, console_sessions.Begun)
    ada.client.set_cookie("rollcall-console", begun.secret, domain="localhost")
    visitor = Console(ada.client, begun.id, begun.secret, None)
    page = visitor.get("/admin/access")
    assert "Your credentials are kept there" in page.text
    assert "/signed-in/acme" in page.links
    for path in ("password", "way-back", "authenticator"):
        assert visitor.get(f"/admin/access/{path}").status == 409
    assert visitor.post("/admin/access/passkeys/options").status == 409
    assert visitor.post("/admin/access/password", password=PASSWORD).status == 409
    with reading(engine) as conn:
        assert [one.by_password for one in administrators.listing(conn, tenant.id)] == [False]
