"""Provisioning in a real browser: connect a provider, watch its first request come, follow it, rotate its token.

The provider is a plain HTTP client with the token that the page showed.
"""

from __future__ import annotations

import re

import pytest
import requests
import sqlalchemy as sa

from app.console.visit import cookie_name
from app.store import console_sessions
from app.store import tables as t
from app.store.console_sessions import NewConsoleSession
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.journeys.chromium import Chromium, Tab
from tests.journeys.server import Server
from tests.waiting import soon

pytestmark = pytest.mark.journey

HOME = "/admin/provisioning"
DECLARED = """{"id": "urn:acme:params:scim:schemas:extension:training:2.0:User", "name": "Training",
 "attributes": [{"name": "costCentre", "type": "string", "multiValued": false}]}"""


def enter(running: Server, engine: sa.Engine, tenant: Tenant, tab: Tab) -> None:
    """An administrator of the tenant is in."""
    id = console_sessions.new_id()
    with writing(engine) as conn:
        row = {"tenant_id": tenant.id, "id": id, "email": "ada@quay.example", "name": "Ada", "role": "admin"}
        conn.execute(sa.insert(t.administrators).values(**row, created_by="test"))
        begun = console_sessions.begin(conn, NewConsoleSession(tenant.id, "password", administrator_id=id, proven=True))
    tab.cookie(running.url, cookie_name(running.url), begun.secret)


def ask(running: Server, token: str, method: str = "GET", path: str = "/Users", **body: object) -> requests.Response:
    header = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{running.url}/scim/v2{path}", json=body or None, headers=header, timeout=30)


def shown(text: str) -> str:
    return re.findall(r"rc_scim_[\w-]{43}", text)[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_an_empty_page_to_a_followed_request_and_a_rotated_token(
    running: Server, engine: sa.Engine, tenant: Tenant, chrome: Chromium, scripts: bool
) -> None:
    with chrome.tab(running.url, scripts=scripts) as tab:
        enter(running, engine, tenant, tab)
        tab.go(running.url + HOME, "No provider is connected yet")
        tab.inspect("provisioning-empty")
        tab.go(f"{running.url}{HOME}/new", "Which product is it?")
        tab.inspect("provisioning-new")
        tab.type("#field-name", "okta")
        waiting = tab.click("Add and set up", "Waiting for the first request")
        assert "SCIM connector base URL" in waiting.text
        tab.inspect("provisioning-set-up")
        made = tab.click("Make a token", "It is shown this once")
        token = shown(made.text)
        tab.inspect("provisioning-token")

        pushed = ask(running, token, "POST", userName="amara@quay.example", title="Analyst", adreses="x")
        assert pushed.status_code == 201, pushed.text
        if scripts:
            assert "POST /Users" in tab.see("It works: a request has arrived").text  # nobody reloaded the page
        else:
            assert soon(lambda: bool(_logged(engine, tenant)))
            tab.click("Look now", "It works: a request has arrived")
        tab.inspect("provisioning-arrived")

        ask(running, token, "PATCH", f"/Users/{pushed.json()['id']}", **_title("Countess"))
        ask(running, token, "POST", userName="AMARA@quay.example")
        assert soon(lambda: len(_logged(engine, tenant)) == 3)
        tab.go(f"{running.url}{HOME}/requests", 'title: "Analyst" → "Countess"')
        tab.inspect("provisioning-requests")
        first, change, refused = _logged(engine, tenant)
        tab.go(f"{running.url}{HOME}/requests/{first}", "user created")
        page = tab.go(f"{running.url}{HOME}/requests/{change}", "Account of")
        assert page.text.count("Countess") >= 3
        tab.inspect("provisioning-request")
        tab.go(f"{running.url}{HOME}/requests/{refused}", "The userName is taken")
        tab.inspect("provisioning-refused")
        if scripts:
            tab.go(f"{running.url}{HOME}/requests", "What it did")
            tab.act("type", on="#search-q", text="nobody")
            tab.see("No request fits")

        _rotate(running, engine, tenant, tab, token)


def test_every_other_page_is_faultless(running: Server, engine: sa.Engine, tenant: Tenant, chrome: Chromium) -> None:
    with chrome.tab(running.url, scripts=True) as tab:
        enter(running, engine, tenant, tab)
        at = running.url + HOME
        tab.go(f"{at}/api-keys", "No key yet")
        tab.type("#field-name", "payroll")
        tab.press("#scope-1")
        tab.click("Make a key", "It is shown this once")
        tab.inspect("provisioning-api-keys")
        tab.go(f"{at}/schemas", "No schema of your own")
        tab.inspect("provisioning-schemas-empty")
        tab.type("#field-document", "{")
        tab.click("Declare", "This is not JSON")
        tab.inspect("provisioning-schemas-wrong")
        tab.type("#field-document", DECLARED)
        tab.click("Declare", "is declared for users")
        tab.inspect("provisioning-schemas")
        tab.go(f"{at}/receivers", "No receiver")
        tab.type("#field-url", "http://127.0.0.1:9/hook")
        tab.type("#field-audience", "lms")
        tab.click("Add the receiver", "It hears what happens from now on")
        tab.inspect("provisioning-receivers")
        for page in ("drift", "errors"):
            tab.go(f"{at}/{page}")
            tab.inspect(f"provisioning-{page}")


def _rotate(running: Server, engine: sa.Engine, tenant: Tenant, tab: Tab, old: str) -> None:
    source_id, old_id = _token(engine, tenant)
    at = f"{running.url}{HOME}/{source_id}"
    tab.go(at, "Base URL")
    tab.inspect("provisioning-source")
    tab.press(f"details:has(form[action*='{old_id}/rotate']) > summary")
    rotated = tab.press(f"form[action*='{old_id}/rotate'] button", "It is shown this once")
    assert "stays valid for a day" in rotated.text
    new = shown(rotated.text)
    tab.inspect("provisioning-rotated")
    assert [ask(running, one).status_code for one in (old, new)] == [200, 200]
    tab.press(f"details:has(form[action*='{old_id}/revoke']) > summary")
    tab.press(f"form[action*='{old_id}/revoke'] button", "is revoked")
    assert soon(lambda: ask(running, old).status_code == 401)
    assert ask(running, new).status_code == 200
    tab.go(running.url + HOME, "okta")
    tab.inspect("provisioning-sources")
    with reading(engine) as conn:
        rows = conn.execute(
            sa.select(t.audit.c.actor, t.audit.c.action)
            .where(t.audit.c.tenant_id == tenant.id, t.audit.c.action.like("credential.%"))
            .order_by(t.audit.c.number)
        ).all()
    actions = ["credential.issued", "credential.rotated", "credential.revoked"]
    assert [tuple(row) for row in rows] == [("administrator ada@quay.example", one) for one in actions]


def _title(title: str) -> dict[str, object]:
    operation = {"op": "replace", "path": "title", "value": title}
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}


def _logged(engine: sa.Engine, tenant: Tenant) -> list[str]:
    requested = t.scim_requests.c
    with reading(engine) as conn:
        chosen = sa.select(requested.id).where(requested.tenant_id == tenant.id).order_by(requested.id)
        return [str(one) for one in conn.execute(chosen).scalars()]


def _token(engine: sa.Engine, tenant: Tenant) -> tuple[str, str]:
    with reading(engine) as conn:
        chosen = sa.select(t.credentials.c.source_id, t.credentials.c.id)
        row = conn.execute(
            chosen.where(t.credentials.c.tenant_id == tenant.id, t.credentials.c.kind == "scim_token")
        ).one()
    return str(row.source_id), str(row.id)
