"""Kept SCIM requests are carried out here, through the same doors, one at a time for each source and in their order.

    claim ─▶ scim.asynchronous ─▶ ScimStore ─▶ write door (the audit entry carries the transaction)
      │                                            └─▶ completion: audit entry and deletion in one transaction
      │                                            └─▶ deferred_log: what it did, in the provisioning log
      └─ an earlier attempt was cut off: what the audit says it did is answered from there, and not done again

So each operation takes effect once: the mark of its effect is written in the effect's own transaction.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa
import structlog

from app.adapters import deferred_log
from app.adapters.doorkeeper import features_of
from app.adapters.registries import Registries
from app.adapters.scim_store import ScimStore
from app.provisioning import new_id
from app.store import async_requests as store
from app.store.async_requests import COMPLETED, Kept
from app.store.audit import Entry
from app.store.engine import reading, writing
from scim import asynchronous, events
from scim.asynchronous import Once
from scim.errors import Forbidden
from scim.resources import Answer, Resources, Verbs
from scim.schemas import SCHEMAS
from scim.store import Features, Kind, Later, Limits

JOB_SECONDS: Final = 20.0
ATTEMPTS: Final = 5
AGAIN_AFTER: Final = timedelta(seconds=5)
_DONE: Final = {"created": "create", "updated": "update", "deleted": "delete"}
_log = structlog.get_logger("scim")


class LostError(Exception):
    """Another worker has taken the request over."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Carries out what was kept. `base_url` is that of the SCIM service; `tell` is called after each completion."""

    engine: sa.Engine
    base_url: str
    tell: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    registries: Registries = field(default_factory=Registries)

    def drain(self) -> None:
        """Carry out what is due, for some seconds: what is left is for the next call."""
        end, worker = time.monotonic() + JOB_SECONDS, new_id()
        while time.monotonic() < end:
            with reading(self.engine) as conn:
                kept = store.claim(conn, worker, self.now())
            if kept is None:
                return
            try:
                self._carry_out(kept, worker)
            except LostError:
                continue

    def _carry_out(self, kept: Kept, worker: str) -> None:
        with reading(self.engine) as conn:
            schemas = self.registries.of(conn, kept.tenant_id, kept.tenant_revision)
        features = features_of(kept.tenant_settings, kept.source_id, schemas)
        deferred_log.begin(kept, schemas)
        results = asynchronous.carry_out(
            _later(kept),
            Resources(self._store(kept, features, kept.txn), Limits(), self.base_url),
            self._through(kept, worker, features),
            _surprised,
        )
        if len(results) == 1 and results[0]["status"] == "503" and kept.attempts < ATTEMPTS:
            with reading(self.engine) as conn:
                store.later(conn, kept, worker, self.now() + AGAIN_AFTER)
            return
        entries = [self._entry(kept, place, result) for place, result in enumerate(results)]
        with writing(self.engine) as conn:
            if not store.complete(conn, kept, worker, entries, self.now()):
                raise LostError
        self.tell()
        deferred_log.end(self.engine, kept, results)

    def _through(self, kept: Kept, worker: str, features: Features) -> Callable[[int], Verbs]:
        done = self._done(kept, features) if kept.attempts > 1 else {}

        def through(index: int) -> Verbs:
            with reading(self.engine) as conn:
                if not store.keep_claim(conn, kept, worker):
                    raise LostError
            if kept.source_state != "active":
                raise Forbidden(f"The source {kept.source} is {kept.source_state}: it takes no requests.")
            txn = _txn(kept, index)
            return Once(Resources(self._store(kept, features, txn), Limits(), self.base_url), done.get(txn, {}))

        return through

    def _store(self, kept: Kept, features: Features, txn: str) -> ScimStore:
        made = kept.resource_id if kept.method == "POST" else None
        actor = f"scim:{kept.source}"
        return ScimStore(self.engine, kept.tenant_id, kept.source_id, actor, features, txn=txn, new_id=made)

    def _done(self, kept: Kept, features: Features) -> dict[str, dict[str, Answer]]:
        """What earlier attempts did: transaction -> verb -> the answer that it had."""
        found: dict[str, dict[str, Answer]] = defaultdict(dict)
        with reading(self.engine) as conn:
            rows = store.done(conn, kept)
        for row in rows:
            thing, _, change = row.action.partition(".")
            if thing in ("record", "group") and change in _DONE:
                kind: Kind = "Group" if thing == "group" else "User"
                answer = self._answer(kind, change, row.facts, features)
                found[row.facts["txn"]].setdefault(_DONE[change], answer)
        return found

    def _answer(self, kind: Kind, change: str, facts: Mapping[str, Any], features: Features) -> Answer:
        if change == "deleted":
            return Answer(204)
        id = facts["group" if kind == "Group" else "record"]
        silent = features.user_patch_answers_204 if kind == "User" else features.group_patch_answers_204
        status = 201 if change == "created" else 204 if silent and facts["method"] == "PATCH" else 200
        return Answer(status, b"", self.base_url + events.uri_of(kind, id), facts["version"], id)

    def _entry(self, kept: Kept, index: int, result: Mapping[str, Any]) -> Entry:
        """The answer may name people: it stands where it can be erased."""
        facts = {
            "request": kept.id,
            "txn": _txn(kept, index),
            "source": kept.source_id,
            "uri": self._uri(kept, result.get("location", "")),
            "status": result["status"],
        }
        return Entry(f"scim:{kept.source}", COMPLETED, kept.resource_id or "", facts, {"result": dict(result)})

    def _uri(self, kept: Kept, location: str) -> str:
        """The resource, of a POST the one that was to be made; /Bulk for an operation that led to none."""
        if kept.kind and kept.resource_id:
            return events.uri_of(cast("Kind", kept.kind), kept.resource_id)
        uri = location.removeprefix(self.base_url) if location.startswith(f"{self.base_url}/") else ""
        endpoints = {SCHEMAS.of(kind).endpoint for kind in ("User", "Group")}
        return uri if any(uri.startswith(f"{endpoint}/") for endpoint in endpoints) else "/Bulk"


def _txn(kept: Kept, index: int) -> str:
    """RFC 9967 §2.5.1.2: an operation of Bulk is told by its place."""
    return kept.txn if kept.kind else f"{kept.txn}:{index}"


def _later(kept: Kept) -> Later:
    return Later(kept.method, cast("Kind | None", kept.kind), kept.resource_id, kept.body, kept.conditions)


def _surprised(error: Exception) -> None:
    """A failure of the database, or a lost claim, is not the request's: it is tried again from where it stood."""
    if isinstance(error, (LostError, sa.exc.OperationalError, sa.exc.TimeoutError)):
        raise error
    _log.error("asynchronous request failed", error=type(error).__name__)
