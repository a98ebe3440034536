"""scim2-tester and scim-sanity against the running server, over HTTP, each in full.

Where they ask for the opposite of what vendors ask for, a tenant setting turns: PATCH of a group answers 200 and an
unknown member is left out (scim-sanity), users do not show their account (scim2-tester).
"""

from __future__ import annotations

import pytest
import requests
import sqlalchemy as sa
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import check_server
from scim_sanity.probe.runner import run_probe_api
from werkzeug.wrappers import Request, Response

from app.store import credentials, tenant_settings, tenants
from app.store.engine import writing
from scim.schemas import LMS_USER
from tests.journeys.server import Server

pytestmark = pytest.mark.journey


def issued(engine: sa.Engine, tenant: tenants.Tenant) -> str:
    with writing(engine) as conn:
        source = tenants.create_source(conn, tenant.id, "tester", kind="idp", system="generic")
        return credentials.issue(conn, tenant.id, "scim_token", "tester", source_id=source.id).secret


def set_up(engine: sa.Engine, tenant: tenants.Tenant, **settings: str) -> None:
    with writing(engine) as conn:
        for name, value in settings.items():
            tenant_settings.choose(conn, tenant.id, f"scim.{name}", value)


def failures(running: Server, engine: sa.Engine, tenant: tenants.Tenant) -> list[object]:
    token = issued(engine, tenant)
    with requests.Session() as session:

        @Request.application
        def passed_on(request: Request) -> Response:
            """The suite's client speaks WSGI; the server is across a socket."""
            url = running.url + request.full_path.rstrip("?")
            headers = {name: value for name, value in request.headers if name not in ("Host", "Content-Length")}
            answer = session.request(request.method, url, data=request.get_data(), headers=headers, timeout=30)
            shown = {
                name: answer.headers[name] for name in ("Content-Type", "Location", "ETag") if name in answer.headers
            }
            return Response(answer.content, answer.status_code, shown)

        base = f"{running.url}/scim/v2"
        client = WSGISCIMClient(passed_on, base_url=base, headers={"Authorization": f"Bearer {token}"})
        results = check_server(client)
    assert len(results) > 120
    return [found.data or found.reason for found in results if found.status.name in ("ERROR", "CRITICAL")]


def test_scim2_tester_passes_in_full(running: Server, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    set_up(engine, tenant, account_extension="false")
    assert failures(running, engine, tenant) == []


def test_with_the_account_shown_only_patches_of_the_read_only_extension_fail(
    running: Server, engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    bad = failures(running, engine, tenant)
    assert [data["urn"] for data in bad if isinstance(data, dict)] == [LMS_USER] * 3


def test_scim_sanity_passes_in_full(running: Server, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    set_up(engine, tenant, group_patch_answers_204="false", unknown_members_ignored="true")
    found = run_probe_api(f"{running.url}/scim/v2", token=issued(engine, tenant))
    assert [one for one in found["results"] if one["status"] not in ("pass", "skip")] == []
    assert found["summary"]["passed"] >= 28
    skipped = {one["name"] for one in found["results"] if one["status"] == "skip"}
    assert skipped == {"Agent CRUD Lifecycle", "AgenticApplication CRUD Lifecycle", "Agent Rapid Lifecycle"}


def test_with_the_defaults_scim_sanity_only_asks_for_another_answer_to_a_groups_patch(
    running: Server, engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    found = run_probe_api(f"{running.url}/scim/v2", token=issued(engine, tenant))
    failed = [one["name"] for one in found["results"] if one["status"] in ("fail", "error")]
    assert {name.partition(" /Groups/{id}")[0] for name in failed} == {"PATCH"}
    assert len(failed) == 3
