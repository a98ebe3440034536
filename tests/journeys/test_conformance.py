"""scim2-tester against the running server, over HTTP."""

from __future__ import annotations

import pytest
import requests
import sqlalchemy as sa
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import check_server
from werkzeug.wrappers import Request, Response

from app.store import credentials, tenant_settings, tenants
from app.store.engine import writing
from scim.schemas import LMS_USER
from tests.journeys.server import Server

pytestmark = pytest.mark.journey


def failures(running: Server, engine: sa.Engine, tenant: tenants.Tenant) -> list[object]:
    with writing(engine) as conn:
        source = tenants.create_source(conn, tenant.id, "tester", kind="idp", system="generic")
        token = credentials.issue(conn, tenant.id, "scim_token", "tester", source_id=source.id).secret
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
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "scim.account_extension", "false")
    assert failures(running, engine, tenant) == []


def test_with_the_account_shown_only_patches_of_the_read_only_extension_fail(
    running: Server, engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    bad = failures(running, engine, tenant)
    assert [data["urn"] for data in bad if isinstance(data, dict)] == [LMS_USER] * 3
