"""One connection of a process that is held between reads: for the roads on which taking it out of the pool and putting
it back costs as much as the statement.

Nobody waits for it: whoever comes while it is in use takes one out of the pool.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import sqlalchemy as sa

from app.store.engine import reading

T = TypeVar("T")

HELD_SECONDS: Final = 60.0  # then the pool sees it again, and decides whether it is too old


class Held:
    """Reads in autocommit. `hold` False: each time out of the pool, as everybody does."""

    def __init__(self, engine: sa.Engine, *, hold: bool) -> None:
        # Of a pool of one, all others would wait for ever.
        self._engine, self._hold = engine, hold and isinstance(engine.pool, sa.QueuePool) and engine.pool.size() > 1
        self._lock = threading.Lock()
        self._conn: sa.Connection | None = None
        self._until = 0.0

    def read(self, question: Callable[[sa.Connection], T]) -> T:
        """What the question answers on a connection. After an error of the database the connection is not used again.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: one of its kinds.
        """
        if not self._hold or not self._lock.acquire(blocking=False):
            with reading(self._engine) as conn:
                return question(conn)
        try:
            return question(self._connection())
        except sa.exc.SQLAlchemyError:
            self._let_go()
            raise
        finally:
            self._lock.release()

    def _connection(self) -> sa.Connection:
        now = time.monotonic()
        if self._conn is None or now >= self._until:
            self._let_go()
            self._conn, self._until = self._engine.connect(), now + HELD_SECONDS
        return self._conn

    def _let_go(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()
