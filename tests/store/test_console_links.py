"""Links that let somebody in once."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app.store import administrators, console_links, tenants
from app.store.console_links import Issued
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant

DAY = timedelta(days=1)


def issued(engine: sa.Engine, tenant: Tenant, source: SourceRow, lifetime: timedelta = DAY) -> Issued:
    with writing(engine) as conn:
        return console_links.issue(conn, tenant.id, "scim", "test", lifetime, source_id=source.id, note="For IT")


def state(engine: sa.Engine, link: Issued) -> str | None:
    with reading(engine) as conn:
        found = console_links.find(conn, link.secret)
    return found.state if found else None


def test_a_link_opens_once_and_looking_at_it_opens_nothing(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    link = issued(engine, tenant, okta)
    with writing(engine) as conn:
        found = console_links.find(conn, link.secret)
        assert found is not None
        assert (found.state, found.about, found.tenant_name, found.note) == ("open", "okta", "acme", "For IT")
        assert console_links.find(conn, link.secret) == found
        assert console_links.open(conn, found)
        assert not console_links.open(conn, found)
    assert state(engine, link) == "used"
    assert link.secret not in repr(link)


def test_nobody_guesses(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    issued(engine, tenant, okta)
    with reading(engine) as conn:
        assert [console_links.find(conn, guess) for guess in ("", "x" * 43, "x" * 10_000)] == [None] * 3


def test_what_is_revoked_or_over_opens_nothing(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    revoked, over = issued(engine, tenant, okta), issued(engine, tenant, okta, timedelta(0))
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        assert not console_links.revoke(conn, other.id, revoked.id)
        assert console_links.revoke(conn, tenant.id, revoked.id)
        assert not console_links.revoke(conn, tenant.id, revoked.id)
        for link in (revoked, over):
            found = console_links.find(conn, link.secret)
            assert found is not None
            assert not console_links.open(conn, found)
    assert [state(engine, link) for link in (revoked, over)] == ["revoked", "expired"]


def test_an_invitation_ends_with_its_administrator(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        ada = administrators.create(conn, tenant.id, "ada@acme.example", "Ada", "owner", "test")
        first = console_links.issue(conn, tenant.id, "invitation", "test", DAY, administrator_id=ada)
        assert console_links.revoke_invitations(conn, tenant.id, ada) == 1
        second = console_links.issue(conn, tenant.id, "invitation", "test", DAY, administrator_id=ada)
    assert [state(engine, link) for link in (first, second)] == ["revoked", "open"]
    with writing(engine) as conn:
        administrators.remove(conn, tenant.id, ada)
        assert console_links.listing(conn, tenant.id) == []
    assert state(engine, second) == "revoked"


def test_the_list_is_the_newest_first_and_goes_on(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    made = [issued(engine, tenant, okta).id for _ in range(3)]
    with reading(engine) as conn:
        first = console_links.listing(conn, tenant.id, limit=2)
        rest = console_links.listing(conn, tenant.id, before=first[-1].id)
        assert console_links.by_id(conn, tenant.id, made[0]) == rest[0]
    assert [one.id for one in [*first, *rest]] == made[::-1]
