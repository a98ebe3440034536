"""The provisioning log's way from a request to the table, which costs the request a tuple and an append.

    Observer.ended ─▶ bounded queue ─▶ a thread of this process, each half second or 200 rows ─▶ one INSERT
                          └─ full: counted, and the number logged

What a row says is worked out in that thread. A process that is killed loses the last half second of this log, never of
the audit, which stands in the transaction of each write. The thread takes a connection of the engine's pool for the
time of its one statement; it is started by the first request, since web workers are forked.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing import util as processes
from typing import Final

import orjson
import sqlalchemy as sa
import structlog
import uuid_utils

from app.adapters import scim_notes
from app.adapters.scim_log_rows import Ended, row
from app.store import scim_requests
from app.store.engine import reading
from app.store.tenant_settings import value
from scim.store import Exchange

EVERY: Final = 0.5  # seconds
BATCH: Final = 200  # rows
AT_A_STRETCH: Final = 20  # rows, about half a millisecond
BREATH: Final = 0.0001  # seconds: at 0 this thread would often have the interpreter's lock again before one who waits
MOST_WAITING: Final = 5_000  # requests
MOST_BYTES: Final = 16 * 1024 * 1024  # of bodies and answers that wait

_log = structlog.get_logger("scim")


class ScimLog:
    """`scim.store.Observer`: keeps every request whose tenant is known. `request_id` gives the present one's UUIDv7."""

    def __init__(self, engine: sa.Engine, request_id: Callable[[], str] = lambda: str(uuid_utils.uuid7())) -> None:
        self._engine = engine
        self._request_id = request_id
        self._waiting: deque[Ended] = deque()
        self._bytes = 0
        self._dropped = 0
        self._strangers = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._work = threading.Event()
        self._full = threading.Event()
        self._thread: threading.Thread | None = None

    def began(self) -> None:
        """A request begins."""
        scim_notes.begin()

    def ended(self, exchange: Exchange) -> None:
        """Its answer is ready to go out."""
        note = scim_notes.take()
        if note is None:
            return
        if note.caller is None:
            self._strangers += exchange.status == 401
        elif value(note.caller.tenant_settings, "scim.log_days"):
            self._keep(note, exchange)
        if not self._work.is_set():
            self._work.set()
            self._ensure_thread()

    def flush(self) -> None:
        """Write what waits, now. Where the database does not answer it stays, until the queue is full."""
        with self._writing:
            self._tell()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                if not self._write(batch):
                    self._waiting.extendleft(reversed(batch))
                    return
                with self._lock:
                    self._bytes -= sum(_size(one.exchange) for one in batch)

    def _keep(self, note: scim_notes.Note, exchange: Exchange) -> None:
        size = _size(exchange)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES:
                self._dropped += 1
                return
            self._bytes += size
        took = (time.perf_counter() - note.began) * 1000
        self._waiting.append(Ended(note, exchange, datetime.now(UTC), round(took, 1), self._request_id()))
        if len(self._waiting) >= BATCH:
            self._full.set()

    def _ensure_thread(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._run, name="scim log", daemon=True)
            self._thread.start()
            atexit.register(self.flush)
            # A forked worker ends by `os._exit` after these, without what `atexit` knows.
            processes.Finalize(None, self.flush, exitpriority=10)

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._full.wait(EVERY)
            self._full.clear()
            self._work.clear()
            self.flush()

    def _write(self, batch: list[Ended]) -> bool:
        """False when the same may be tried again later. Whatever else fails costs these rows: the log goes on."""
        try:
            rows = _rows(batch)
            with reading(self._engine) as conn:
                scim_requests.insert(conn, rows)
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
            return False
        except Exception as error:  # noqa: BLE001 - its message may quote what the log holds
            if len(batch) > 1:
                return all(self._write([one]) for one in batch)
            _log.warning("a SCIM request could not be logged", id=batch[0].id, error=type(error).__name__)
        return True

    def _tell(self) -> None:
        """Say what the table does not hold."""
        strangers, self._strangers = self._strangers, 0
        dropped, self._dropped = self._dropped, 0
        if strangers:
            _log.info("SCIM requests without a valid token", times=strangers)
        if dropped:
            _log.warning("SCIM requests that the provisioning log does not hold: its queue was full", times=dropped)


def _rows(batch: list[Ended]) -> str:
    """As a JSON array. Requests go first: who waits for the interpreter gets it every few rows, not after the batch."""
    made = []
    for number, one in enumerate(batch, 1):
        made.append(row(one))
        if number % AT_A_STRETCH == 0:
            time.sleep(BREATH)
    return orjson.dumps(made).decode()


def _size(exchange: Exchange) -> int:
    return len(exchange.body) + len(exchange.answer)
