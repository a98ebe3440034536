"""What administrators do to connections is checked, and told to the audit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.adapters import connecting
from app.adapters.connecting import Change, Said
from app.adapters.connection_schemas import BadConnectionError
from app.identity.writes import Spoken
from app.logins import Login, log_in
from app.store import audit, connections, sessions, tenants
from app.store import tables as t
from app.store.connections import Stored
from app.store.engine import reading, writing
from app.store.sessions import NewSession
from app.store.vault import Vault
from app.sync import runs
from sso import certificates
from tests.certificates import certificate

VAULT = Vault([b"v" * 32])
ACTOR = "cli:ops"


def _create(engine: sa.Engine, tenant_id: str, **more: Any) -> str:
    settings = {"issuer": "https://idp.example", "client_id": "abc"}
    said = {"name": "acme-login", "kind": "oidc", "settings": settings, "secret": "s3cret", **more}
    return connecting.create(engine, lambda: VAULT, tenant_id, Said(**said), ACTOR)


def _change(engine: sa.Engine, tenant_id: str, **wanted: Any) -> Stored:
    return connecting.change(engine, lambda: VAULT, tenant_id, "acme-login", Change(**wanted), ACTOR)


def _told(engine: sa.Engine, tenant_id: str) -> list[tuple[str, dict[str, Any]]]:
    with reading(engine) as conn:
        assert audit.verify(conn, tenant_id)[1] is None
        rows = conn.execute(sa.select(t.audit).order_by(t.audit.c.number)).all()
    return [(row.action, {**row.facts}) for row in rows]


def test_each_act_is_told(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    id = _create(engine, tenant.id)
    _change(engine, tenant.id, title="Acme", secret="other")
    _change(engine, tenant.id, enabled=False)
    _change(engine, tenant.id, enabled=False)
    connecting.remove(engine, tenant.id, "acme-login", ACTOR)
    told = _told(engine, tenant.id)
    assert [action for action, _ in told] == [
        "connection.created",
        "connection.changed",
        "connection.changed",
        "connection.removed",
    ]
    assert told[0][1]["settings"] == {"issuer": "https://idp.example", "client_id": "abc"}
    assert told[1][1]["changed"] == ["secret", "title"]
    assert told[2][1]["enabled"] is False
    assert "s3cret" not in str(told)
    assert "other" not in str(told)
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.audit.c.subject).distinct()).scalars().all() == [id]


def test_the_audit_knows_certificates_by_their_fingerprints(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    pem = certificate()
    settings = {"entity_id": "e", "sso_url": "https://idp.example/sso", "certificates": [pem]}
    _create(engine, tenant.id, kind="saml", settings=settings, secret=None)
    [(_, facts)] = _told(engine, tenant.id)
    assert facts["settings"]["certificates"] == [certificates.read(pem).fingerprint]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"secret": None}, "needs a client secret"),
        ({"secret": ""}, "one line of ASCII"),
        ({"secret": "a\nb"}, "one line of ASCII"),
        ({"title": "x" * 101}, "title: one line"),
        ({"title": " "}, "title: one line"),
        ({"domains": ["acme"]}, "is not a domain name"),
        ({"claims": {"emial": ["x"]}}, "emial"),
        ({"settings": {"issuer": "http://idp.example", "client_id": "a"}}, "issuer: plain http"),
        ({"paired": "hr"}, "hr is no identity provider's source"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    engine: sa.Engine, hr: tenants.SourceRow, wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadConnectionError, match=sentence):
        _create(engine, hr.tenant_id, **wrong)
    with reading(engine) as conn:
        assert connections.listing(conn, hr.tenant_id) == []
        assert [one.name for one in tenants.sources(conn, hr.tenant_id)] == ["hr"]
    assert _told(engine, hr.tenant_id) == []


def test_a_client_without_a_secret(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    settings = {"issuer": "https://idp.example", "client_id": "abc", "auth_method": "private_key_jwt"}
    _create(engine, tenant.id, settings=settings, secret=None)
    with pytest.raises(BadConnectionError, match="needs a client secret"):
        _change(engine, tenant.id, settings={"auth_method": "client_secret_post"})
    changed = _change(engine, tenant.id, settings={"auth_method": "client_secret_post"}, secret="s")
    assert changed.settings["auth_method"] == "client_secret_post"


def test_settings_are_laid_over_what_is_there(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    _create(engine, tenant.id, claims={"email": ["mail"], "groups": ["memberOf"]})
    changed = _change(engine, tenant.id, settings={"max_age": 60}, claims={"groups": None, "user_name": ["upn"]})
    assert changed.settings == {"issuer": "https://idp.example", "client_id": "abc", "max_age": 60}
    assert changed.claims == {"email": ["mail"], "user_name": ["upn"]}
    assert changed.version == 2
    assert _change(engine, tenant.id, settings={"max_age": None}).settings == {
        "issuer": "https://idp.example",
        "client_id": "abc",
    }
    with pytest.raises(BadConnectionError, match="issuer"):
        _change(engine, tenant.id, settings={"issuer": None})


def test_another_provider_is_another_connection(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    """Its names for people would be taken for those of the first, and our secret would be shown to it."""
    _create(engine, tenant.id)
    with pytest.raises(BadConnectionError, match="issuer stays"):
        _change(engine, tenant.id, settings={"issuer": "https://other.example"})
    with reading(engine) as conn:
        assert connections.named(conn, tenant.id, "acme-login").settings["issuer"] == "https://idp.example"
    assert [action for action, _ in _told(engine, tenant.id)] == ["connection.created"]


def test_arrival_and_pairing_change_the_tenants_rules(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    _create(engine, okta.tenant_id)
    with reading(engine) as conn:
        before = tenants.find(conn, "acme").revision
    changed = _change(engine, okta.tenant_id, arrival="create", paired="okta")
    assert changed.source_settings == {"arrival": "create", "paired_source_id": okta.id}
    with reading(engine) as conn:
        assert tenants.find(conn, "acme").revision == before + 1
    assert _change(engine, okta.tenant_id, paired="").source_settings["paired_source_id"] is None
    with pytest.raises(tenants.NotFoundError):
        _change(engine, okta.tenant_id, paired="nobody")


def test_a_connection_of_several_directories_is_paired_with_no_source(
    engine: sa.Engine, okta: tenants.SourceRow
) -> None:
    """Else an administrator of one directory gives somebody there the user name of another's person."""
    issuer = {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "client_id": "abc"}
    one, two = {**issuer, "tenants": [str(uuid4())]}, {**issuer, "tenants": [str(uuid4()), str(uuid4())]}
    with pytest.raises(BadConnectionError, match="several directories"):
        _create(engine, okta.tenant_id, settings=two, paired="okta")
    _create(engine, okta.tenant_id, settings=one, paired="okta")
    with pytest.raises(BadConnectionError, match="several directories"):
        _change(engine, okta.tenant_id, settings=two)
    _change(engine, okta.tenant_id, settings=two, paired="")
    with pytest.raises(BadConnectionError, match="several directories"):
        _change(engine, okta.tenant_id, paired="okta")


