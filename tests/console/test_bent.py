"""Bent addresses and forms get an answer that says so, never a failure of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app import console as rooms
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import Console
from tests.console.test_people import say

Enter = Callable[..., Console]
BENT = [
    "\x00",
    "²",
    "9" * 30,
    "9" * 5_000,
    "a\x00b~c",
    "\u202e<img src=x onerror=alert(1)>",
    "' OR 1=1 --",
    "%",
    "-1",
    "x" * 9_000,
]
ARGS = str.split(
    "after before q role source state kind status method resource since until outcome reason connection "
    "account code line group match attribute record other keep keeps for to idp actor action subject day "
    "from text sort tab ticket name key event "
)


@pytest.mark.parametrize("bent", BENT, ids=range(len(BENT)))
def test_no_address_makes_the_console_fail(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, bent: str
) -> None:
    owner, wrong = console("owner"), {}
    ada = say(engine, tenant, okta, "ada", displayName="Ada")
    known = {"account_id": ada, "source_id": okta.id, "id": ada}
    for route in rooms.routes():
        if route.method != "GET":
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: known.get(m.group(1), str(uuid4())), route.rule)
        answer = owner.client.get(path, query_string=dict.fromkeys(ARGS, bent))
        with answer:
            if answer.status_code >= 500 or (b"<img src=x" in answer.data):
                wrong[path] = answer.status_code
    assert wrong == {}


FIELDS = str.split(
    "source document record version account other keep keeps one line move role scope attribute value "
    "note reason kind match priority rank console name hash domain email days target lives overlap proof "
    "issuer subject audience jwks url token urn code title domains arrival paired vendor session sealed "
    "password answer label theme to file events scopes client_id client_secret redirect_uris system "
    "affiliation way entity_id organisation connection skew max_age group carry_out everywhere suspended "
)


@pytest.mark.parametrize("bent", BENT, ids=range(len(BENT)))
def test_no_form_makes_the_console_fail(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow, bent: str
) -> None:
    wrong = {}
    ada = say(engine, tenant, okta, "ada", displayName="Ada")
    known = {"account_id": ada, "source_id": okta.id, "id": ada, "tenant": "acme"}
    for route in rooms.routes():
        if route.method != "POST":
            continue
        owner = console("owner")
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: known.get(m.group(1), str(uuid4())), route.rule)
        seen = owner.post(path, follow=False, **{**dict.fromkeys(FIELDS, bent), "id": None})
        if seen.status >= 500 or "<img src=x" in seen.html:
            wrong[path] = seen.status
    assert wrong == {}
