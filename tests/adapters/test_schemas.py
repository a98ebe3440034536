"""A tenant's schemas on the real store: declared, changed, removed, and what becomes of stored values."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters import schemas
from app.adapters.doorkeeper import Doorkeeper
from app.adapters.registries import Registries
from app.store import audit, credentials, tenants
from app.store import schemas as store
from app.store import tables as t
from app.store.engine import reading, writing
from scim.extensions import MOST_SCHEMAS, DeclarationError
from scim.routes import blueprint
from scim.schemas import SCHEMAS
from scim.store import Limits
from tests.scim.declared import COHORT, LEARNER, cohort, learner

BASE = "/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def connect(engine: sa.Engine) -> Any:
    app = Flask(__name__)
    app.testing = True
    app.register_blueprint(blueprint(Doorkeeper(engine), Limits()))

    def make(source: tenants.SourceRow) -> FlaskClient:
        with writing(engine) as conn:
            token = credentials.issue(conn, source.tenant_id, "scim_token", "test", source_id=source.id).secret
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return make


@pytest.fixture
def stranger(engine: sa.Engine) -> tenants.SourceRow:
    """A source of another tenant."""
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        return tenants.create_source(conn, other.id, "idp", kind="idp", system="entra")


def declare(engine: sa.Engine, source: tenants.SourceRow, **more: Any) -> schemas.Saved:
    wanted = {"kind": "User", "document": learner(), "actor": "test", **more}
    return schemas.declare(engine, source.tenant_id, **wanted)


def without(*names: str) -> dict[str, Any]:
    """The declaration for users, some attributes less."""
    return {**learner(), "attributes": [one for one in learner()["attributes"] if one["name"] not in names]}


def changed(name: str, **more: Any) -> dict[str, Any]:
    attributes = [{**one, **(more if one["name"] == name else {})} for one in learner()["attributes"]]
    return {**learner(), "attributes": attributes}


def create(client: FlaskClient, name: str, **extension: Any) -> dict[str, Any]:
    answer = client.post(f"{BASE}/Users", json={"userName": name, LEARNER: extension})
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def total(client: FlaskClient, text: str) -> int:
    answer = client.get(f"{BASE}/Users", query_string={"filter": text})
    assert answer.status_code == 200, answer.text
    return int(answer.get_json()["totalResults"])


def test_what_is_declared_serves_the_next_request(engine, connect, okta) -> None:
    client = connect(okta)
    assert LEARNER not in create(client, "before@x.org", level=1)
    assert declare(engine, okta) == schemas.Saved(LEARNER, "User", True)
    made = create(client, "ada@x.org", level=3)
    assert made[LEARNER] == {"level": 3}
    assert LEARNER in made["schemas"]
    assert total(client, f"{LEARNER}:level eq 3") == 1
    assert client.get(f"{BASE}/Schemas/{LEARNER}").get_json()["name"] == "Learner"
    drift = sa.select(t.drift.c.path)
    with reading(engine) as conn:
        assert conn.scalars(drift).all() == [f"{LEARNER}:level"]  # what came before is not kept


def test_another_tenant_knows_nothing_of_it(engine, connect, okta, stranger) -> None:
    declare(engine, okta)
    client, other = connect(okta), connect(stranger)
    create(client, "ada@x.org", level=3)
    seen = create(other, "eve@x.org", level=3)
    assert LEARNER not in seen
    assert LEARNER not in seen["schemas"]
    answer = other.get(f"{BASE}/Users", query_string={"filter": f"{LEARNER}:level eq 3"})
    assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidFilter")
    assert other.get(f"{BASE}/Schemas/{LEARNER}").status_code == 404
    operation = {"op": "Add", "path": f"{LEARNER}:level", "value": 5}
    patched = other.patch(f"{BASE}/Users/{seen['id']}", json={"schemas": [PATCH_OP], "Operations": [operation]})
    assert patched.status_code == 200
    assert LEARNER not in patched.get_json()
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.drift.c.tenant_id, t.drift.c.path, t.drift.c.times)).all()
    assert rows == [(stranger.tenant_id, f"{LEARNER}:level", 2)]
    # The same URN may mean something else to another tenant.
    declare(engine, stranger, document={**learner(), "attributes": [{"name": "level"}]})
    assert create(other, "eva@x.org", level="high")[LEARNER] == {"level": "high"}
    assert total(client, f"{LEARNER}:level eq 3") == 1


def test_a_tenant_without_any_shares_one_registry_and_asks_once(engine, okta) -> None:
    known, asked = Registries(), []
    sa.event.listen(engine, "before_cursor_execute", listener := lambda *more: asked.append(more[2]))
    try:
        with reading(engine) as conn:
            assert known.of(conn, okta.tenant_id, 1) is SCHEMAS
            assert known.of(conn, okta.tenant_id, 1) is SCHEMAS
            assert len(asked) == 1
            assert known.of(conn, okta.tenant_id, 2) is SCHEMAS
            assert len(asked) == 2
    finally:
        sa.event.remove(engine, "before_cursor_execute", listener)


def test_a_declaration_raises_the_revision_and_stands_in_the_audit(engine, okta) -> None:
    with reading(engine) as conn:
        before = tenants.find(conn, "acme").revision
    declare(engine, okta)
    schemas.remove(engine, okta.tenant_id, LEARNER.upper(), actor="test")
    with reading(engine) as conn:
        assert tenants.find(conn, "acme").revision == before + 2
        rows = conn.execute(sa.select(t.audit.c.action, t.audit.c.facts).order_by(t.audit.c.number)).all()
        assert audit.verify(conn, okta.tenant_id) == (2, None)
    assert [row.action for row in rows] == ["schema.saved", "schema.removed"]
    assert rows[0].facts["urn"] == rows[1].facts["urn"] == LEARNER


def test_a_change_that_fits_is_made_and_indexed(engine, connect, okta) -> None:
    declare(engine, okta)
    client = connect(okta)
    made = create(client, "ada@x.org", track="Sales", level=3)
    assert total(client, f'{LEARNER}:track eq "sales"') == 1
    saved = declare(engine, okta, document=changed("track", caseExact=True))
    assert saved == schemas.Saved(LEARNER, "User", False, refitted=1)
    assert total(client, f'{LEARNER}:track eq "sales"') == 0
    assert total(client, f'{LEARNER}:track eq "Sales"') == 1
    seen = client.get(f"{BASE}/Users/{made['id']}").get_json()
    assert (seen["meta"]["version"], seen[LEARNER]) == (made["meta"]["version"], made[LEARNER])


def test_a_change_that_drops_values_needs_a_yes(engine, connect, okta) -> None:
    declare(engine, okta)
    client = connect(okta)
    made = create(client, "ada@x.org", track="7", level=3)
    create(client, "bea@x.org", track="x")
    document = {**without("level")}
    document["attributes"] = [{"name": "track", "type": "integer"}, *document["attributes"][1:]]
    with pytest.raises(schemas.StoredValuesError, match="2 resources hold values of track, level"):
        declare(engine, okta, document=document)
    assert total(client, f"{LEARNER}:level eq 3") == 1
    assert declare(engine, okta, document=document, drop_values=True).refitted == 2
    seen = client.get(f"{BASE}/Users/{made['id']}").get_json()
    assert seen[LEARNER] == {"track": 7}
    assert seen["meta"]["version"] != made["meta"]["version"]
    assert total(client, f"{LEARNER}:track gt 6") == 1
    bea = client.get(f"{BASE}/Users", query_string={"filter": 'userName eq "bea@x.org"'}).get_json()["Resources"][0]
    assert LEARNER not in bea
    assert LEARNER not in bea["schemas"]


def test_what_nobody_has_a_value_of_goes_without_a_yes(engine, connect, okta) -> None:
    declare(engine, okta)
    create(connect(okta), "ada@x.org", track="sales")
    assert declare(engine, okta, document=without("level")).lost == ("level",)


def test_removal_takes_the_values_out_of_every_document(engine, connect, okta, stranger, monkeypatch) -> None:
    monkeypatch.setattr(schemas, "CHUNK", 2)
    declare(engine, okta)
    declare(engine, stranger)
    client, other = connect(okta), connect(stranger)
    people = [create(client, f"p{number}@x.org", track="sales", secret="s") for number in range(5)]
    create(other, "eve@x.org", track="sales")
    with pytest.raises(schemas.StoredValuesError, match="5 resources"):
        schemas.remove(engine, okta.tenant_id, LEARNER, actor="test")
    gone = schemas.remove(engine, okta.tenant_id, LEARNER, actor="test", drop_values=True)
    assert gone.refitted == 5
    for person in people:
        seen = client.get(f"{BASE}/Users/{person['id']}").get_json()
        assert LEARNER not in seen
        assert LEARNER not in seen["schemas"]
    with reading(engine) as conn:
        left = conn.scalars(sa.select(t.records.c.document).where(t.records.c.tenant_id == okta.tenant_id)).all()
        assert not [document for document in left if LEARNER in str(document)]
        assert store.count(conn, okta.tenant_id, "User", LEARNER) == 0
    assert total(other, f'{LEARNER}:track eq "sales"') == 1
    answer = client.get(f"{BASE}/Users", query_string={"filter": f"{LEARNER}:track pr"})
    assert answer.get_json()["scimType"] == "invalidFilter"
    with pytest.raises(tenants.NotFoundError):
        schemas.remove(engine, okta.tenant_id, LEARNER, actor="test")


def test_a_crash_between_declaration_and_documents_is_made_good(engine, connect, okta, monkeypatch) -> None:
    declare(engine, okta)
    client = connect(okta)
    made = create(client, "ada@x.org", track="sales")
    monkeypatch.setattr(schemas, "refit", lambda *_: 0)
    schemas.remove(engine, okta.tenant_id, LEARNER, actor="test", drop_values=True)
    monkeypatch.undo()
    assert declare(engine, okta).refitted == 1
    assert client.get(f"{BASE}/Users/{made['id']}").get_json()[LEARNER] == {"track": "sales"}


def test_groups_have_schemas_of_their_own(engine, connect, okta) -> None:
    declare(engine, okta, kind="Group", document=cohort())
    client = connect(okta)
    made = client.post(f"{BASE}/Groups", json={"displayName": "Crew", COHORT: {"seats": 20}}).get_json()
    assert made[COHORT] == {"seats": 20}
    assert schemas.remove(engine, okta.tenant_id, COHORT, actor="test", drop_values=True).refitted == 1
    seen = client.get(f"{BASE}/Groups/{made['id']}").get_json()
    assert COHORT not in seen
    assert seen["displayName"] == "Crew"


def test_what_cannot_be_declared_changes_nothing(engine, okta) -> None:
    declare(engine, okta)
    for document, kind, part in (
        ({**learner(), "attributes": []}, "User", "at least one"),
        (learner(), "Group", "extends User"),
        ({**learner(), "id": LEARNER.lower()}, "User", "another spelling"),
        ({**learner(), "description": "x" * 70_000}, "User", "64 KiB"),
        ("x", "User", "JSON object"),
    ):
        with pytest.raises(DeclarationError, match=part):
            declare(engine, okta, document=document, kind=kind)
    with reading(engine) as conn:
        [kept] = store.listing(conn, okta.tenant_id)
    assert (kept.urn, kept.kind) == (LEARNER, "User")


def test_a_tenant_has_a_limited_number(engine, okta) -> None:
    for number in range(MOST_SCHEMAS):
        declare(engine, okta, document={**cohort(), "id": f"urn:ab:s{number:02}"})
    with pytest.raises(DeclarationError, match="at most 20"):
        declare(engine, okta)


def test_a_page_of_a_kind_with_hidden_values_shows_none(engine, connect, okta) -> None:
    declare(engine, okta)
    client = connect(okta)
    create(client, "ada@x.org", pin="1234", secret="s", notes="n")
    for path in (f"{BASE}/Users", f"{BASE}/Users?cursor", f"{BASE}/Users?excludedAttributes=title"):
        [seen] = client.get(path).get_json()["Resources"]
        assert LEARNER not in seen
    with reading(engine) as conn:
        search = conn.scalars(sa.select(t.records.c.search)).one()
    assert search[LEARNER.lower()] == {"notes": "n"}


def test_a_cursor_walks_by_a_number(engine, connect, okta) -> None:
    declare(engine, okta)
    client = connect(okta)
    for number, level in enumerate((10, 9, None, 2, 10)):
        create(client, f"p{number}@x.org", **({} if level is None else {"level": level}))
    seen, cursor = [], ""
    while cursor is not None:
        asked = {"sortBy": f"{LEARNER}:level", "count": 2, "cursor": cursor}
        page = client.get(f"{BASE}/Users", query_string=asked).get_json()
        seen += [one.get(LEARNER, {}).get("level") for one in page["Resources"]]
        cursor = page.get("nextCursor")
    assert seen == [2, 9, 10, 10, None]
