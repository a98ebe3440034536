"""Somebody in the console: a client with a session of the wanted role, whose forms carry their token.

owner = console("owner")
seen = owner.post("/admin/…", name="…")     303s are followed; seen.status, .text, .html, .said, .at
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.console.visit import cookie_name, csrf_of
from app.factory import create_app
from app.settings import Settings
from app.store import console_sessions
from app.store import tables as t
from app.store.console_sessions import NewConsoleSession
from app.store.console_tables import console_links
from app.store.engine import writing
from app.store.tenants import Tenant

KEY = bytes(range(32))
SETTINGS = Settings(log_level="error", secret_key=(KEY,))


@dataclass(frozen=True)
class Seen:
    """A page as somebody sees it. `at` is its address after redirects; `said` the messages on it."""

    status: int
    html: str
    at: str
    headers: dict[str, str] = field(repr=False)

    @property
    def text(self) -> str:
        """What can be read, blanks as one."""
        body = re.sub(r"<(script|style|template|svg)\b.*?</\1>", " ", self.html, flags=re.S)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()

    @property
    def links(self) -> list[str]:
        return [unescape(href) for href in re.findall(r'<a\b[^>]*\bhref="([^"]*)"', self.html)]

    @property
    def said(self) -> list[str]:
        found = re.findall(r'<[a-z]+[^>]*\bclass="[^"]*\bsaid\b[^"]*"[^>]*>(.*?)<!-- said -->', self.html, flags=re.S)
        return [Seen(200, one, "", {}).text for one in found]


class Console:
    """One browser in the console."""

    def __init__(self, client: FlaskClient, session_id: str, secret: str, actor_id: str | None) -> None:
        self.client, self.session_id, self.secret, self.actor_id = client, session_id, secret, actor_id

    @property
    def csrf(self) -> str:
        return csrf_of(self.secret)

    def get(self, path: str, *, follow: bool = True, **options: Any) -> Seen:
        return _seen(self.client.get(path, follow_redirects=follow, **options))

    def post(self, path: str, *, follow: bool = True, files: dict[str, Any] | None = None, **fields: Any) -> Seen:
        """Send a form: fields by name, lists for several values; `files` are (file object, name) by field."""
        data = {"csrf": self.csrf, **{name: value for name, value in fields.items() if value is not None}}
        return _seen(self.client.post(path, data={**data, **(files or {})}, follow_redirects=follow))


def _seen(answer: TestResponse) -> Seen:
    with answer:
        return Seen(answer.status_code, answer.text, answer.request.full_path.rstrip("?"), dict(answer.headers))


@pytest.fixture(scope="session")
def made(shared_engine: sa.Engine) -> Flask:
    """Its table of routes takes longer to make than most tests take."""
    return create_app(SETTINGS, engine=shared_engine)


@pytest.fixture
def application(made: Flask, engine: sa.Engine) -> Flask:
    """The application of the whole run, on a database without a row."""
    return made


@pytest.fixture
def console(application: Flask, engine: sa.Engine, tenant: Tenant) -> Callable[..., Console]:
    """`console("admin")`: somebody of that role in the tenant `acme`, or in another with `tenant_id`.

    `console(link="scim", source_id=…)` is the holder of a set-up link instead.
    """

    def enter(
        role: str | None = None,
        *,
        tenant_id: str | None = None,
        link: str | None = None,
        connection_id: str | None = None,
        source_id: str | None = None,
    ) -> Console:
        where, id = tenant_id or tenant.id, console_sessions.new_id()
        with writing(engine) as conn:
            if link is None:
                conn.execute(
                    sa.insert(t.administrators).values(
                        tenant_id=where,
                        id=id,
                        email=f"{role}-{id}@acme.example",
                        name=f"An {role}",
                        role=role,
                        created_by="test",
                    )
                )
                new = NewConsoleSession(where, "password", administrator_id=id, proven=True)
            else:
                conn.execute(
                    sa.insert(console_links).values(
                        tenant_id=where,
                        id=id,
                        hash=id.encode(),
                        purpose=link,
                        connection_id=connection_id,
                        source_id=source_id,
                        note="IT of Acme",
                        created_by="test",
                        expires_at=sa.text("now() + interval '1 day'"),
                    )
                )
                new = NewConsoleSession(where, "set-up link", link_id=id)
            begun = console_sessions.begin(conn, new)
        client = application.test_client()
        client.set_cookie(cookie_name(SETTINGS.public_url), begun.secret)
        return Console(client, begun.id, begun.secret, id)

    return enter


@pytest.fixture
def scim(application: Flask) -> Callable[..., TestResponse]:
    """Asks at the SCIM door with a token, and has the log written."""

    def ask(token: str, method: str = "GET", path: str = "/Users", body: Any = None) -> TestResponse:
        header = {"Authorization": f"Bearer {token}"}
        answer = application.test_client().open(f"/scim/v2{path}", method=method, json=body, headers=header)
        application.extensions["scim_log"].flush()
        return answer

    return ask
