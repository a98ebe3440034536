"""What saving adds by itself."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import tables as t
from app.store.tenants import SourceRow, Tenant


def signed_out_at(engine: sa.Engine) -> datetime | None:
    with engine.connect() as conn:
        found: datetime | None = conn.execute(sa.select(t.accounts.c.signed_out_at)).scalar_one()
        return found


def test_whoever_turns_inactive_is_signed_out_and_stays_so_when_rehired(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    def say(*, active: bool, title: str = "Coder", id: str | None = None) -> str:
        said = Spoken(active, {"userName": "ada", "title": title})
        write = RecordWrite(okta.id, said, {"active": active, "title": title}, record_id=id, user_name="ada")
        [outcome] = provision(engine, tenant.id, [write], actor="test")
        return outcome.record_id or ""

    id = say(active=True)
    assert signed_out_at(engine) is None
    with engine.connect() as conn:
        before = conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    say(active=False, id=id)
    left = signed_out_at(engine)
    assert left is not None
    assert left > before
    say(active=False, title="Former coder", id=id)
    assert signed_out_at(engine) == left, "it is the turning that signs out"
    say(active=True, id=id)
    assert signed_out_at(engine) == left, "sessions from before stay over"


def test_whoever_begins_inactive_has_no_sessions_to_end(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    write = RecordWrite(okta.id, Spoken(False, {"userName": "ada"}), {}, user_name="ada")
    provision(engine, tenant.id, [write], actor="test")
    assert signed_out_at(engine) is None
