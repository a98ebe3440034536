"""Log lines: one JSON object each, on standard error.

No person's data: a path is logged as its template, without query.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import orjson
import structlog


class _StandardError:
    """Whatever `sys.stderr` is when a line is written."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_RENDER: Final[list[Any]] = [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(_dumps)]
_HANDLER: Final = logging.StreamHandler(_StandardError())
_HANDLER.setFormatter(
    structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_RENDER],
    )
)


def set_up(level: str) -> None:
    """Sends structlog's and the standard library's lines the same way. Libraries below a warning are silent."""
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[*_SHARED, *_RENDER],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),  # type: ignore[arg-type]
    )
    root = logging.getLogger()
    root.setLevel(max(number, logging.WARNING))
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
