"""What the console's handlers share in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from app.adapters.connections import Connections
from app.adapters.pace import Pace
from app.adapters.sign_in import SignInDesk
from app.settings import Settings
from app.store.vault import Vault
from sso.arriving import Arrivals
from sso.web import Web


@dataclass(frozen=True, slots=True)
class Desk:
    """`vault` raises SettingsError where no secret key is set. `wake` is called after COMMIT with a job's name."""

    engine: sa.Engine
    settings: Settings
    vault: Callable[[], Vault]
    connections: Connections
    sign_in: SignInDesk
    arrivals: Arrivals
    web: Web
    wake: Callable[[str], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pace: Pace = field(default_factory=lambda: Pace(clock=lambda: time.monotonic() / 60))  # by the minute

    @property
    def public_url(self) -> str:
        return self.settings.public_url

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return self.clock()
