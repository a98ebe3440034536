"""A JSON file becomes records: a list of them, or the body of a push, {"records": [...]}."""

from __future__ import annotations

import json
from typing import Any

import orjson

from app.sources.csv_file import FileError


def read(text: str) -> list[Any]:
    """The records of a file's text, in their order.

    Raises:
        FileError: it is not JSON, no list of records, or an id is there twice.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileError([f"line {error.lineno}: this is not JSON: {error.msg} (column {error.colno})."]) from None
    except (RecursionError, ValueError):
        raise FileError(["The file is nested too deep, or a number has too many digits."]) from None
    records = found.get("records") if isinstance(found, dict) else found
    if not isinstance(records, list):
        raise FileError(['The file must hold a list of records, or {"records": [...]}.'])
    if not records:
        raise FileError(["The file has no record: that is an error of the export, not that everybody left."])
    _check_kept(records)
    _check_ids(records)
    return records


def _check_kept(records: list[Any]) -> None:
    """Refuse what PostgreSQL cannot keep: halves of characters, NUL, numbers without an end."""
    try:
        text = orjson.dumps(records)
    except (TypeError, ValueError, RecursionError):
        raise FileError(
            ["The file holds text or numbers that cannot be kept: half a character, or too deep."]
        ) from None
    if b"\\u0000" in text:
        raise FileError(["The file holds NUL characters. Export it as UTF-8 text."])


def _check_ids(records: list[Any]) -> None:
    errors: list[str] = []
    seen: dict[Any, int] = {}
    for number, record in enumerate(records, start=1):
        key = record.get("id") if isinstance(record, dict) else None
        if not isinstance(record, dict):
            errors.append(f"record {number}: this is no object.")
        elif not isinstance(key, str) or not key.strip():
            errors.append(f"record {number}: the id is missing, or is no text.")
        elif key.strip() in seen:
            errors.append(f"record {number}: the id {key!r} is in record {seen[key.strip()]} already.")
        else:
            seen[key.strip()] = number
    if errors:
        raise FileError(errors)
