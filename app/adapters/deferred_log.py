"""The provisioning log of requests that are carried out later: their second entry, with what they did.

    202 ─▶ the entry "kept, to be carried out later"    carried out ─▶ begin … end ─▶ an entry with status and effect

It is written after the completion, in no transaction with it: like the rest of this log it explains the audit. What an
attempt did that was cut off stands in the audit alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
import structlog

from app.adapters import scim_notes
from app.adapters.scim_log_rows import Ended, row
from app.provisioning import new_id
from app.store import scim_requests
from app.store.async_requests import Kept
from app.store.engine import reading
from app.store.tenant_settings import value
from scim import events
from scim.schemas import SCHEMAS, Registry
from scim.store import Exchange, Kind

NAME: Final = "carried out later"  # in the place of the credential, which may be revoked by now
_log = structlog.get_logger("scim")


@dataclass(frozen=True, slots=True)
class _Caller:
    tenant_id: str
    tenant_settings: Mapping[str, Any]
    source_id: str
    name: str = NAME


def begin(kept: Kept, schemas: Registry) -> None:
    """From here on what is done in this thread is done for `kept`."""
    scim_notes.begin()
    scim_notes.caller(_Caller(kept.tenant_id, kept.tenant_settings, kept.source_id), schemas)


def end(engine: sa.Engine, kept: Kept, results: Sequence[Mapping[str, Any]]) -> None:
    """Write the entry. `results` are the completions' (RFC 7644 §3.7.3). A failure costs the entry and nothing else."""
    note = scim_notes.take()
    if note is None or not value(kept.tenant_settings, "scim.log_days"):
        return
    took = round((time.perf_counter() - note.began) * 1000, 1)
    ended = Ended(note, _exchange(kept, results), datetime.now(UTC), took, new_id())
    try:
        with reading(engine) as conn:
            scim_requests.insert(conn, orjson.dumps([row(ended)]).decode())
    except Exception as error:  # noqa: BLE001 - its message may quote what the log holds
        _log.warning("a SCIM request could not be logged", id=ended.id, error=type(error).__name__)


def _exchange(kept: Kept, results: Sequence[Mapping[str, Any]]) -> Exchange:
    """As if it had been answered now. What it sent stands in the first entry."""
    if kept.kind is None:
        return Exchange(kept.method, "/Bulk", b"", 200, orjson.dumps({"Operations": list(results)}), "")
    kind: Kind = "Group" if kept.kind == "Group" else "User"
    place = SCHEMAS.of(kind).endpoint if kept.method == "POST" else events.uri_of(kind, kept.resource_id or "")
    [result] = results
    return Exchange(kept.method, place, b"", int(result["status"]), orjson.dumps(result.get("response", {})), "")
