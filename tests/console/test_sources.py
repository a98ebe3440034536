"""The sources' pages: how each goes, making one, pausing, retiring, domains."""

from __future__ import annotations

import sqlalchemy as sa

from app.store import drift, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from app.sync import imports
from tests.sync.people import hired, statuses


def state(engine, tenant, name: str) -> str:
    with reading(engine) as conn:
        return tenants.find_source(conn, tenant.id, name).state


def actors(engine, action: str) -> list[str]:
    with reading(engine) as conn:
        return list(conn.execute(sa.select(t.audit.c.actor).where(t.audit.c.action == action)).scalars())


def test_each_source_with_its_records_and_what_it_owns(console, engine, tenant, hr, okta) -> None:
    imports.submit(engine, tenant.id, hr, [hired(number) for number in range(3)], actor="test")
    seen = console("auditor").get("/admin/sources")
    assert seen.status == 200
    assert "hr HR system · workday Active Employees 3" in seen.text
    assert f"/admin/sources/{hr.id}" in seen.links
    assert "/admin/sources/new" not in seen.links  # an auditor adds none


def test_without_a_source_the_next_step_is_said(console) -> None:
    seen = console("admin").get("/admin/sources")
    assert "No source yet" in seen.text
    assert "/admin/sources/new" in seen.links


def test_a_source_is_made_with_its_domains_and_audited(console, engine, tenant) -> None:
    admin = console("admin")
    said = {"name": "payroll", "kind": "hris", "system": "workday", "affiliation": "employee"}
    seen = admin.post("/admin/sources/new", **said, employee_namespace="swiss", domains="acme.example, acme.test")
    assert seen.said == ["The source payroll is there."]
    with reading(engine) as conn:
        made = tenants.find_source(conn, tenant.id, "payroll")
        assert (made.kind, made.employee_namespace) == ("hris", "swiss")
        assert set(tenants.domains(conn, tenant.id)) == {"acme.example", "acme.test"}
    (actor,) = actors(engine, "source.created")
    assert actor.startswith("administrator admin-")


def test_a_source_that_cannot_be_comes_back_with_what_is_wrong(console, engine, tenant, hr) -> None:
    admin = console("admin")
    said = {"system": "workday", "affiliation": "employee", "employee_namespace": "", "domains": "nonsense"}
    seen = admin.post("/admin/sources/new", name="Pay roll", kind="login", **said)
    assert seen.status == 422
    assert 'value="Pay roll"' in seen.html
    assert "lower-case letters" in seen.text
    assert "nonsense is not a domain name" in seen.text
    taken = admin.post("/admin/sources/new", name="hr", kind="hris", **{**said, "domains": ""})
    assert taken.status == 422
    assert "of this name already" in taken.text


def test_pausing_and_going_on(console, engine, tenant, hr) -> None:
    admin = console("admin")
    seen = admin.post(f"/admin/sources/{hr.id}/pause")
    assert "Files, pushes, SCIM requests and sign-ins of it are refused" in seen.text
    assert state(engine, tenant, "hr") == "paused"
    assert admin.post(f"/admin/sources/{hr.id}/pause").status == 409
    admin.post(f"/admin/sources/{hr.id}/resume")
    assert state(engine, tenant, "hr") == "active"
    assert len(actors(engine, "source.paused")) == 1


def test_retiring_shows_the_list_first(console, engine, tenant, hr) -> None:
    imports.submit(engine, tenant.id, hr, [hired(number) for number in range(7)], actor="test")
    admin = console("admin")
    plan = admin.post(f"/admin/sources/{hr.id}/retire")
    assert plan.at.startswith("/admin/runs/")
    assert "Retire hr" in plan.text
    assert "Person 0003" in plan.text
    assert state(engine, tenant, "hr") == "active"
    unsaid = admin.post(f"{plan.at}/save")
    assert unsaid.status == 422
    assert "Say why" in unsaid.text
    done = admin.post(f"{plan.at}/save", reason="The system is switched off.")
    assert done.said == ["Done."]
    assert state(engine, tenant, "hr") == "retired"
    assert set(statuses(engine).values()) == {"inactive"}
    assert admin.post(f"/admin/sources/{hr.id}/retire").status == 409


def test_domains_come_and_go(console, engine, tenant, hr) -> None:
    admin = console("admin")
    wrong = admin.post(f"/admin/sources/{hr.id}/domains", domain="not a domain")
    assert wrong.status == 422
    assert 'value="not a domain"' in wrong.html
    assert "ACME.example".lower() in admin.post(f"/admin/sources/{hr.id}/domains", domain="ACME.example").text
    with reading(engine) as conn:
        assert tenants.domains(conn, tenant.id) == {"acme.example": hr.id}
    admin.post(f"/admin/sources/{hr.id}/domains/free", domain="acme.example")
    with reading(engine) as conn:
        assert tenants.domains(conn, tenant.id) == {}
    assert admin.post(f"/admin/sources/{hr.id}/domains/free", domain="acme.example").status == 404


def test_a_source_s_page_tells_how_to_push_and_what_was_not_understood(console, engine, tenant, hr, okta) -> None:
    drift.report(engine, tenant.id, hr.id, ["badgeColour"])
    seen = console("auditor").get(f"/admin/sources/{hr.id}")
    assert "/api/v1/sources/hr/records" in seen.text
    assert "badgeColour" in seen.text
    assert "employeeNumber" in seen.text  # the table of fields
    assert "rollcall api key create" in seen.text
    assert "Provisioning" in console("auditor").get(f"/admin/sources/{okta.id}").text


def test_another_organisation_s_source_is_not_there(console, engine, hr) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    stranger = console("owner", tenant_id=other.id)
    for path in ("", "/values", "/upload", "/values.csv"):
        assert stranger.get(f"/admin/sources/{hr.id}{path}").status == 404, path
    for path in ("pause", "resume", "retire", "domains", "domains/free", "values", "values/file", "upload"):
        assert stranger.post(f"/admin/sources/{hr.id}/{path}", domain="x.example").status == 404, path
    assert state(engine, type("Of", (), {"id": hr.tenant_id}), "hr") == "active"


def test_an_id_that_is_none_is_not_there(console) -> None:
    assert console("owner").get("/admin/sources/x").status == 404
    assert console("owner").post("/admin/sources/x/pause").status == 404
