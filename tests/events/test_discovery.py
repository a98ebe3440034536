"""ServiceProviderConfig says what is true for the client that asks (RFC 9967 §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.store import receivers, tenant_settings
from app.store.engine import writing
from scim.events import DELETE, PUT
from tests.events.receiver import Receiver

PATH = "/scim/v2/ServiceProviderConfig"


def test_it_follows_the_receivers(
    engine: sa.Engine, app: Flask, connect: Any, okta: Any, entra: Any, receiver: Receiver, hears: Callable[..., str]
) -> None:
    ours, theirs = connect(okta), connect(entra)
    assert "securityEvents" not in ours.get(PATH).get_json()
    id = hears(receiver, events=["prov:delete"])
    assert ours.get(PATH).get_json()["securityEvents"]["eventUris"] == [DELETE]
    assert "securityEvents" not in theirs.get(PATH).get_json()
    assert "securityEvents" not in app.test_client().get(PATH).get_json()
    hears(receiver, None, events=["prov:put:notice"])
    with writing(engine) as conn:
        tenant_settings.choose(conn, okta.tenant_id, "scim.account_extension", "false")
    assert ours.get(PATH).get_json()["securityEvents"]["eventUris"] == [PUT, DELETE]
    assert theirs.get(PATH).get_json()["securityEvents"]["eventUris"] == [PUT]
    with writing(engine) as conn:
        receivers.remove(conn, okta.tenant_id, id)
    assert ours.get(PATH).get_json()["securityEvents"]["eventUris"] == [PUT]
