"""Groups of an identity provider, written as the SCIM door leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from app.identity.naming import group_sorted_by
from app.identity.writes import RecordWrite, Spoken
from app.provisioning import new_id, provision
from app.store import tables as t
from app.store.engine import writing
from app.store.tenants import SourceRow


def pushed(engine: sa.Engine, source: SourceRow, *names: str) -> dict[str, str]:
    """Active SCIM Users of the source: userName -> record id."""
    writes = [
        RecordWrite(
            source.id,
            Spoken(True, {"userName": name, "displayName": name.title(), "emails.work": f"{name}@example.com"}),
            {"userName": name},
            user_name=name,
        )
        for name in names
    ]
    outcomes = provision(engine, source.tenant_id, writes, actor="test")
    return {name: outcome.record_id or "" for name, outcome in zip(names, outcomes, strict=True)}


def grouped(
    engine: sa.Engine, source: SourceRow, name: str, users: Sequence[str] = (), groups: Sequence[str] = ()
) -> str:
    """A group of these records and groups. Returns its id."""
    group_id, now = new_id(), datetime.now(UTC)
    row = {"id": group_id, "source_id": source.id, "created_at": now, "updated_at": now}
    row |= {"display_name": name, "name": group_sorted_by(name)}
    members = [
        *({"member_id": one, "kind": "User"} for one in users),
        *({"member_id": one, "kind": "Group"} for one in groups),
    ]
    with writing(engine) as conn:
        conn.execute(sa.insert(t.groups).values(tenant_id=source.tenant_id, **row))
        if members:
            rows = [{"tenant_id": source.tenant_id, "group_id": group_id, **member} for member in members]
            conn.execute(sa.insert(t.members), rows)
    return group_id
