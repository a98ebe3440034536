"""The hottest statements, on the driver's own connection.

    Statement ──compiled once──▶ SQL with $1, $2 … ──prepared once a connection──▶ rows

SQLAlchemy keeps the pool and the way a statement is written; its execution is passed by, because building and
converting each one anew cost more than the query itself. So is psycopg's cursor, which waits in Python: libpq waits by
itself in a third of the CPU and half of the time (docs/decisions/0019). What psycopg knows of types is used as it is.

Errors come as SQLAlchemy's, so that callers know one family of them.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NoReturn

import psycopg
import sqlalchemy as sa
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

_NUMBERS: Final = count(1)
_LINK: Final = "rollcall"
_DIALECT: Final = PGDialect_psycopg(paramstyle="pyformat")
_PARAMETER: Final = re.compile(r"%\((\w+)\)s|%%")


class Statement:
    """A statement whose text never changes, only its parameters.

    `clause` is SQLAlchemy's, or text with parameters as `%(name)s`. Parameters of the type JSONB take any value that
    JSON can hold; lists are arrays. They are sent as text without a type, which the statement's own casts give them.
    `sql` has its parameters as $1, $2 …; `name` is what it is prepared under.
    """

    __slots__ = ("_json", "_make", "_names", "name", "sql")

    def __init__(self, clause: sa.ClauseElement | str) -> None:
        text, binds = (clause, {}) if isinstance(clause, str) else _compiled(clause)
        self._names: list[str] = []
        self.sql = _PARAMETER.sub(self._numbered, text).encode()
        self.name = b"rollcall_%d" % next(_NUMBERS)
        self._json = tuple(name in binds and isinstance(binds[name].type, sa.JSON) for name in self._names)
        self._make: Callable[[Sequence[Any]], Any] | None = None

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
        link = _link(conn)
        values = self._values(parameters)
        try:
            try:
                result = run(link, self, values)
            except psycopg.errors.InvalidSqlStatementName:
                link.prepared.discard(self.name)  # deallocated: psycopg drops all after an ALTER or DROP
                if link.driver.pgconn.transaction_status != TransactionStatus.IDLE:
                    raise
                result = run(link, self, values)
            if result.status != ExecStatus.TUPLES_OK:
                return []
            link.values.set_pgresult(result)
            return link.values.load_rows(0, result.ntuples, self._make or self._made(result))
        except psycopg.Error as error:
            _fail(conn, link.driver, error)

    def row(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Any | None:
        """The first row, or None."""
        rows = self.rows(conn, parameters)
        return rows[0] if rows else None

    def value(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        row = self.row(conn, parameters)
        return row[0] if row else None

    def _made(self, result: PGresult) -> Callable[[Sequence[Any]], Any]:
        """The columns are always the same, and so is the tuple's type."""
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        made: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        make: Callable[[Sequence[Any]], Any] = made._make
        self._make = make
        return make

    def _values(self, parameters: Mapping[str, Any]) -> list[Any]:
        return [
            Jsonb(parameters[name]) if json else parameters[name]
            for name, json in zip(self._names, self._json, strict=True)
        ]


@dataclass(slots=True)
class _Link:
    """What is kept beside a connection: the statements prepared on it, and psycopg's knowledge of its types."""

    driver: psycopg.Connection[Any]
    values: Any  # psycopg.adapt.Transformer: its C form is no type
    prepared: set[bytes]


def run(link: _Link, statement: Statement, values: Sequence[Any]) -> PGresult:
    """One statement, prepared if it is new to the connection. Tests watch it."""
    if statement.name not in link.prepared:
        _checked(link.driver.pgconn.prepare(statement.name, statement.sql))
        link.prepared.add(statement.name)
    sent = link.values.dump_sequence(values, [PyFormat.TEXT] * len(values))
    return _checked(link.driver.pgconn.exec_prepared(statement.name, sent))


def begin(conn: sa.Connection) -> None:
    """Opens a transaction on a connection in autocommit: taking it out of that and back would cost more."""
    _command(conn, b"BEGIN")


def commit(conn: sa.Connection) -> None:
    """Ends the transaction; all of it is saved.

    Raises:
        sqlalchemy.exc.DBAPIError: nothing was saved; also where an error within it was passed over, after which
            PostgreSQL answers COMMIT by rolling back, and calls that done.
    """
    if _command(conn, b"COMMIT") != b"COMMIT":
        gone = psycopg.errors.InFailedSqlTransaction("the transaction had failed before, and was rolled back")
        _fail(conn, _link(conn).driver, gone)


def rollback(conn: sa.Connection) -> None:
    """Ends the transaction, if the connection still lives; nothing of it is saved."""
    if not conn.invalidated and not conn.closed:
        _command(conn, b"ROLLBACK")


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
    driver = _link(conn).driver
    try:
        return psycopg.ClientCursor(driver, row_factory=namedtuple_row).execute(text, parameters).fetchall()
    except psycopg.Error as error:
        _fail(conn, driver, error)


def _compiled(clause: sa.ClauseElement) -> tuple[str, dict[str, Any]]:
    compiled = clause.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), dict(compiled.binds)


def _link(conn: sa.Connection) -> _Link:
    kept: _Link | None = conn.info.get(_LINK)
    if kept is None:
        driver = conn.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        kept = conn.info[_LINK] = _Link(driver, Transformer(driver), set())
    return kept


def _command(conn: sa.Connection, text: bytes) -> bytes | None:
    """What the server says it did."""
    driver = _link(conn).driver
    try:
        return _checked(driver.pgconn.exec_(text)).command_status
    except psycopg.Error as error:
        _fail(conn, driver, error)


def _checked(result: PGresult) -> PGresult:
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise psycopg.errors.error_from_result(result)
    return result


def _fail(conn: sa.Connection, driver: psycopg.Connection[Any], error: psycopg.Error) -> NoReturn:
    """The driver's error as SQLAlchemy's, without statement and parameters: they may hold personal data.

    After a server's restart the pool's other connections are dead as well: all are dropped at the first.
    """
    lost = driver.closed or isinstance(error, psycopg.errors.AdminShutdown)
    if lost and not isinstance(error, psycopg.OperationalError):
        error = psycopg.OperationalError(str(error))  # without a code of the server's, libpq tells no kind
    if lost or isinstance(error, psycopg.errors.InvalidSqlStatementName):
        conn.invalidate(error)  # of a connection that forgot its statements, the next attempt would miss the next one
    if lost:
        conn.engine.dispose()
    raise sa.exc.DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost, dialect=conn.dialect
    ) from error
