"""Every answer below /api is the API's own, errors too."""

from __future__ import annotations

import io
from unittest import mock

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.api import bodies, problems
from app.api.schemas import ProblemSchema
from app.identity.writes import BusyError
from app.store import feeds
from app.store.tenants import SourceRow

RECORDS = "/api/v1/sources/hr/records"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v2/accounts", "/api/v1/accounts/", "/api/v1/a/b/c"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths_are_404(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert ProblemSchema().validate(answer.get_json()) == {}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/v1/accounts", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/v1/accounts/x", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/v1/events", "GET, HEAD, OPTIONS"),
        ("GET", RECORDS, "OPTIONS, POST"),
        ("PATCH", "/api/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_unknown_methods_are_405_with_allow(client: FlaskClient, method: str, path: str, allow: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allow
    assert answer.get_json()["type"] == "urn:rollcall:problem:method-not-allowed"
    assert client.options(path).headers["Allow"] == allow


def test_head_answers_as_get_without_a_body(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.head("/api/v1/accounts", headers=headers)
    assert answer.status_code == 200
    assert answer.data == b""


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_media_type_is_415(
    client: FlaskClient, headers: dict[str, str], hr: SourceRow, content_type: str | None
) -> None:
    answer = client.post(RECORDS, data=b"{}", content_type=content_type, headers=headers)
    assert answer.status_code == 415


def test_a_large_body_is_413_with_and_without_a_length(
    client: FlaskClient, headers: dict[str, str], hr: SourceRow
) -> None:
    body = b" " * (bodies.LARGEST + 1)
    answer = client.post(RECORDS, data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 413
    assert str(bodies.LARGEST) in answer.get_json()["detail"]
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(
        RECORDS,
        input_stream=io.BytesIO(body),
        content_type="application/json",
        headers=headers,
        environ_overrides=chunked,
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BusyError("x"), 503),
        (sa.exc.OperationalError("SELECT", {}, Exception("gone")), 503),
        (sa.exc.TimeoutError("pool"), 503),
        (sa.exc.ProgrammingError("SELECT secret", {}, Exception("secret")), 500),
        (RuntimeError("secret"), 500),
    ],
)
def test_failures_of_ours_tell_no_secret(
    client: FlaskClient, headers: dict[str, str], error: Exception, status: int
) -> None:
    with mock.patch.object(feeds, "events", side_effect=error):
        answer = client.get("/api/v1/events", headers=headers)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_the_list_is_closed() -> None:
    assert len({kind.name for kind in problems.KINDS}) == len(problems.KINDS)
    defined = {value for value in vars(problems).values() if isinstance(value, problems.Kind)}
    assert defined == set(problems.KINDS)
