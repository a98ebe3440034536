"""`connection test` names what is wrong and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from app.adapters import connection_checks
from app.adapters.connection_checks import Check
from app.store import connections, tenants
from app.store.connections import NewConnection, Stored
from app.store.engine import writing
from tests.certificates import certificate
from tests.metadata import ENTITY, URL, Answer, FakeWeb, metadata

BASE = "https://id.example"
ISSUER = "https://op.example"
OLD = certificate("old")
SAML = {"entity_id": ENTITY, "sso_url": "https://idp.example/sso", "certificates": [OLD]}
SAML["slo_url"] = "https://idp.example/slo"
DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


NOW = datetime.now(UTC)


def _date(off: float = 0) -> dict[str, str]:
    return {"date": format_datetime(NOW + timedelta(seconds=off), usegmt=True)}


def _run(stored: Stored, web: FakeWeb) -> list[Check]:
    return connection_checks.run(stored, web, BASE, lambda: NOW)


@pytest.fixture
def web() -> FakeWeb:
    well_known = f"{ISSUER}/.well-known/openid-configuration"
    return FakeWeb(
        {
            f"{BASE}/readyz": Answer(body=b"ready\n"),
            URL: Answer(body=metadata(OLD), headers=_date()),
            well_known: Answer(body=orjson.dumps(DISCOVERY), headers={"content-type": "application/json"}),
            f"{ISSUER}/jwks": Answer(body=b'{"keys": []}', headers=_date()),
        }
    )


def _made(engine: sa.Engine, tenant: tenants.Tenant, kind: str, settings: dict[str, Any], **more: Any) -> Stored:
    with writing(engine) as conn:
        id = connections.create(conn, NewConnection(tenant.id, "idp", "IdP", kind, settings, **more))
        found = connections.find(conn, id)
    assert found is not None
    return found


def _outcomes(stored: Stored, web: FakeWeb) -> dict[str, str]:
    return {one.name: one.outcome for one in _run(stored, web)}


def test_all_is_well_over_saml(engine: sa.Engine, tenant: tenants.Tenant, web: FakeWeb) -> None:
    found = _outcomes(_made(engine, tenant, "saml", SAML, metadata_url=URL), web)
    assert set(found) == {
        "settings",
        "state",
        "certificate",
        "sso_url",
        "slo_url",
        "metadata",
        "provider's clock",
        "public address",
    }
    assert set(found.values()) == {"ok"}


def test_all_is_well_over_openid(engine: sa.Engine, tenant: tenants.Tenant, web: FakeWeb) -> None:
    found = _outcomes(_made(engine, tenant, "oidc", {"issuer": ISSUER, "client_id": "a"}), web)
    assert found.keys() == {"settings", "state", "discovery", "keys", "provider's clock", "public address"}
    assert set(found.values()) == {"ok"}


def test_settings_that_cannot_be(engine: sa.Engine, tenant: tenants.Tenant, web: FakeWeb) -> None:
    assert _outcomes(_made(engine, tenant, "saml", {}), web) == {"settings": "failed"}


@pytest.mark.parametrize(
    ("settings", "more", "name", "outcome"),
    [
        ({"certificates": [certificate(days=10)]}, {}, "certificate", "warn"),
        ({"certificates": [certificate(days=-10)]}, {}, "certificate", "warn"),
        ({"certificates": [certificate(days=-10), OLD]}, {}, "certificate", "ok"),
        ({"sso_url": "https://private.example/sso"}, {}, "sso_url", "warn"),
        ({}, {"enabled": False}, "state", "warn"),
        ({"entity_id": "https://other.example"}, {"metadata_url": URL}, "metadata", "failed"),
        ({"certificates": [certificate("x")]}, {"metadata_url": URL}, "metadata", "failed"),
        ({"sso_url": "https://idp.example/other"}, {"metadata_url": URL}, "metadata", "warn"),
        ({}, {"metadata_url": "https://gone.example/"}, "metadata", "failed"),
        ({}, {}, "metadata", "ok"),
    ],
)
def test_what_is_not_well_over_saml(
    engine: sa.Engine,
    tenant: tenants.Tenant,
    web: FakeWeb,
    settings: dict[str, Any],
    more: dict[str, Any],
    name: str,
    outcome: str,
) -> None:
    stored = _made(engine, tenant, "saml", {**SAML, **settings}, **more)
    assert _outcomes(stored, web)[name] == outcome
    for one in _run(stored, web):
        assert (one.remedy is None) == (one.outcome == "ok")


@pytest.mark.parametrize(
    ("url", "answer", "name", "outcome"),
    [
        ("/.well-known/openid-configuration", Answer(404), "discovery", "failed"),
        (
            "/.well-known/openid-configuration",
            Answer(body=orjson.dumps({**DISCOVERY, "issuer": f"{ISSUER}/other"})),
            "discovery",
            "failed",
        ),
        ("/jwks", Answer(500), "keys", "failed"),
        ("/jwks", Answer(headers=_date(60)), "provider's clock", "warn"),
        ("/jwks", Answer(headers=_date(-600)), "provider's clock", "failed"),
    ],
)
def test_what_is_not_well_over_openid(
    engine: sa.Engine, tenant: tenants.Tenant, web: FakeWeb, url: str, answer: Answer, name: str, outcome: str
) -> None:
    web.answers[ISSUER + url] = answer
    found = _outcomes(_made(engine, tenant, "oidc", {"issuer": ISSUER, "client_id": "a"}), web)
    assert found[name] == outcome


@pytest.mark.parametrize(("answer", "outcome"), [(None, "warn"), (Answer(404), "failed"), (Answer(503), "failed")])
def test_our_public_address(
    engine: sa.Engine, tenant: tenants.Tenant, web: FakeWeb, answer: Answer | None, outcome: str
) -> None:
    del web.answers[f"{BASE}/readyz"]
    if answer is not None:
        web.answers[f"{BASE}/readyz"] = answer
    assert _outcomes(_made(engine, tenant, "saml", SAML), web)["public address"] == outcome
