"""Pages and people by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.provisioning import provision
from app.store import sign_ins
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import Console
from tests.store.test_people_search import scim


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> str:
    """Her account's id."""
    (outcome,) = provision(engine, tenant.id, [scim(okta, "ada", "Ada", "Lovelace")], actor="test")
    return outcome.after.id


def test_people_are_found_by_the_beginning_of_a_name(console: Callable[..., Console], ada: str) -> None:
    seen = console("auditor").get("/admin/find?q=lovel")
    assert "Ada Lovelace" in seen.text
    assert f"/admin/people/{ada}" in seen.links


def test_pages_are_found_by_a_part_of_their_name(console: Callable[..., Console]) -> None:
    found = console("auditor").get("/admin/find?q=eopl").html.split('id="found"')[1]
    assert 'class="palette-option" href="/admin/people"' in found


@pytest.mark.usefixtures("ada")
def test_one_letter_finds_pages_alone(console: Callable[..., Console]) -> None:
    assert "Ada Lovelace" not in console("auditor").get("/admin/find?q=l").text


def test_nothing_found_says_what_to_try(console: Callable[..., Console]) -> None:
    assert "Try a name" in console("auditor").get("/admin/find?q=nobody-is-called-so").text


def test_what_was_typed_is_kept_and_escaped(console: Callable[..., Console]) -> None:
    assert 'value="&lt;b&gt;"' in console("auditor").get("/admin/find?q=%3Cb%3E").html


@pytest.mark.usefixtures("ada")
def test_the_palette_gets_the_inner_part_alone(console: Callable[..., Console]) -> None:
    html = console("auditor").get("/admin/find?q=ada", headers={"HX-Request": "true"}).html
    assert "<!doctype" not in html
    assert 'data-found="People"' in html


def test_the_code_that_somebody_reads_out_is_found(
    console: Callable[..., Console], engine: sa.Engine, tenant: Tenant
) -> None:
    with writing(engine) as conn:
        code = sign_ins.write(conn, sign_ins.Attempt(tenant.id, "refused", reason="not_provisioned"))
    desk = console("help_desk")
    for said in (code, code.lower(), code.replace("-", "")):
        seen = desk.get(f"/admin/find?q={said}")
        assert f"{code}: not provisioned" in seen.text
        assert f"/admin/sign-in-connections/log/{code}" in seen.links
