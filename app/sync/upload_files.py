"""What is in an uploaded file, CSV or JSON: its records one by one, bounded.

text ─▶ records ─▶ what a plan stages for each
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.sources import csv_file, json_file
from app.sources.csv_file import FileError

MOST_BYTES: Final = 15 * 1024 * 1024
MOST_RECORDS: Final = 100_000


def text_of(content: bytes) -> str:
    """The file's text.

    Raises:
        FileError: it is too large, not UTF-8, or holds what is no text.
    """
    if len(content) > MOST_BYTES:
        raise FileError([f"The file is larger than {MOST_BYTES // 1024 // 1024} MB: split it."])
    text = csv_file.decoded(content)
    if "\x00" in text:
        raise FileError(["The file holds NUL characters: it is no text. Export it as UTF-8."])
    return text


def records_of(text: str) -> Iterator[Any]:
    """The records in their order. What is wrong with a CSV file's lines is raised at its end: keep nothing before.

    Raises:
        FileError: it cannot be read, or has too many.
    """
    found = iter(json_file.read(text)) if is_json(text) else csv_file.stream(text)
    for number, record in enumerate(found):
        if number >= MOST_RECORDS:
            raise FileError([f"The file has more than {MOST_RECORDS:,} records: split it."])
        yield record


def is_json(text: str) -> bool:
    """Whether it is a JSON file; a CSV file begins with a column's name."""
    return text.lstrip()[:1] in ("[", "{")


def about(text: str) -> int:
    """How many records there are, roughly: for the progress that is shown."""
    return text.count('"id"') if is_json(text) else max(0, text.rstrip().count("\n"))


def staged(record: Any) -> dict[str, Any]:
    """What a plan keeps of a record until it is looked at."""
    key = record["id"].strip()
    return {"key": key, "name": key, "record": record}
