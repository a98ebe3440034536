"""One push on its way to the write door: applied at once, planned only, or held for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.identity.model import Source
from app.identity.writes import Outcome, RecordWrite
from app.provisioning import provision


@dataclass(frozen=True, slots=True)
class Held:
    """A guard stopped the push. `run_id` holds its plan (None after a dry run); `reason` is a sentence."""

    run_id: str | None
    reason: str


def push(
    engine: sa.Engine,
    tenant_id: str,
    source: Source,
    writes: Sequence[RecordWrite],
    *,
    actor: str,
    dry_run: bool,
) -> Sequence[Outcome] | Held:
    """What became of the writes, in their order; in a dry run what would.

    Raises:
        RefusedError: nothing was changed.
    """
    return provision(engine, tenant_id, writes, actor=actor, dry_run=dry_run)
