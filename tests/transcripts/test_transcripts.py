"""Every transcript, on the store in memory and on PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from app.adapters.schemas import declare
from app.factory import create_app
from app.store import tables
from app.store.tenants import SourceRow
from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.schemas import SCHEMAS
from scim.store import Features, Limits
from tests.scim.declared import REGISTRY, cohort, learner
from tests.transcripts.runner import EFFECTS, play, transcripts

TOKEN = "a-token-for-transcripts"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


each = pytest.mark.parametrize("path", transcripts(), ids=lambda path: f"{path.parent.name}/{path.stem}")


@each
def test_in_memory(path: Path) -> None:
    app = Flask("transcripts")
    app.testing = True
    transcript = read(path)
    store = MemoryStore(Features(schemas=REGISTRY if transcript.get("declared") else SCHEMAS))
    app.register_blueprint(blueprint(MemoryDoorkeeper({TOKEN: store}), Limits()))
    play(transcript, app.test_client(), "/scim/v2", HEADERS)


@pytest.fixture
def client(engine: sa.Engine, okta: SourceRow) -> Client:
    """A client of the whole application; its token names the source."""
    row = {"id": okta.id, "tenant_id": okta.tenant_id, "kind": "scim_token", "name": "transcripts", "hint": TOKEN[:6]}
    with engine.begin() as conn:
        hashed = hashlib.sha256(TOKEN.encode()).digest()
        conn.execute(sa.insert(tables.credentials).values(**row, source_id=okta.id, hash=hashed))
    app = create_app(engine=engine)
    app.testing = True
    return app.test_client()


@each
def test_on_postgresql(path: Path, client: Client, engine: sa.Engine, okta: SourceRow) -> None:
    transcript = read(path)
    if transcript.get("declared"):
        for kind, document in (("User", learner()), ("Group", cohort())):
            declare(engine, okta.tenant_id, kind, document, actor="test")
    play(transcript, client, "/scim/v2", HEADERS)


@each
def test_a_server_that_nods_and_does_nothing_fails(path: Path) -> None:
    def nod(request: Request) -> Response:
        shown = {"id": str(uuid4()), "totalResults": 7, "Resources": []}
        made = 201 if request.method == "POST" else 200
        return Response(json.dumps(shown), made, content_type="application/scim+json")

    with pytest.raises(AssertionError):
        play(read(path), Client(Request.application(nod)), "/scim/v2", HEADERS)


@each
def test_a_transcript_says_what_comes_of_each_write(path: Path) -> None:
    transcript = read(path)
    assert transcript["name"] == path.stem
    assert transcript["idp"] == path.parent.name
    assert transcript["source"].startswith("https://")
    for step in transcript["steps"]:
        expect = step["expect"]
        statuses = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
        if step["request"]["method"] in WRITES and min(statuses) < 400:
            assert any(effect in expect | expect.get("accepted", {}) for effect in EFFECTS), step
