"""How far an earlier play came, and whose tenant it is."""

from __future__ import annotations

import sqlalchemy as sa

from app.demo import stage
from app.demo.stage import Progress
from app.store import credentials, tenants
from app.store.engine import reading, writing


def test_progress_from_nothing_to_played(engine: sa.Engine) -> None:
    assert stage.progress(engine) is Progress.ABSENT
    stand, _ = stage.build(engine)
    assert stage.progress(engine) is Progress.BEGUN
    stage.fresh_key(engine, stand)
    assert stage.progress(engine) is Progress.PLAYED


def test_a_tenant_of_somebody_else_is_not_the_demos(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        tenants.create(conn, stage.TENANT)
    assert stage.progress(engine) is Progress.FOREIGN


def test_what_was_built_is_found(engine: sa.Engine) -> None:
    stand, _ = stage.build(engine)
    found = stage.find(engine)
    assert (found.tenant.id, found.okta, found.hr) == (stand.tenant.id, stand.okta, stand.hr)
    assert found.hr.settings["value_maps"]["title"]["STR"] == "Senior Trainer"


def test_a_fresh_token_ends_the_older_one_and_no_other(engine: sa.Engine) -> None:
    stand, first = stage.build(engine)
    with writing(engine) as conn:
        kept = credentials.issue(conn, stand.tenant.id, "scim_token", "my own", source_id=stand.okta.id)
    second = stage.fresh_token(engine, stand)
    with reading(engine) as conn:
        assert credentials.find(conn, first, ["scim_token"]) is None
        assert credentials.find(conn, second, ["scim_token"]) is not None
        assert credentials.find(conn, kept.secret, ["scim_token"]) is not None


def test_the_key_reads_and_writes_nothing(engine: sa.Engine) -> None:
    stand, _ = stage.build(engine)
    with reading(engine) as conn:
        found = credentials.find(conn, stage.fresh_key(engine, stand), ["api_key"])
    assert found is not None
    assert found.scopes == {"accounts:read", "events:read"}
