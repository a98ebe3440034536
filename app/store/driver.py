"""The hottest statements, on the driver's own connection.

    Statement ──compiled once──▶ SQL with $1, $2 … ──prepared once a connection──▶ rows

SQLAlchemy keeps the pool, the transactions and the way a statement is written; only its execution is passed by, because
building and converting each one anew cost more than the query itself: half of the CPU of a write (docs/performance.md).
Errors come as SQLAlchemy's, so that callers know one family of them.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

import psycopg
import sqlalchemy as sa
from psycopg.pq import ExecStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT: Final = PGDialect_psycopg(paramstyle="pyformat")
_PARAMETER: Final = re.compile(r"%\((\w+)\)s|%%")


class Statement:
    """A statement whose text never changes, only its parameters.

    `clause` is SQLAlchemy's, or text with parameters as `%(name)s`. Parameters of the type JSONB take any value that
    JSON can hold; lists are arrays.
    """

    __slots__ = ("_json", "_make", "_names", "_sql")

    def __init__(self, clause: sa.ClauseElement | str) -> None:
        text, binds = (clause, {}) if isinstance(clause, str) else _compiled(clause)
        self._names: list[str] = []
        self._make: Callable[[Sequence[Any]], Any] | None = None
        self._sql = _PARAMETER.sub(self._numbered, text).encode()
        self._json = tuple(name in binds and isinstance(binds[name].type, sa.JSON) for name in self._names)

    def _numbered(self, found: re.Match[str]) -> str:
        name = found.group(1)
        if name is None:
            return "%"
        if name not in self._names:
            self._names.append(name)
        return f"${self._names.index(name) + 1}"

    def rows(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows as named tuples; none for a statement that answers none.

        Raises:
            sqlalchemy.exc.DBAPIError: one of its kinds, with the driver's error as `orig`.
        """
        driver = _driver(conn)
        cursor = psycopg.RawCursor(driver, row_factory=self._made)
        try:
            cursor.execute(self._sql, self._values(parameters), prepare=True)
            return cursor.fetchall() if _answers_rows(cursor) else []
        except psycopg.Error as error:
            _fail(conn, driver, error)

    def row(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Any | None:
        """The first row, or None."""
        rows = self.rows(conn, parameters)
        return rows[0] if rows else None

    def value(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        row = self.row(conn, parameters)
        return row[0] if row else None

    def _made(self, cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
        """psycopg's row factory: the columns are always the same, and so is the tuple's type."""
        if self._make is None and _answers_rows(cursor):
            names = [column.name for column in cursor.description or ()]
            made: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
            self._make = made._make
        return self._make or tuple

    def _values(self, parameters: Mapping[str, Any]) -> list[Any]:
        return [
            Jsonb(parameters[name]) if json else parameters[name]
            for name, json in zip(self._names, self._json, strict=True)
        ]


def _answers_rows(cursor: psycopg.Cursor[Any]) -> bool:
    """`cursor.description` would make an object of each column to say so."""
    result = cursor.pgresult
    return result is not None and result.status == ExecStatus.TUPLES_OK


def begin(conn: sa.Connection) -> None:
    """Opens a transaction on a connection in autocommit; SQLAlchemy's commit and rollback end it.

    Taking a connection out of autocommit and back would cost more than BEGIN.
    """
    driver = _driver(conn)
    try:
        driver.execute("BEGIN")
    except psycopg.Error as error:
        _fail(conn, driver, error)


def fragment(clause: sa.ClauseElement, prefix: str) -> tuple[str, dict[str, Any]]:
    """An expression as a part of a statement's text, and its parameters; `prefix` keeps their names apart."""
    text, binds = _compiled(clause)
    values = {
        prefix + name: Jsonb(bind.effective_value) if isinstance(bind.type, sa.JSON) else bind.effective_value
        for name, bind in binds.items()
    }
    return _PARAMETER.sub(lambda found: f"%({prefix}{found.group(1)})s" if found.group(1) else "%%", text), values


def condition(clause: sa.ColumnElement[bool], table: sa.FromClause, prefix: str) -> tuple[str, dict[str, Any]]:
    """`fragment` for a condition on the rows of `table`, which subqueries in it speak of.

    It is compiled inside a SELECT from `table`: alone, each subquery would name `table` among its own and so ask
    whether any row of it fits, not this one.
    """
    text, values = fragment(sa.select(sa.literal_column("1")).select_from(table).where(clause), prefix)
    return text.partition("\nWHERE ")[2], values


def planned_by_values(conn: sa.Connection, text: str, parameters: Mapping[str, Any]) -> list[Any]:
    """All rows of a statement with parameters as `%(name)s`, which is planned anew for the values it has.

    They are quoted into its text, as only then the server plans with them (`plan_cache_mode`, see `engine`).

    Raises:
        sqlalchemy.exc.DBAPIError: one of its kinds, with the driver's error as `orig`.
    """
    driver = _driver(conn)
    try:
        return psycopg.ClientCursor(driver, row_factory=namedtuple_row).execute(text, parameters).fetchall()
    except psycopg.Error as error:
        _fail(conn, driver, error)


def _compiled(clause: sa.ClauseElement) -> tuple[str, dict[str, Any]]:
    compiled = clause.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), dict(compiled.binds)


def _driver(conn: sa.Connection) -> psycopg.Connection[Any]:
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _fail(conn: sa.Connection, driver: psycopg.Connection[Any], error: psycopg.Error) -> NoReturn:
    """The driver's error as SQLAlchemy's, without statement and parameters: they may hold personal data.

    After a server's restart the pool's other connections are dead as well: all are dropped at the first.
    """
    lost = driver.closed or isinstance(error, psycopg.errors.AdminShutdown)
    if lost:
        conn.invalidate(error)
        conn.engine.dispose()
    raise sa.exc.DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost, dialect=conn.dialect
    ) from error
