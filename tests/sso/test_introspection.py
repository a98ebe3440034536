"""/oauth/introspect, as RFC 7662 says it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from sso.checking import Answer
from sso.introspection import FORM, introspect
from tests.sso.good import Keeper, environment

URL = "https://id.example.com"


def ask(body: bytes | None = None, method: str = "POST", path: str = "/oauth/introspect", **form: str) -> Answer:
    said = urlencode({"client_id": "lms", "client_secret": "secret", **form}).encode() if body is None else body
    return introspect(environment(path, method, said, CONTENT_TYPE=FORM), Keeper(), URL)


def told(**form: str) -> dict[str, Any]:
    answer = ask(**form)
    assert answer.status == 200
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


def test_a_good_token() -> None:
    assert told(token="ada", token_type_hint="access_token") == {
        "active": True,
        "token_use": "access",
        "token_type": "Bearer",
        "scope": "openid profile email roles",
        "client_id": "lms",
        "sub": "a1",
        "aud": "https://lms.example",
        "iss": URL,
        "jti": "t1",
        "iat": 1000,
        "exp": 4600,
        "tenant": "acme",
        "acr": "urn:mfa",
        "amr": ["pwd"],
        "auth_time": 990,
        "username": "ada",
        "email": "ada@example.com",
        "roles": ["learner", "trainer"],
    }


def test_of_the_person_only_what_the_scopes_stand_for() -> None:
    assert told(token="shy").keys() & {"username", "email", "roles"} == set()


def test_a_machines_token_has_its_client_for_subject() -> None:
    found = told(token="feed")
    assert (found["sub"], found["client_id"], found["scope"]) == ("lms", "lms", "events:read")
    assert found.keys() & {"username", "email", "roles", "exp", "aud"} == set()


def test_a_refresh_token_says_so() -> None:
    found = told(token="again")
    assert found["token_use"] == "refresh"
    assert "token_type" not in found


@pytest.mark.parametrize("token", ["unknown", "x" * 9_000, "\x00", "ü", "eyJhbGciOiJub25lIn0.e30."])
def test_any_other_is_inactive_and_nothing_else(token: str) -> None:
    answer = ask(token=token)
    assert (answer.status, answer.body) == (200, b'{"active":false}')
    assert answer.headers == (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def test_who_does_not_prove_who_it_is_hears_nothing_of_the_token() -> None:
    answers = [ask(token=token, client_secret="wrong") for token in ("ada", "unknown")]
    assert answers[0] == answers[1]
    assert answers[0].status == 401
    assert dict(answers[0].headers)["WWW-Authenticate"] == 'Basic realm="rollcall"'
    assert orjson.loads(answers[0].body) == {"error": "invalid_client"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post(method: str) -> None:
    answer = ask(method=method, token="ada")
    assert answer.status == 405
    assert dict(answer.headers)["Allow"] == "POST"


GOOD = b"client_id=lms&client_secret=secret&token=ada"


@pytest.mark.parametrize(
    "body",
    [
        GOOD + b"&token=ada",
        GOOD + b"&token=",
        b"client_id=lms&client_secret=secret",
        b"client_id=lms&client_secret=secret&token=",
        b"client_id=lms&client_secret=secret&token=%ff",
        b"client_id=lms&client_secret=secret&token=\xff",
        GOOD + b"&x=1" * 20 + b"".join(b"&y%d=1" % n for n in range(30)),
        GOOD + b"&pad=" + b"x" * 20_000,
    ],
)
def test_a_malformed_request(body: bytes) -> None:
    answer = ask(body)
    assert answer.status == 400
    assert orjson.loads(answer.body)["error"] == "invalid_request"


@pytest.mark.parametrize("type_", ["application/json", "multipart/form-data; boundary=x", "", "text/plain"])
def test_form_only(type_: str) -> None:
    answer = introspect(environment("/oauth/introspect", "POST", GOOD, CONTENT_TYPE=type_), Keeper(), URL)
    assert answer.status == 400
    upper = environment("/oauth/introspect", "POST", GOOD, CONTENT_TYPE=FORM.upper() + "; charset=UTF-8")
    assert introspect(upper, Keeper(), URL).status == 200


def test_parameters_in_the_address_are_not_read() -> None:
    answer = ask(b"", path="/oauth/introspect?" + GOOD.decode())
    assert answer.status == 401


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999"])
def test_a_length_that_is_none(length: str) -> None:
    wrong = environment("/oauth/introspect", "POST", GOOD, CONTENT_TYPE=FORM) | {"CONTENT_LENGTH": length}
    assert introspect(wrong, Keeper(), URL).status == 400


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    chunked = environment("/oauth/introspect", "POST", GOOD, CONTENT_TYPE=FORM) | {"wsgi.input_terminated": True}
    del chunked["CONTENT_LENGTH"]
    assert introspect(chunked, Keeper(), URL).status == 200
    chunked = environment("/oauth/introspect", "POST", GOOD, CONTENT_TYPE=FORM)
    del chunked["CONTENT_LENGTH"]
    assert introspect(chunked, Keeper(), URL).status == 401  # where nobody says how long it is, there is none