def test_sessions_end_with_the_connection(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    id = _create(engine, tenant.id)

    def begin() -> None:
        with writing(engine) as conn:
            new = NewSession(tenant.id, str(uuid4()), id, str(uuid4()), "s", datetime.now(UTC))
            sessions.begin(conn, new)

    begin()
    assert connecting.end_sessions(engine, tenant.id, "acme-login", ACTOR) == 1
    assert connecting.end_sessions(engine, tenant.id, "acme-login", ACTOR) == 0
    begin()
    assert connecting.remove(engine, tenant.id, "acme-login", ACTOR) == 1
    with pytest.raises(tenants.NotFoundError):
        connecting.remove(engine, tenant.id, "acme-login", ACTOR)


def test_another_tenants_connection_is_nobodys(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    _create(engine, tenant.id)
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    with pytest.raises(tenants.NotFoundError):
        _change(engine, other.id, title="x")
    with pytest.raises(tenants.NotFoundError):
        connecting.remove(engine, other.id, "acme-login", ACTOR)


@pytest.mark.parametrize("act", ["change", "remove"])
def test_who_only_ever_signed_in_is_derived_again_when_the_sign_in_creates_no_more(
    engine: sa.Engine, tenant: tenants.Tenant, act: str
) -> None:
    id = _create(engine, tenant.id, arrival="create")
    with reading(engine) as conn:
        stored = connections.find(conn, id)
    assert stored is not None
    login = Login(stored.source_id, "s-1", "ada", Spoken(True, {"userName": "ada"}), {})
    made = log_in(engine, tenant.id, login, actor="test", now=datetime.now(UTC), finish=lambda _conn, outcome: outcome)
    assert made.after.status == "active"
    if act == "change":
        _change(engine, tenant.id, arrival="link")
    else:
        connecting.remove(engine, tenant.id, "acme-login", ACTOR)
    with reading(engine) as conn:
        run = conn.execute(sa.select(t.runs.c.id)).scalar_one()
    assert runs.finish(engine, str(run))
    with reading(engine) as conn:
        left = conn.execute(sa.select(t.accounts.c.status, t.accounts.c.signed_out_at)).one()
    assert left.status == "inactive"
    assert left.signed_out_at is not None


def test_a_connection_has_no_numbering_of_its_own_unless_it_is_given_one(
    engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    """Or any provider could name the employee number of an administrator."""
    _create(engine, tenant.id)
    with reading(engine) as conn:
        assert tenants.find_source(conn, tenant.id, "acme-login").employee_namespace is None
