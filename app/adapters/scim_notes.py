"""What one SCIM request does, noted while it is under way. A note costs an append; nothing is worked out here.

began ─▶ caller (doorkeeper) ─▶ add (the store, once a change or read) ─▶ taken (at the end, for the log)
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from app.identity.writes import GroupOutcome, Outcome
from scim.filters import Filter
from scim.schemas import SCHEMAS, Registry
from scim.store import Kind

MOST_EFFECTS: Final = 100  # of one request: a Bulk request has a thousand


@dataclass(frozen=True, slots=True)
class Read:
    """A search and how many it found."""

    kinds: Sequence[Kind]
    filter: Filter | None
    total: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """What arrived and nobody understood."""

    paths: Sequence[str]


class Caller(Protocol):
    """For whom a request is made; `name` is that of the credential."""

    @property
    def tenant_id(self) -> str: ...
    @property
    def tenant_settings(self) -> Mapping[str, Any]: ...
    @property
    def source_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...


Effect = Outcome | GroupOutcome | Read | Ignored


@dataclass(slots=True)
class Note:
    """One request. `began` is `time.perf_counter()`'s; without a `caller` there is no tenant to log it for."""

    began: float
    caller: Caller | None = None
    schemas: Registry = SCHEMAS  # the caller's: what they hide is masked
    effects: list[Effect] = field(default_factory=list)
    more: int = 0


_CURRENT: Final[ContextVar[Note | None]] = ContextVar("scim_note", default=None)


def begin() -> None:
    """A new request begins in this thread."""
    _CURRENT.set(Note(time.perf_counter()))


def caller(known: Caller, schemas: Registry) -> None:
    """Its token is known."""
    note = _CURRENT.get()
    if note is not None:
        note.caller, note.schemas = known, schemas


def add(effect: Effect) -> None:
    """Something was changed or read. Where nobody keeps a log, nothing is noted."""
    note = _CURRENT.get()
    if note is None:
        return
    if len(note.effects) < MOST_EFFECTS:
        note.effects.append(effect)
    else:
        note.more += 1


def take() -> Note | None:
    """The note of the request that ends."""
    note = _CURRENT.get()
    _CURRENT.set(None)
    return note
