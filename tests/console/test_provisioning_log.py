"""The request log, one request with its effect, schemas, drift and receivers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters import issuing
from app.console.scim_dictionary import meaning, meanings
from app.store import scim_requests
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.outward_tables import receivers
from app.store.tenants import SourceRow, create
from scim import errors
from scim.patch import PATCH_OP

HOME = "/admin/provisioning"
DECLARED = {
    "id": "urn:acme:params:scim:schemas:extension:training:2.0:User",
    "name": "Training",
    "attributes": [{"name": "costCentre", "type": "string", "multiValued": False}],
}


@pytest.fixture
def token(engine: sa.Engine, okta: SourceRow) -> str:
    return issuing.issue(engine, okta.tenant_id, "scim_token", "Okta", actor="t", source_id=okta.id).secret


@pytest.fixture
def ada(scim: Any, token: str) -> str:
    """Somebody who was pushed; her SCIM id."""
    body = {"userName": "ada@acme.example", "externalId": "00u1", "displayName": "Ada Lovelace", "title": "Analyst"}
    made = scim(token, "POST", "/Users", body)
    assert made.status_code == 201, made.text
    return str(made.json["id"])


def change(scim: Any, token: str, id: str, **values: Any) -> Any:
    operations = [{"op": "replace", "value": values}]
    return scim(token, "PATCH", f"/Users/{id}", {"schemas": [PATCH_OP], "Operations": operations})


def newest(engine: sa.Engine, okta: SourceRow) -> str:
    with reading(engine) as conn:
        return str(scim_requests.page(conn, okta.tenant_id, scim_requests.Asked(limit=1))[0]["id"])


def test_a_change_is_shown_before_and_after_in_the_resource_and_the_account(
    console: Any, scim: Any, engine: sa.Engine, okta: SourceRow, token: str, ada: str
) -> None:
    change(scim, token, ada, title="Countess", active=False)
    seen = console("auditor").get(f"{HOME}/requests/{newest(engine, okta)}")
    assert "user updated" in seen.text
    resource, account = seen.html.split("Account of Ada Lovelace", 1)
    assert ("<del>Analyst</del>" in resource, "<ins>Countess</ins>" in resource) == (True, True)
    assert ("<del>Analyst</del>" in account, "<ins>Countess</ins>" in account) == (True, True)
    assert ("<del>active</del>" in account, "<ins>inactive</ins>" in account) == (True, True)
    with reading(engine) as conn:
        account_id = conn.execute(sa.select(t.accounts.c.id)).scalar_one()
    assert f"/admin/people/{account_id}" in seen.links
    assert "Update user in target system" in seen.text
    assert "&#34;Countess&#34;" in seen.html


def test_a_creation_shows_what_was_made(console: Any, engine: sa.Engine, okta: SourceRow, ada: str) -> None:
    seen = console("auditor").get(f"{HOME}/requests/{newest(engine, okta)}")
    assert "user created" in seen.text
    assert "<ins>ada@acme.example</ins>" in seen.html.split("Account of")[0]
    assert "audit entry" in seen.text


def test_another_change_of_the_same_person_is_not_mixed_in(
    console: Any, scim: Any, engine: sa.Engine, okta: SourceRow, token: str, ada: str
) -> None:
    change(scim, token, ada, title="First")
    first = newest(engine, okta)
    with writing(engine) as conn:  # as if it had been a minute ago
        conn.execute(sa.text("UPDATE audit SET at = at - interval '1 minute'"))
        conn.execute(sa.text("UPDATE scim_requests SET at = at - interval '1 minute'"))
    change(scim, token, ada, title="Second")
    seen = console("auditor").get(f"{HOME}/requests/{first}")
    assert "First" in seen.text
    assert "Second" not in seen.text


def test_secrets_in_the_payload_stay_hidden(
    console: Any, scim: Any, engine: sa.Engine, okta: SourceRow, token: str
) -> None:
    scim(token, "POST", "/Users", {"userName": "bob", "password": "hunter2hunter2"})
    seen = console("owner").get(f"{HOME}/requests/{newest(engine, okta)}")
    assert "hunter2" not in seen.html
    assert "***" in seen.text


def test_a_refusal_is_explained(
    console: Any, scim: Any, engine: sa.Engine, okta: SourceRow, token: str, ada: str
) -> None:
    assert scim(token, "POST", "/Users", {"userName": "ADA@acme.example"}).status_code == 409
    seen = console("auditor").get(f"{HOME}/requests/{newest(engine, okta)}")
    assert "The userName is taken" in seen.text
    assert "Let the provider match by userName" in seen.text
    assert "User already exists" in seen.text
    assert f"{HOME}/errors#e409-uniqueness" in seen.links
    with reading(engine) as conn:
        account_id = conn.execute(sa.select(t.accounts.c.id)).scalar_one()
    assert f"/admin/people/{account_id}" in seen.links


def test_the_log_is_filtered(console: Any, scim: Any, okta: SourceRow, token: str, ada: str) -> None:
    scim(token, "POST", "/Users", {"userName": "ada@acme.example"})
    scim(token, "POST", "/Groups", {"displayName": "Engineers"})
    scim(token, "GET", "/Users")
    auditor = console("auditor")

    def paths(query: str) -> int:
        return auditor.get(f"{HOME}/requests?{query}").html.count('<tr><th scope="row"><a')

    assert paths("") == 4
    assert paths("status=4xx") == 1
    assert paths("status=409&method=POST") == 1
    assert paths("method=GET") == 1
    assert paths("resource=Group") == 1
    assert paths(f"source={okta.id}&since=1") == 4
    for who in ("ada@acme.example", "00u1", ada):
        assert paths(f"q={who}") >= 1
    assert paths("q=engineers") == 1
    assert paths("q=nobody") == 0
    assert "No request fits" in auditor.get(f"{HOME}/requests?q=nobody").text
    assert paths("status=bent&source=bent&since=bent&method=BENT&before=bent") == 4


def test_the_log_goes_on_where_a_page_ended(
    console: Any, scim: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.provisioning.requests.SHOWN", 2)
    for _ in range(5):
        scim(token)
    auditor, seen, pages = console("auditor"), [], 0
    at = f"{HOME}/requests"
    while at:
        page = auditor.get(at)
        seen += [link for link in page.links if link.startswith(f"{HOME}/requests/")]
        at = next((link for link in page.links if "before=" in link), "")
        pages += 1
    assert (pages, len(set(seen)), len(seen)) == (3, 5, 5)


def test_a_rare_answer_is_looked_for_a_stretch_at_a_time(
    scim: Any, engine: sa.Engine, okta: SourceRow, token: str, ada: str
) -> None:
    for _ in range(6):
        scim(token)
    asked = scim_requests.Asked(source_id=okta.id, method="POST", limit=10)
    with reading(engine) as conn:
        first = scim_requests.stretch(conn, okta.tenant_id, asked, looked=4)
        assert (first.rows, first.back_to is not None) == ([], True)
        assert first.following is not None
        again = scim_requests.Asked(source_id=okta.id, method="POST", limit=10, before=first.following)
        second = scim_requests.stretch(conn, okta.tenant_id, again, looked=4)
    assert [row["method"] for row in second.rows] == ["POST"]
    assert second.following is None


def test_no_log_of_another_tenant(console: Any, engine: sa.Engine, okta: SourceRow, ada: str) -> None:
    with writing(engine) as conn:
        other = create(conn, "other")
    stranger = console("owner", tenant_id=other.id)
    assert stranger.get(f"{HOME}/requests/{newest(engine, okta)}").status == 404
    assert "Nothing has arrived yet" in stranger.get(f"{HOME}/requests").text
    assert "No request fits" in stranger.get(f"{HOME}/requests?source={okta.id}").text
    assert stranger.get(f"{HOME}/requests/bent").status == 404


def test_each_refusal_of_the_protocol_stands_in_the_dictionary(console: Any) -> None:
    kinds = [errors.ScimError]
    for one in kinds:
        kinds += one.__subclasses__()
    for one in kinds[1:]:
        found = meaning(one.status, one.scim_type)
        assert found is not None, one
        assert found.scim_type == one.scim_type, one
    seen = console("auditor").get(f"{HOME}/errors")
    assert all(one.remedy in seen.text for one in meanings())


def test_a_schema_is_declared_by_paste_and_removed(console: Any, engine: sa.Engine, scim: Any, token: str) -> None:
    admin, at = console("admin"), f"{HOME}/schemas"
    assert "No schema of your own" in admin.get(at).text
    for wrong in ("{", "[]", '{"id": "urn:acme:x"}'):
        assert admin.post(at, kind="User", document=wrong).status == 422
    done = admin.post(at, kind="User", document=json.dumps(DECLARED))
    assert "is declared for users" in done.said[0]
    assert "costCentre" in done.text
    urn = str(DECLARED["id"])
    made = scim(token, "POST", "/Users", {"schemas": [urn], "userName": "bob", urn: {"costCentre": "7"}})
    assert made.json[urn] == {"costCentre": "7"}
    held = admin.post(f"{at}/remove", urn=urn)
    assert held.status == 409
    assert "Nothing was changed" in held.text
    assert "is gone, and its values from 1 resources" in admin.post(f"{at}/remove", urn=urn, drop="yes").said[0]
    assert console("auditor").post(f"{at}/remove", urn=urn).status == 403


def test_drift_says_what_became_of_it(console: Any, scim: Any, token: str) -> None:
    body = {"userName": "bob", "adreses": "x", "urn:custom:2.0:User": {"shoe": 44}}
    assert scim(token, "POST", "/Users", body).status_code == 201
    seen = console("auditor").get(f"{HOME}/drift")
    assert "adreses" in seen.text
    assert "Look for a slip" in seen.text
    assert "Never mapped" in seen.text


def test_a_receiver_is_added_retried_and_removed(console: Any, engine: sa.Engine, okta: SourceRow) -> None:
    admin, at = console("admin"), f"{HOME}/receivers"
    assert admin.post(at, url="https://10.0.0.1/", audience="lms").status == 422
    assert admin.post(at, url="", audience="").status == 422
    done = admin.post(
        at, url="http://127.0.0.1:9/hook", audience="lms", source=okta.id, token="s3cret", events=["prov:delete"]
    )
    assert "registered" in done.said[0]
    assert "s3cret" not in done.html
    assert "Up to date" in done.text
    with writing(engine) as conn:
        id = conn.execute(sa.select(receivers.c.id)).scalar_one()
        conn.execute(
            sa.update(receivers).values(failures=3, failure="status 500", next_at=sa.text("now() + interval '1 hour'"))
        )
    seen = admin.get(at)
    assert "Failing, 3 attempts" in seen.text
    assert "status 500" in seen.text
    admin.post(f"{at}/{id}/retry")
    with reading(engine) as conn:
        assert conn.execute(sa.select(receivers.c.next_at)).scalar_one() is None
    assert console("help_desk").post(f"{at}/{id}/remove").status == 403
    assert "is removed" in admin.post(f"{at}/{id}/remove").said[0]
    assert admin.post(f"{at}/{id}/remove").status == 404
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.audit.c.action).order_by(t.audit.c.number)).scalars().all()
    assert rows == ["receiver.added", "receiver.retried", "receiver.removed"]
