"""Migrations: to head, once, whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import sqlalchemy as sa

from app.store import migrate
from app.store.engine import make_migration_engine, reading
from tests import databases


def test_the_template_is_at_head_and_equals_the_tables(engine: sa.Engine) -> None:
    with reading(engine) as conn:
        assert migrate.is_head(conn)
        assert migrate.differences(conn) == []


def test_two_processes_may_migrate_at_once(server_url: str) -> None:
    with databases.fresh(server_url) as url:
        engine = make_migration_engine(url, lock_timeout_ms=1000)
        with engine.connect() as conn:
            assert not migrate.is_head(conn)
        with ThreadPoolExecutor(3) as pool:
            assert {*pool.map(migrate.upgrade, [url] * 3)} == {migrate.head()}
        with engine.connect() as conn:
            assert migrate.is_head(conn)


def test_a_migration_leaves_no_lock(server_url: str) -> None:
    with databases.fresh(server_url) as url:
        migrate.upgrade(url)
        with psycopg.connect(url) as conn:
            ours = (
                "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            assert conn.execute(f"SELECT count(*) FROM pg_locks WHERE {ours}").fetchone() == (0,)
