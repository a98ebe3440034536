"""The hottest statements on the driver's own connection."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.store.driver import Statement, fragment, planned_by_values
from app.store.engine import make_engine, reading, writing

ECHO = Statement("SELECT CAST(%(a)s AS int) AS a, CAST(%(b)s AS text) AS b, CAST(%(a)s AS bigint) + 1 AS c")


def test_rows_come_by_name_with_their_types(engine: sa.Engine) -> None:
    moment = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)
    typed = Statement(
        sa.text("""SELECT CAST(:id AS uuid) AS id, CAST(:at AS timestamptz) AS at, CAST(:no AS text) AS no,
            CAST(:yes AS bool) AS yes, CAST(:many AS text[]) AS many, CAST(:raw AS bytea) AS raw, :said AS said
        """).bindparams(sa.bindparam("said", type_=JSONB))
    )
    given = {"id": str(UUID(int=7)), "at": moment, "no": None, "yes": True, "many": ["a", 'b"{}'], "raw": b"\x00\xff"}
    said = {"ß": [1, None, "é\u2028"], "n": 1.5}
    with reading(engine) as conn:
        row = typed.row(conn, {**given, "said": said})
    assert row is not None
    assert row._asdict() == {**given, "said": said}


def test_one_statement_is_prepared_once_a_connection(engine: sa.Engine) -> None:
    with reading(engine) as conn:
        assert [ECHO.row(conn, {"a": number, "b": "x"}).c for number in (1, 2)] == [2, 3]
        names = "SELECT count(*) FROM pg_prepared_statements WHERE name = :name"
        assert conn.execute(sa.text(names), {"name": ECHO.name.decode()}).scalar_one() == 1


def test_what_was_deallocated_is_prepared_again(engine: sa.Engine) -> None:
    other = Statement("SELECT CAST(%(x)s AS text) AS x")
    with reading(engine) as conn:
        assert ECHO.value(conn, {"a": 1, "b": ""}) == 1
        conn.exec_driver_sql("DEALLOCATE ALL")
        assert other.value(conn, {"x": "y"}) == "y"
        assert ECHO.value(conn, {"a": 2, "b": ""}) == 2
        assert other.value(conn, {"x": "z"}) == "z"
        conn.invalidate()  # others would find their statements gone within a transaction, where nobody prepares anew


def test_a_percent_sign_and_a_statement_without_rows(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        assert Statement(sa.text("SELECT 7 % 4 AS left")).value(conn, {}) == 3
        assert Statement("SET LOCAL lock_timeout = '1s'").rows(conn, {}) == []


def test_errors_are_sqlalchemys_and_quote_nothing(engine: sa.Engine) -> None:
    with reading(engine) as conn, pytest.raises(sa.exc.DataError) as caught:
        Statement("SELECT CAST(%(secret)s AS int), CAST(%(other)s AS text)").rows(conn, {"secret": "x", "other": "s3"})
    assert isinstance(caught.value.orig, psycopg.errors.InvalidTextRepresentation)
    assert "s3" not in str(caught.value)


def test_a_failed_transaction_saves_nothing_and_leaves_the_connection_usable(engine: sa.Engine) -> None:
    insert = Statement("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), %(name)s)")

    def fails(name: str, then: Exception | None) -> None:
        with writing(engine) as conn:
            insert.rows(conn, {"name": name})
            if then is not None:
                raise then
            insert.rows(conn, {"name": name})

    with pytest.raises(sa.exc.IntegrityError):
        fails("one", None)
    with pytest.raises(KeyError):
        fails("two", KeyError())
    with writing(engine) as conn:
        insert.rows(conn, {"name": "three"})
    with reading(engine) as conn:
        assert conn.execute(sa.text("SELECT name FROM tenants")).scalars().all() == ["three"]


def test_an_error_that_was_passed_over_is_not_called_saved(engine: sa.Engine) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, which is no error to it."""
    insert = Statement("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), %(name)s)")

    def passes_over() -> None:
        with writing(engine) as conn:
            insert.rows(conn, {"name": "one"})
            with suppress(sa.exc.IntegrityError):
                insert.rows(conn, {"name": "one"})

    with pytest.raises(sa.exc.DBAPIError) as caught:
        passes_over()
    assert isinstance(caught.value.orig, psycopg.errors.InFailedSqlTransaction)
    with reading(engine) as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM tenants")).scalar_one() == 0


def test_a_connection_that_the_server_ended_is_replaced(engine: sa.Engine) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    one = make_engine(url, pool_size=1)
    try:
        with reading(one) as conn:
            pid = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        killer = make_engine(url, pool_size=1)
        with reading(killer) as conn:
            conn.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
        killer.dispose()
        with pytest.raises(sa.exc.OperationalError), reading(one) as conn:
            ECHO.rows(conn, {"a": 1, "b": ""})
        with reading(one) as conn:
            assert ECHO.value(conn, {"a": 5, "b": ""}) == 5
    finally:
        one.dispose()


def test_a_fragment_keeps_its_parameters_apart(engine: sa.Engine) -> None:
    column = sa.column("n", sa.Integer)
    where, one = fragment(column > 2, "a_")
    more, two = fragment(column.op("%")(sa.literal(2)) == 0, "b_")
    with reading(engine) as conn:
        text = f"SELECT n FROM generate_series(1, 9) AS n WHERE ({where}) AND ({more}) ORDER BY n"
        assert [row.n for row in planned_by_values(conn, text, one | two)] == [4, 6, 8]


def test_a_connection_that_forgot_its_statements_in_a_transaction_is_replaced(engine: sa.Engine) -> None:
    """And the write door tries again (provisioning): that is no reason to refuse anybody."""
    one = make_engine(engine.url.set(drivername="postgresql").render_as_string(hide_password=False), pool_size=1)
    insert = Statement("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), %(name)s)")
    try:
        with writing(one) as conn:
            insert.rows(conn, {"name": "first"})
        with reading(one) as conn:
            conn.exec_driver_sql("DEALLOCATE ALL")
        with pytest.raises(sa.exc.ProgrammingError) as caught, writing(one) as conn:
            insert.rows(conn, {"name": "second"})
        assert isinstance(caught.value.orig, psycopg.errors.InvalidSqlStatementName)
        with writing(one) as conn:
            insert.rows(conn, {"name": "third"})
    finally:
        one.dispose()


def test_the_end_of_a_savepoint_takes_no_statement_away(engine: sa.Engine) -> None:
    """psycopg, preparing by itself, sends DEALLOCATE ALL after it: a transaction would fail for nothing."""
    one = make_engine(engine.url.set(drivername="postgresql").render_as_string(hide_password=False), pool_size=1)
    insert = Statement("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), %(name)s)")
    try:
        with writing(one) as conn:
            insert.rows(conn, {"name": "first"})
            for _ in range(10):
                conn.execute(sa.select(1))
            conn.begin_nested().rollback()
        with writing(one) as conn:
            conn.execute(sa.select(1))
            insert.rows(conn, {"name": "second"})
    finally:
        one.dispose()
