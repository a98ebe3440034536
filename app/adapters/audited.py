"""An administrator's act on sign-in: one transaction under the tenant's rules, with its audit entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from app import provisioning
from app.identity.decide import Decision
from app.identity.model import Rules
from app.store.audit import Entry

T = TypeVar("T")


def audited(
    engine: sa.Engine,
    tenant_id: str,
    act: Callable[[sa.Connection], tuple[T, Sequence[Entry]]],
    *,
    alone: bool = False,
) -> T:
    """Run `act`, which says what it did; again when it lost a race. `alone`: it changes the tenant's rules.

    Raises:
        BusyError: the locks were not to be had in time.
    """

    def once(conn: sa.Connection, rules: Rules) -> T:
        result, entries = act(conn)
        if entries:
            provisioning.save(conn, tenant_id, Decision(), rules, entries[0].actor, datetime.now(UTC), entries)
        return result

    return provisioning.in_transaction(engine, tenant_id, once, alone=alone)
