"""Three sign-ins of the tenant, and the door through which people come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.identity.writes import Outcome
from app.logins import log_in
from app.store.tenants import SourceRow, Tenant

from .people import said_by, sign_in

Door = Callable[..., Outcome]


@pytest.fixture
def saml(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> SourceRow:
    """Creates accounts; paired with okta."""
    return sign_in(engine, tenant, "saml", arrival="create", paired_source_id=okta.id)


@pytest.fixture
def linking(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> SourceRow:
    """Creates none; paired with okta."""
    return sign_in(engine, tenant, "linking", arrival="link", paired_source_id=okta.id)


@pytest.fixture
def lone(engine: sa.Engine, tenant: Tenant) -> SourceRow:
    """Creates accounts; paired with nothing."""
    return sign_in(engine, tenant, "lone", arrival="create")


@pytest.fixture
def door(engine: sa.Engine, tenant: Tenant) -> Door:
    def come(source: SourceRow, name: str = "ada", **said: Any) -> Outcome:
        return log_in(
            engine,
            tenant.id,
            said_by(source, name, **said),
            actor="sign-in",
            now=said.get("now", datetime.now(UTC)),
            finish=said.get("finish", lambda _conn, outcome: outcome),
        )

    return come
