"""The SCIM door on the real store."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters.doorkeeper import Doorkeeper
from app.store import credentials, tenants
from app.store.engine import writing
from scim.routes import blueprint
from scim.store import Limits


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    made = Flask(__name__)
    made.testing = True
    made.register_blueprint(blueprint(Doorkeeper(engine), Limits()))
    return made


@pytest.fixture
def connect(engine: sa.Engine, app: Flask) -> Any:
    def make(tenant: tenants.Tenant, source: tenants.SourceRow) -> FlaskClient:
        with writing(engine) as conn:
            token = credentials.issue(conn, tenant.id, "scim_token", "test", source_id=source.id).secret
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return make
