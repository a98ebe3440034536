"""The web application: its health, its front page, its headers, its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.factory import create_app
from app.settings import Settings, SettingsError
from app.store import migrate
from app.store.engine import make_engine, writing


@pytest.fixture
def client(engine: sa.Engine) -> FlaskClient:
    return create_app(Settings(log_level="error"), engine=engine).test_client()


def test_healthy_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    for _ in range(2):
        assert client.get("/readyz").status_code == 200


def test_not_ready_before_the_revision_is_head(client: FlaskClient, engine: sa.Engine) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    try:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "the database is not at this release's revision\n")
        assert client.get("/healthz").status_code == 200
    finally:
        with writing(engine) as conn:
            conn.exec_driver_sql("UPDATE alembic_version SET version_num = %s", (migrate.head(),))
    assert client.get("/readyz").status_code == 200


def test_not_ready_without_a_database() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    client = create_app(Settings(log_level="error"), engine=engine).test_client()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_the_front_page_says_what_is_here(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "http://127.0.0.1:8080/scim/v2" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    for path in ("/scim/v2/ServiceProviderConfig", "/api/openapi.json", "/healthz", "/static/home.css"):
        assert f'"{path}"' in page.text
        with client.get(path) as answer:
            assert answer.status_code == 200, path


def test_browsers_are_kept_strict(client: FlaskClient) -> None:
    headers = client.get("/").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_log_names_the_route_and_no_person(engine: sa.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    client = create_app(Settings(log_level="info"), engine=engine).test_client()
    answer = client.get("/scim/v2/Users/jane.doe?filter=userName%20eq%20%22jane%22")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/scim/v2/Users/<id>", answer.status_code)
    assert "jane" not in json.dumps(lines)


def test_a_worker_without_a_database_url_is_told() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        create_app(Settings())


def test_scim_asks_to_come_again_while_the_database_is_away(tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"postgresql://nobody@/none?host={tmp_path}"))
    answer = app.test_client().get("/scim/v2/Users", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert "database" in answer.json["detail"]
