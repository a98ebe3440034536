"""Query parameters, read strictly: an unknown, repeated or misspelt one is an error, never ignored.

A cursor is opaque to clients: it names the order of the pages and the last key of the page before.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.api.problems import INVALID_PARAMETER, Problem

MOST: Final = 500
NEWEST_POSSIBLE: Final = 2**63 - 1

Order = Literal["id", "change"]


def is_id(text: str) -> bool:
    """Whether it is a UUID in its usual form."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


class Whole(fields.Integer):
    """A whole number in decimal digits, and nothing that merely can be read as one."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        text = f"This must be a whole number from {least} to {most}."
        check = validate.Range(min=least, max=most, error=text)
        super().__init__(validate=check, error_messages={"invalid": text}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,19}", value):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class Parameters(Schema):
    """The parameters of one operation."""

    class Meta:
        unknown = RAISE


class Flag(fields.String):
    """true or false, in lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.OneOf(["true", "false"], error="This must be true or false."), **options)


def limit(default: int = 100) -> Whole:
    """How many a page holds at most."""
    description = "How many to answer at most."
    return Whole(least=1, most=MOST, load_default=default, metadata={"description": description})


def read(schema: Schema) -> dict[str, Any]:
    """The request's query parameters.

    Raises:
        Problem: invalid-parameter, with every wrong one.
    """
    errors = [
        {"parameter": name, "message": "This is there more than once."}
        for name, values in request.args.lists()
        if len(values) > 1
    ]
    found: dict[str, Any] = {}
    try:
        found = schema.load(request.args.to_dict())
    except ValidationError as error:
        errors += list(_wrong(error.normalized_messages(), schema))
    if errors:
        detail = "; ".join(f"{one['parameter'][:100]}: {one['message']}" for one in errors)
        raise Problem(INVALID_PARAMETER, detail, errors=errors)
    return found


def cursor(order: Order, key: str | int) -> str:
    """An opaque cursor behind `key`."""
    return base64.urlsafe_b64encode(f"{order}:{key}".encode()).decode().rstrip("=")


def read_cursor(text: str, order: Order) -> str:
    """The key in a cursor of this order: a UUID for `id`, digits for `change`.

    Raises:
        Problem: invalid-parameter.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        found, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
        if found == order and (str(uuid.UUID(key)) if order == "id" else str(_number(key))) == key:
            return key
    except ValueError:
        pass
    message = "This is no cursor of these pages: send `next` of the answer before, with the same other parameters."
    raise Problem(INVALID_PARAMETER, f"cursor: {message}", errors=[{"parameter": "cursor", "message": message}])


def _number(key: str) -> int:
    number = int(key)
    if not 0 <= number <= NEWEST_POSSIBLE:
        raise ValueError(key)
    return number


def _wrong(messages: Mapping[str, Any], schema: Schema) -> Iterator[dict[str, str]]:
    known = sorted(field.data_key or name for name, field in schema.fields.items())
    for name, found in messages.items():
        if name not in known:
            found = [f"There is no such parameter; there are {', '.join(known)}."]
        yield {"parameter": str(name), "message": " ".join(map(str, found))}
