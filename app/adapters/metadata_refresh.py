"""Connections' metadata, read again: by the clock, by hand, and when an answer is signed with an unknown key.

due ─▶ claimed, so that nobody else reads it ─▶ fetched ─▶ judged ─▶ settings changed, with an audit entry
                                                    └─ not taken over ─▶ the old settings stay, the failure is noted
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from app.adapters import connecting, metadata_import
from app.adapters.connecting import Change
from app.adapters.connection_schemas import BadConnectionError, parse
from app.adapters.metadata_import import MetadataError
from app.identity.writes import BusyError
from app.store import connections
from app.store.connections import Stored
from app.store.engine import reading
from app.store.tenants import NotFoundError
from app.store.vault import Vault
from sso.connections import Saml
from sso.web import Web

ACTOR: Final = "metadata"
CLAIMED_FOR: Final = timedelta(minutes=10)
AT_ONCE: Final = 20
FLOOR_SECONDS: Final = 60  # between two readings that an unknown key asked for

_log = structlog.get_logger("metadata")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of it: the settings that are new, or why the old ones stay."""

    changed: tuple[str, ...] = ()
    failure: str | None = None


class MetadataRefresh:
    """`web` is the guarded way out; `clock` tells the time."""

    def __init__(
        self,
        engine: sa.Engine,
        web: Web,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine, self._web, self._clock = engine, web, clock

    def drain(self) -> None:
        """Read again what is due, one after another."""
        while True:
            now = self._clock()
            with reading(self._engine) as conn:
                due = connections.claim_due(conn, now, now + CLAIMED_FOR, AT_ONCE)
            for stored in due:
                self.refresh(stored)
            if len(due) < AT_ONCE:
                return

    def refresh(self, stored: Stored, *, accept: bool = False, actor: str = ACTOR) -> Refreshed:
        """Read it again now. `accept`: a person takes over all certificates, whatever they are."""
        now = self._clock()
        try:
            changed, next_at = self._taken(stored, now, accept, actor)
        except (MetadataError, BadConnectionError, BusyError, NotFoundError) as error:
            _log.warning("metadata not taken over", connection=stored.id, why=type(error).__name__)
            again = metadata_import.retry_time(stored.refreshed_at, stored.refresh_failure is not None, now)
            self._note(stored, now, again, str(error))
            return Refreshed(failure=str(error))
        self._note(stored, now, next_at, None)
        return Refreshed(changed)

    def _taken(self, stored: Stored, now: datetime, accept: bool, actor: str) -> tuple[tuple[str, ...], datetime]:
        if stored.metadata_url is None:
            raise MetadataError("the connection has no metadata address")
        current = parse(stored.kind, stored.settings)
        assert isinstance(current, Saml)
        document, _ = metadata_import.fetch(self._web, stored.metadata_url)
        pinned = stored.metadata_certificate
        found = metadata_import.read(document, current.entity_id, now, signed_with=pinned, current=current)
        believed = accept or pinned is not None
        settings = metadata_import.judge(current, found, now, believed=believed)
        if settings:
            connecting.change(self._engine, _no_vault, stored.tenant_id, stored.name, Change(settings=settings), actor)
        return tuple(sorted(settings)), metadata_import.next_time(found, now)

    def _note(self, stored: Stored, now: datetime, again: datetime, failure: str | None) -> None:
        with reading(self._engine) as conn:
            connections.note_refresh(conn, stored.tenant_id, stored.id, now, again, failure)


def unknown_key(engine: sa.Engine, tell: Callable[[], None], connection_id: str) -> None:
    """An answer was signed with a key that is not known: have the metadata read, at most once a minute.

    The answer itself is refused, and nobody waits: a forged one would make us wait as well. `tell` wakes a worker.
    """
    with reading(engine) as conn:
        asked = connections.ask_refresh(conn, connection_id, FLOOR_SECONDS)
    if asked:
        tell()


def _no_vault() -> Vault:
    raise AssertionError("metadata holds no secret")
