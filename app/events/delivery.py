"""Receivers are served here: each by one worker at a time, in the order of the entries, from its own position on.

claim ─▶ entries ─▶ events it wants ─▶ sign ─▶ push ─▶ position ─▶ … ─▶ release
                                                └ not taken: back off; the position stays, and nothing overtakes

Between COMMIT and push lies nothing that could be lost. Between push and position a crash repeats the last token, with
the same `jti`, by which a receiver knows it (RFC 8935 §2).
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog

from app.events.issuing import Issuer
from app.events.notices import told
from app.events.push import Delivered, push
from app.outbound import Outbound
from app.provisioning import new_id
from app.store import receivers
from app.store.engine import reading
from app.store.receivers import Receiver
from scim.events import TOKEN_TYPE, Event

AT_ONCE: Final = 4  # receivers that are served beside one another
CHUNK: Final = 200
TURN_SECONDS: Final = 10.0  # then others have their turn
JOB_SECONDS: Final = 20.0
FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 900.0
LONGEST_ASKED: Final = 3600.0

_log = structlog.get_logger("events")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Serves receivers. `now` is replaced in tests."""

    engine: sa.Engine
    issuer: Issuer
    outbound: Outbound
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def drain(self) -> None:
        """Serve whoever has something to hear, for some seconds: what is left is for the next call."""
        end = time.monotonic() + JOB_SECONDS
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(self._serve_some, end) for _ in range(AT_ONCE)]:
                done.result()

    def send(self, receiver: Receiver, event: Event, jti: str) -> Delivered:
        """One event to one receiver, now."""
        claims = event.claims(issuer=self.issuer.name, audience=receiver.audience, jti=jti, now=self.now())
        token = self.issuer.sign(claims, type=TOKEN_TYPE)
        sealed = receiver.token
        authorization = None if sealed is None else f"Bearer {self.issuer.vault.open(sealed)}"
        return push(self.outbound, receiver.url, token, authorization)

    def _serve_some(self, end: float) -> None:
        worker, left = new_id(), list[str]()
        while time.monotonic() < end:
            with reading(self.engine) as conn:
                receiver = receivers.claim(conn, worker, self.now(), left)
            if receiver is None:
                return
            if not self._serve(receiver, worker, min(end, time.monotonic() + TURN_SECONDS)):
                left.append(receiver.id)

    def _serve(self, receiver: Receiver, worker: str, end: float) -> bool:
        """False when it did not take something, or is another worker's by now."""
        with reading(self.engine) as conn:
            rows, last = receivers.due(conn, receiver, CHUNK)
        position = receiver.position
        for row in rows:
            if time.monotonic() > end:
                last = position
                break
            wanted = [event for event in self._events(row, receiver) if event.uri in receiver.events]
            if not self._told_all(receiver, worker, row.number, wanted):
                return False
            position = row.number
        with reading(self.engine) as conn:
            if last > position and not receivers.moved(conn, receiver, worker, last, None):
                return False
            receivers.released(conn, receiver, worker)
        return True

    def _told_all(self, receiver: Receiver, worker: str, number: int, events: Sequence[Event]) -> bool:
        """All events of one entry, then the position."""
        for event in events:
            jti = uuid.uuid5(uuid.UUID(receiver.id), f"{number} {event.uri} {event.txn}").hex
            delivered = self.send(receiver, event, jti)
            if not delivered.taken:
                self._back_off(receiver, worker, delivered)
                return False
        with reading(self.engine) as conn:
            return receivers.moved(conn, receiver, worker, number, self.now() if events else None)

    def _back_off(self, receiver: Receiver, worker: str, delivered: Delivered) -> None:
        seconds = wait_after(receiver.failures, delivered.retry_after)
        _log.warning("event not taken", receiver=receiver.id, failure=delivered.failure, again_in=round(seconds))
        with reading(self.engine) as conn:
            at = self.now() + timedelta(seconds=seconds)
            receivers.failed(conn, receiver, worker, delivered.failure, at)

    def _events(self, row: Any, receiver: Receiver) -> tuple[Event, ...]:
        return told(row, receiver.tenant_id, external_id=receiver.external_id)


def wait_after(failures: int, asked: float | None = None, jitter: Callable[[], float] = random.random) -> float:
    """Seconds until the next attempt after so many failures before this one: doubled each time, up to 15 minutes, give
    or take a fifth. A longer time that the receiver asks for is granted, up to an hour.
    """
    own = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures, 20)) * (0.8 + 0.4 * jitter())
    return max(own, min(asked or 0.0, LONGEST_ASKED))
