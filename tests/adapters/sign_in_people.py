"""People of a tenant and their browsers, for tests of signing in through the whole application.

`Town` has the application; `saml` makes a connection whose provider signs; `browser(...)` signs somebody in by it.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from werkzeug.test import TestResponse

from app.factory import create_app
from app.settings import Settings
from app.store import connections, credentials, saml_keys, tenants
from app.store.connections import NewConnection
from app.store.engine import reading, writing
from app.store.vault import Vault
from app.sync import mappings
from app.sync.mapping_changes import Change
from sso import cookies
from sso.connections import Addresses
from tests.sso import saml_idp
from tests.sso.saml_idp import World, attribute, attributes

BASE = "https://hub.example.com"
FORM = "application/x-www-form-urlencoded"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SECRET = b"k" * 32
IDP = saml_idp.idp_of("rsa")


@dataclass
class Town:
    """A tenant `acme` with the SCIM source `okta`."""

    engine: sa.Engine
    okta: tenants.SourceRow
    proxies: tuple[IPv4Network, ...] = ()
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(log_level="error", public_url=BASE, secret_key=(SECRET,), trusted_proxies=self.proxies)
        with writing(self.engine) as conn:  # else the first sign-in makes one, which takes long
            if not saml_keys.current(conn):
                key = saml_idp.our_key("ours")
                saml_keys.add(conn, key.certificate, key.private, datetime.now(UTC), Vault([SECRET]))
        self.app = create_app(settings, engine=self.engine)
        self.app.testing = True

    def saml(self, name: str = "okta-login", **said: Any) -> str:
        """A SAML connection; its id."""
        settings = {"entity_id": IDP.entity_id, "sso_url": "https://idp.example.com/sso", "certificates": [IDP.body]}
        settings |= said.pop("settings", {})
        said = {"paired_source_id": self.okta.id, "title": "Okta", **said}
        with writing(self.engine) as conn:
            return connections.create(
                conn, NewConnection(self.okta.tenant_id, name, kind="saml", settings=settings, **said)
            )

    def oidc(self, name: str = "oidc-login", **said: Any) -> str:
        """An OpenID connection; its id."""
        settings = {"issuer": "https://idp.example", "client_id": "hub", **said.pop("settings", {})}
        secret = Vault([SECRET]).seal("s3cret")
        said = {"paired_source_id": self.okta.id, "title": "OpenID", "secret": secret, **said}
        with writing(self.engine) as conn:
            new = NewConnection(self.okta.tenant_id, name, kind="oidc", settings=settings, **said)
            return connections.create(conn, new)

    def scim(self) -> FlaskClient:
        with writing(self.engine) as conn:
            secret = credentials.issue(conn, self.okta.tenant_id, "scim_token", "t", source_id=self.okta.id).secret
        made = self.app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        return made

    def provision(self, user_name: str = "ada@acme.example", **more: Any) -> str:
        """A person by SCIM; the id of their SCIM resource."""
        body = {"schemas": [USER], "userName": user_name, "emails": [{"value": user_name, "type": "work"}], **more}
        answer = self.scim().post("/scim/v2/Users", json=body)
        assert answer.status_code == 201, answer.get_data()
        return str(answer.json["id"])

    def set_active(self, id: str, active: bool) -> None:
        """As identity providers deactivate."""
        change = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"active": active}}]}
        assert self.scim().patch(f"/scim/v2/Users/{id}", json=change).status_code == 200

    def map_group(self, group: str, role: str, source: str = "okta-login") -> None:
        """People in the group have the role."""
        change = Change("set", "group", group, role=role, source=source)
        mappings.save(self.engine, self.okta.tenant_id, [change], actor="test", wait=True)

    def rows(self, table: str) -> list[Any]:
        with reading(self.engine) as conn:
            return list(conn.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1, 2")).all())

    def last(self) -> Any:
        """The newest attempt in the sign-in log."""
        with reading(self.engine) as conn:
            return conn.execute(sa.text("SELECT * FROM sign_ins ORDER BY id DESC LIMIT 1")).one()

    def session_of(self, browser: Browser) -> Any:
        """The row of a browser's session."""
        digest = cookies.digest(browser.cookie() or "")
        return next(row for row in self.rows("sessions") if row.hash == digest)

    def account(self) -> Any:
        """The only account."""
        [found] = self.rows("accounts")
        return found


@dataclass
class Browser:
    """One browser, which signs in at a connection by SAML."""

    town: Town
    connection_id: str
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.town.app.test_client()
        self.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=BASE)

    def post(self, path: str, data: Any) -> TestResponse:
        return self.client.post(path, data=data, base_url=BASE, content_type=FORM)

    def begin(self, path: str = "/sign-in/acme") -> str:
        """Go to the provider; the ID of the request."""
        answer = self.get(path)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return self.request_id(answer.location)

    def request_id(self, url: str) -> str:
        """The ID of the SAML request in an address."""
        [packed] = parse_qs(urlsplit(url).query)["SAMLRequest"]
        return str(etree.fromstring(zlib.decompress(base64.b64decode(packed), -15)).get("ID"))

    def answer(self, request_id: str | None, subject: str = "ada", **said: Any) -> TestResponse:
        """The provider's answer, posted. said: user_name, email, groups, id, session."""
        world = World(Addresses(BASE, self.connection_id), request_id=request_id, now=_now())
        user_name = said.get("user_name", "ada@acme.example")
        named = [attribute("userName", user_name)] if user_name else []
        named += [attribute("email", said["email"])] if "email" in said else []
        named += [attribute("groups", *said["groups"])] if "groups" in said else []
        id, session = said.get("id", f"_{uuid4().hex}"), said.get("session", f"_{uuid4().hex}")
        name_id = f'<saml:NameID Format="{saml_idp.PERSISTENT}">{subject}</saml:NameID>'
        document = saml_idp.assertion(
            world,
            id=id,
            subject=saml_idp.subject(world, name_id),
            attributes=attributes(*named) if named else "",
            statement=saml_idp.statement(world, f'AuthnInstant="{world.time(-5)}" SessionIndex="{session}"'),
        )
        return self.post(
            f"/saml/{self.connection_id}/acs",
            saml_idp.form(saml_idp.signed(world, saml_idp.response(world, document), (id,))),
        )

    def sign_in(self, subject: str = "ada", **said: Any) -> TestResponse:
        return self.answer(self.begin(), subject, **said)

    def is_signed_in(self) -> bool:
        return "You are signed out" not in self.get("/signed-in/acme").get_data(as_text=True)

    def press(self, which: str) -> str:
        """Sign out as the page of devices does; the text of the answer."""
        page = self.get("/signed-in/acme").get_data(as_text=True)
        token = page.partition('name="token" value="')[2].partition('"')[0]
        answer = self.post("/sign-out/acme", {"token": token, "session": which})
        assert answer.status_code in (200, 303)
        return answer.get_data(as_text=True)

    def cookie(self) -> str | None:
        found = self.client.get_cookie(cookies.session(BASE, self.town.okta.tenant_id), domain="hub.example.com")
        return found.value if found else None


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
