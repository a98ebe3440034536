"""Pages of the role table and of groups: searched, filtered, continued; a large group is not counted to its end."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import mapping_pages as pages
from app.store import mappings as store
from app.store import tenants
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync.mappings import Change, save
from tests.sync.groups import grouped, pushed

NAMES = ("Admins", "Crew 1", "Crew 2", "Größen", "Zebra")


@pytest.fixture(autouse=True)
def groups(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> dict[str, str]:
    made = {name: grouped(engine, okta, name) for name in NAMES}
    said = [
        Change("set", "group", "Admins", "admin", source="okta"),
        Change("set", "group", "Größen", "instructor", "branch:north", source="okta"),
        Change("set", "group", "Gone", "learner", source="okta"),
        Change("set", "attribute", "Trainer 100%", "instructor", attribute="title"),
    ]
    save(engine, tenant.id, said, actor="eve")
    return made


def test_lines_are_walked_page_by_page(engine: sa.Engine, tenant: Tenant) -> None:
    with reading(engine) as conn:
        whole = pages.lines(conn, tenant.id)
        assert [one.match for one in whole] == ["Trainer 100%", "Admins", "Gone", "Größen"]
        walked: list[store.MappingRow] = []
        while some := pages.lines(conn, tenant.id, after=walked[-1] if walked else None, limit=1):
            walked += some
    assert walked == whole


def test_lines_are_found_by_what_they_say(engine: sa.Engine, tenant: Tenant) -> None:
    with reading(engine) as conn:

        def found(**asked: object) -> list[str]:
            some = [one.match for one in pages.lines(conn, tenant.id, **asked)]  # type: ignore[arg-type]
            assert pages.count(conn, tenant.id, **asked) == len(some)  # type: ignore[arg-type]
            return some

        assert found(text="GRÖSS") == ["Größen"]
        assert found(text="100%") == ["Trainer 100%"]
        assert found(text="%") == ["Trainer 100%"]
        assert found(text="instruc") == ["Trainer 100%", "Größen"]
        assert found(role="instructor", kind="group") == ["Größen"]
        assert found(source="okta", waiting=True) == ["Gone"]
        assert found(source="nobody") == []


def test_groups_are_found_by_the_beginning_of_their_names(engine: sa.Engine, tenant: Tenant) -> None:
    with reading(engine) as conn:
        assert [one.name for one in pages.groups(conn, tenant.id, text="crew")] == ["Crew 1", "Crew 2"]
        assert [one.name for one in pages.groups(conn, tenant.id, text="rew")] == []
        assert [(one.name, one.mapped) for one in pages.groups(conn, tenant.id, text="grösse")] == [("Größen", True)]
        (first,) = pages.groups(conn, tenant.id, limit=1)
        assert [one.name for one in pages.groups(conn, tenant.id, after=first.place)] == list(NAMES[1:])
        assert pages.groups(conn, tenant.id, source="nobody") == []


def test_unmapped_groups_are_walked_past_the_mapped_ones(engine: sa.Engine, tenant: Tenant) -> None:
    with reading(engine) as conn:
        some = pages.unmapped(conn, tenant.id, limit=2)
        assert [one.name for one in some] == ["Crew 1", "Crew 2"]
        assert [one.name for one in pages.unmapped(conn, tenant.id, after=some[-1].place)] == ["Zebra"]
        assert [one.name for one in pages.unmapped(conn, tenant.id, text="z")] == ["Zebra"]


def test_members_are_counted_up_to_a_limit(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = pushed(engine, okta, "ann", "bob")
    grouped(engine, okta, "Pair", list(users.values()))
    with reading(engine) as conn:
        (pair,) = pages.groups(conn, tenant.id, text="pair")
    assert (pair.members, pair.counted) == (2, "2")
    monkeypatch.setattr(store, "COUNTED", 1)
    assert pair.counted == "1+"


def test_a_group_is_named_by_name_or_id(engine: sa.Engine, tenant: Tenant, groups: dict[str, str]) -> None:
    with reading(engine) as conn:
        source = tenants.find_source(conn, tenant.id, "okta").id
        by_name, by_id = (store.groups_named(conn, tenant.id, source, one) for one in ("Zebra", groups["Zebra"]))
        assert by_name == by_id
        assert store.groups_named(conn, tenant.id, source, "zebra") == []


def test_pages_show_one_tenant(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    with reading(engine) as conn:
        assert pages.lines(conn, other.id) == pages.groups(conn, other.id) == pages.unmapped(conn, other.id) == []
