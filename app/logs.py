"""Log lines: one JSON object each, on standard error.

No person's data: a path is logged as its template, without query.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog


def set_up(level: str) -> None:
    """Sends structlog's and the standard library's lines the same way. Libraries below a warning are silent."""
    number = getattr(logging, level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    render: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.dict_tracebacks,
        structlog.processors.JSONRenderer(_dumps),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=render))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()
