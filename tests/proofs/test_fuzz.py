"""Whatever is sent, the answer is SCIM's, never a failure of ours, and afterwards the database agrees with itself.

An exception inside the service surfaces here with its traceback. `make fuzz` sends as much as one likes.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any, Final

import sqlalchemy as sa
from werkzeug.test import TestResponse

from tests import databases
from tests.journeys import agreement
from tests.proofs import SEED
from tests.proofs.mutations import Request, bent
from tests.proofs.town import BASE, Town, client_of, service
from tests.transcripts.runner import CAST, ERROR

REQUESTS: Final = int(os.environ.get("FUZZ_REQUESTS", "1500"))


def test_no_request_makes_the_service_fail(shared_engine: sa.Engine) -> None:
    databases.empty(shared_engine)
    rng = Random(SEED)
    town = client_of(shared_engine, service(shared_engine), "fuzz")
    for number in range(REQUESTS):
        if number % 500 == 0:
            known = _cast(town, number)
        request = bent(rng, known, list(known.values()))
        try:
            answer = _send(town, request)
            _check(request, answer)
        except Exception as error:
            raise AssertionError(f"request {number} of seed {SEED}: {request}") from error
    agreement.check(shared_engine, town.tenant)
    databases.empty(shared_engine)


def _cast(town: Town, number: int) -> dict[str, str]:
    """The transcripts' people and groups, anew."""
    known: dict[str, str] = {}
    for name, character in CAST.items():
        document: dict[str, Any] = (
            {"userName": f"{name}-{number}"} if character["kind"] == "User" else {"displayName": name}
        )
        answer = town.client.post(f"{BASE}/{character['kind']}s", json=document)
        assert answer.status_code == 201, answer.text
        known[name] = answer.get_json()["id"]
    return known


def _send(town: Town, request: Request) -> TestResponse:
    return town.client.open(BASE + request.url, method=request.method, headers=request.headers, data=request.body)


def _check(request: Request, answer: TestResponse) -> None:
    assert answer.status_code < 500 or (answer.status_code == 501 and "/Me" in request.path), answer.text
    if not answer.data:
        assert request.method == "HEAD" or answer.status_code in (202, 204, 304), answer.status
        return
    assert answer.mimetype == "application/scim+json", answer.mimetype
    document = answer.get_json(force=True)
    if answer.status_code >= 400:
        assert document["schemas"] == [ERROR], document
        assert document["status"] == str(answer.status_code), document
        assert document["detail"], document
