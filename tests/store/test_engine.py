"""Connections: autocommit reads, transactional writes, bounded waits."""

from __future__ import annotations

from contextlib import suppress

import pytest
import sqlalchemy as sa

from app.store import tables, tenants
from app.store.engine import check_server, make_engine, reading, writing


def test_a_read_opens_no_transaction(engine: sa.Engine) -> None:
    with reading(engine) as conn:
        conn.exec_driver_sql("SELECT 1")
        driver = conn.connection.driver_connection
        assert driver is not None
        assert driver.info.transaction_status.name == "IDLE"


def test_a_write_is_all_or_nothing(engine: sa.Engine) -> None:
    with suppress(ZeroDivisionError), writing(engine) as conn:
        tenants.create(conn, "acme")
        raise ZeroDivisionError
    with reading(engine) as conn:
        assert tenants.listing(conn) == []


def test_a_write_follows_a_read_on_the_same_connection(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    with reading(engine) as conn:
        conn.exec_driver_sql("SELECT 1")
    with writing(engine) as conn:
        assert conn.exec_driver_sql("SHOW transaction_isolation").scalar_one() == "read committed"
        assert conn.get_isolation_level() != "AUTOCOMMIT"
    engine.dispose()


def test_a_lock_is_waited_for_no_longer_than_said(engine: sa.Engine, tenant: tenants.Tenant, database_url: str) -> None:
    hasty = make_engine(database_url, pool_size=1, lock_timeout_ms=50)
    with writing(engine) as holder:
        holder.execute(sa.select(tables.tenants).with_for_update())
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"), writing(hasty) as conn:
            tenants.raise_revision(conn, tenant.id)
    hasty.dispose()


def test_documents_travel_as_json(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    document = {"ä": [1, None, {"b": "\u2028"}]}
    with writing(engine) as conn:
        conn.execute(sa.update(tables.tenants).values(settings=document))
        assert conn.execute(sa.select(tables.tenants.c.settings)).scalar_one() == document


def test_the_server_is_new_enough(engine: sa.Engine) -> None:
    with reading(engine) as conn:
        assert check_server(conn) >= 14
