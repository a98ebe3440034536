"""The console's first page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.console.overview import _steps
from app.provisioning import provision
from app.store import tenants
from app.store.engine import reading, writing
from app.store.first_steps import FirstSteps, first_steps
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import Console
from tests.store.test_people_search import scim

Enter = Callable[..., Console]


@pytest.fixture
def people(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    provision(engine, tenant.id, [scim(okta, "ada", "Ada", "Lovelace")], actor="test")


def test_a_new_tenant_is_told_its_first_steps(console: Enter) -> None:
    seen = console("auditor").get("/admin")
    assert "First steps" in seen.text
    assert "All is well" in seen.text
    assert "Done:" not in seen.html


@pytest.mark.usefixtures("people")
def test_steps_that_were_taken_are_marked(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    assert console("auditor").get("/admin").html.count('aria-label="Done:"') == 2
    with reading(engine) as conn:
        assert first_steps(conn, tenant.id) == FirstSteps(True, True, False, False, False)


@pytest.mark.usefixtures("people")
def test_another_tenants_steps_are_its_own(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
        assert first_steps(conn, other.id) == FirstSteps(False, False, False, False, False)


def test_each_step_is_a_field_of_what_is_there() -> None:
    for place, name in enumerate(("source", "people", "mapping", "connection", "signed_in")):
        there = FirstSteps(**{field: field == name for field in FirstSteps.__slots__})
        assert [done for *_, done in _steps(there)] == [number == place for number in range(5)]
        assert not there.done
    assert FirstSteps(True, True, True, True, True).done


def test_the_hours_are_drawn_from_a_table(console: Enter) -> None:
    html = console("auditor").get("/admin").html
    assert html.count("data-chart") == 2
    assert html.count('<tr><th scope="row"><time') == 96


def test_only_the_overview_itself_is_the_section(console: Enter) -> None:
    owner = console("owner")
    assert 'href="/admin" aria-current="page"' in owner.get("/admin").html
    assert 'href="/admin" aria-current' not in owner.get("/admin/find").html
