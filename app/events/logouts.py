"""Clients are told of sessions that ended: by a signed logout token, behind the sign-out, again until it is taken."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import sqlalchemy as sa
import structlog

from app.events.issuing import ReadyIssuer
from app.outbound import Outbound, OutboundError
from app.store import logouts
from app.store.engine import reading
from app.store.logouts import Logout
from sso import logout_tokens

AT_ONCE: Final = 4
CHUNK: Final = 20
CHUNKS: Final = 5  # in one turn
MOST_TRIES: Final = 8  # two minutes, four … : about four hours in all
FIRST_WAIT: Final = timedelta(minutes=1)

_log = structlog.get_logger("logouts")


@dataclass(frozen=True, slots=True)
class LogoutDelivery:
    """Tells clients. `now` is replaced in tests."""

    engine: sa.Engine
    issuer: ReadyIssuer
    outbound: Outbound
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def drain(self) -> None:
        """Notice what ended, and tell some of the clients that are to be told."""
        with reading(self.engine) as conn:
            logouts.notice(conn)
            logouts.forget(conn)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in range(CHUNKS):
                with reading(self.engine) as conn:
                    due = logouts.claim(conn, CHUNK)
                if not due:
                    return
                list(pool.map(self._tell, due))

    def _tell(self, one: Logout) -> None:
        failure, final = ("the client was removed", True) if one.url is None else self._send(one, one.url)
        with reading(self.engine) as conn:
            if failure is None or final or one.tries >= MOST_TRIES:
                logouts.done(conn, one, failure)
            else:
                logouts.again(conn, one, failure, self.now() + FIRST_WAIT * 2**one.tries)
        if failure is not None:
            _log.warning("logout not taken", client=one.client_id, failure=failure, tries=one.tries)

    def _send(self, one: Logout, url: str) -> tuple[str | None, bool]:
        """Why it was not taken, and whether there is no use in trying again (§2.8: 400 is a refusal)."""
        claims = logout_tokens.claims(
            issuer=self.issuer.issuer.name,
            client_id=one.client_id,
            account_id=one.account_id,
            session_id=one.session_id,
            jti=uuid.uuid5(uuid.UUID(one.session_id), one.client_id).hex,
            now=self.now().timestamp(),
        )
        token = self.issuer.sign(claims, type=logout_tokens.TYPE, algorithm=one.algorithm)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            reply = self.outbound.post(url, urlencode({"logout_token": token}).encode(), headers)
        except OutboundError as error:
            return str(error), False
        if reply.status in (200, 204):
            return None, True
        return f"status {reply.status} instead of 200", reply.status == 400
