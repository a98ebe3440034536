"""Migrations: one head, and after them the database is what `app.store.tables` says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from app.store import migrate
from app.store.engine import reading


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrate.config()).get_heads()) == 1


def test_the_scripts_make_the_tables(engine: sa.Engine) -> None:
    with reading(engine) as conn:
        differences = migrate.differences(conn)
    assert differences == []


def test_the_job_tables_are_those_of_the_installed_release() -> None:
    import procrastinate.schema

    ours = (migrate.SCRIPTS / "sql" / "procrastinate-3.10.sql").read_text(encoding="utf-8")
    assert ours.endswith(procrastinate.schema.SchemaManager.get_schema())
