"""Learning platforms in the console: added with a secret that is shown once, rotated, removed."""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa

from app.console.connections.platforms import HERE
from app.store import clients, tenants
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.console.conftest import Console, Seen

Enter = Callable[..., Console]
SAID = {"name": "Academy", "redirect_uris": "https://lms.example/callback", "scopes": ["openid", "profile", "roles"]}


def _secret(seen: Seen) -> str:
    [found] = re.findall(r"<code>(rc_[\w-]+)</code>", seen.html)
    return str(found)


def _id(engine: sa.Engine, tenant: Tenant) -> str:
    with reading(engine) as conn:
        [one] = clients.listing(conn, tenant.id)
    return one.client.id


def test_a_secret_is_shown_once(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    admin = console("admin")
    assert "No platform yet" in admin.get(HERE).text
    made = admin.post(f"{HERE}/new", **SAID)
    assert made.status == 200
    assert "no-store" in made.headers["Cache-Control"]
    secret, id = _secret(made), _id(engine, tenant)
    assert id in made.text
    assert "openid profile roles" in made.text
    seen = admin.get(f"{HERE}/{id}")
    assert secret not in seen.html
    assert "/.well-known/openid-configuration" in seen.text
    assert "Academy" in admin.get(HERE).text


def test_what_is_wrong_comes_back_at_its_field(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    seen = console("admin").post(f"{HERE}/new", **{**SAID, "redirect_uris": "http://lms.example/*"})
    assert seen.status == 422
    assert "Academy" in seen.html
    assert 'id="field-redirect_uris-error"' in seen.html
    with reading(engine) as conn:
        assert clients.listing(conn, tenant.id) == []


def test_a_new_secret_leaves_the_old_one_a_while(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    admin = console("admin")
    first = _secret(admin.post(f"{HERE}/new", **SAID))
    id = _id(engine, tenant)
    assert admin.post(f"{HERE}/{id}/rotate", overlap="soon").status == 422
    second = _secret(admin.post(f"{HERE}/{id}/rotate", overlap="24"))
    assert first != second
    with reading(engine) as conn:
        [one] = clients.listing(conn, tenant.id)
    assert sorted(each.expires_at is None for each in one.secrets) == [False, True]


def test_a_public_platform_has_none(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    admin = console("admin")
    seen = admin.post(f"{HERE}/new", **{**SAID, "auth_method": "none"})
    assert "rc_" not in seen.html
    assert admin.post(f"{HERE}/{_id(engine, tenant)}/rotate", overlap="1").status == 409


def test_it_is_removed(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    admin = console("admin")
    admin.post(f"{HERE}/new", **SAID)
    id = _id(engine, tenant)
    seen = admin.post(f"{HERE}/{id}/remove")
    assert seen.at == HERE
    assert "Removed (1)" in seen.text
    assert admin.post(f"{HERE}/{id}/remove").status == 409


def test_another_tenants_is_not_there(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    console("admin").post(f"{HERE}/new", **SAID)
    id = _id(engine, tenant)
    with writing(engine) as conn:
        other = tenants.create(conn, "other").id
    stranger = console("owner", tenant_id=other)
    assert stranger.get(f"{HERE}/{id}").status == 404
    for act in ("rotate", "remove"):
        assert stranger.post(f"{HERE}/{id}/{act}", overlap="1").status == 404
    with reading(engine) as conn:
        assert clients.listing(conn, tenant.id)[0].removed_at is None
