"""Log lines: one JSON object each, on standard error.

No person's data and no secret: a path is logged as its template, without query; a failure by its lines of code, without
the values in them.
"""

from __future__ import annotations

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer


class _StandardError:
    """Whatever `sys.stderr` is when a line is written."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)


def _with_request_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    request_id = REQUEST_ID.get()
    return event if request_id is None else {**event, "request_id": request_id}


_SHARED: Final[list[Any]] = [
    _with_request_id,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_LINE: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
_level = logging.INFO
_DETAIL: Final = re.compile(r"\nDETAIL:.*?(?=\n\[SQL|\nCONTEXT:|\nHINT:|\Z)", re.DOTALL)


def _without_detail(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """What PostgreSQL adds to an error quotes the row."""
    found = event.get("exception")
    for one in found if isinstance(found, list) else ():
        one["exc_value"] = _DETAIL.sub("", one["exc_value"])
    return event


# The structure of the library's own choice would hold every local variable: tokens, cookies, whole forms.
_TRACES: Final = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
_RENDER: Final[list[Any]] = [_TRACES, _without_detail, structlog.processors.JSONRenderer(_dumps)]
_HANDLER: Final = logging.StreamHandler(_StandardError())
_HANDLER.setFormatter(
    structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_RENDER],
    )
)


def request_ended(method: str, path: str, status: int, milliseconds: float) -> None:
    """The line of one request, whose id is in `REQUEST_ID`.

    Each request writes one: it is made here and not by the chain of processors, which costs five times as much.
    """
    if _level > logging.INFO:
        return
    line = {
        "method": method,
        "path": path,
        "status": status,
        "milliseconds": milliseconds,
        "event": "request",
        "request_id": REQUEST_ID.get(),
        "level": "info",
        "timestamp": datetime.now(UTC),
    }
    sys.stderr.write(orjson.dumps(line, option=_LINE).decode())
    sys.stderr.flush()


def set_up(level: str) -> None:
    """Sends structlog's and the standard library's lines the same way. Libraries below a warning are silent."""
    global _level
    number = _level = getattr(logging, level.upper())
    structlog.configure(
        processors=[*_SHARED, *_RENDER],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),  # type: ignore[arg-type]
    )
    root = logging.getLogger()
    root.setLevel(max(number, logging.WARNING))
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
