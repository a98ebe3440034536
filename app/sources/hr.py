"""An HR or CRM record becomes a write: what it says in the account's terms, and whether the person is there today.

    record ──schema──▶ checked ──┬─ values     attribute -> value or EMPTY; silence has no key
                                 ├─ managers   None: silent, (): none
                                 ├─ active     status as it is today; the dates can only take access away
                                 └─ withheld   restricted: the record goes on saying what it said before

The status is the source's word for today. A first day in the future or a last day that is over make the person inactive
whatever the status says. A last day before the first one belongs to an earlier employment and ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from marshmallow import ValidationError

from app.identity.folding import fold
from app.identity.model import EMPTY, ManagerRef, Source
from app.identity.ownership import mapped
from app.identity.writes import RecordWrite, Spoken
from app.sources.schema import RECORD, TEXTS, unknown_fields

# ADP ends people who stay on 2099-12-31, SuccessFactors and others on 9999-12-31.
NO_END: Final = date(2099, 1, 1)

# Folded, without spaces, hyphens and underscores -> (employmentStatus, whether the person is there).
_STATUSES: Final[Mapping[str, tuple[str, bool]]] = {
    "active": ("active", True),
    "leave": ("leave", True),
    "onleave": ("leave", True),
    "pending": ("pending", False),
    "prehire": ("pending", False),
    "suspended": ("suspended", False),
    "inactive": ("inactive", False),
    "terminated": ("terminated", False),
    "left": ("terminated", False),
    "retired": ("retired", False),
}
STATUSES: Final = tuple(sorted({name for name, _ in _STATUSES.values()}))

# Who says that there are no addresses at all says it of these types.
_TYPES: Final = {
    "emails": ("work", "home", "other"),
    "phones": ("work", "mobile", "home", "other"),
    "addresses": ("work", "home", "other"),
}
_FAMILIES: Final = {"emails": "emails", "phones": "phoneNumbers", "addresses": "addresses"}
_SHORT: Final = {"email": "emails", "phone": "phones", "address": "addresses", "location": "addresses"}


@dataclass(frozen=True, slots=True)
class RecordError:
    """What is wrong with one record. `index` counts from 0; `field` is a path, or ""."""

    index: int
    id: str | None
    field: str
    message: str


class Invalid(ValueError):
    """Records that cannot be taken. Nothing was done with any of them."""

    def __init__(self, errors: Sequence[RecordError]) -> None:
        super().__init__("\n".join(_sentence(error) for error in errors))
        self.errors = tuple(errors)


def load(records: Sequence[Any], source: Source, now: datetime) -> list[RecordWrite]:
    """The writes for these records, in their order.

    Raises:
        Invalid: a record is wrong, or two have the same id; all errors of all records.
    """
    writes: list[RecordWrite] = []
    errors: list[RecordError] = []
    first: dict[str, int] = {}
    for index, record in enumerate(records):
        try:
            write = to_write(source, record, now)
        except ValidationError as error:
            found = ((path, message) for path, message in _flat(error.normalized_messages()))
            errors += [RecordError(index, _id_of(record), path, message) for path, message in found]
            continue
        key = write.source_key or ""
        if key in first:
            message = f"The record at index {first[key]} has the same id."
            errors.append(RecordError(index, key, "id", message))
        first.setdefault(key, index)
        writes.append(write)
    if errors:
        raise Invalid(errors)
    return writes


def to_write(source: Source, record: Any, now: datetime) -> RecordWrite:
    """One record as a write; `now` decides whether its days have come.

    Raises:
        marshmallow.ValidationError: the record is wrong.
    """
    said = _checked(record)
    values: dict[str, Any] = {name: _value(said[name]) for name in (*TEXTS, "timezone") if name in said}
    values.update(_dates(said))
    status, active = _standing(said, source, now)
    if status is not None:
        values["employmentStatus"] = status
    values.update(_typed(said))
    withheld = _withheld(record, said, active=active)
    spoken = Spoken(active=active, values=values, managers=_managers(said, source), withheld=withheld)
    due_at = _due(said, now)
    return RecordWrite(source_id=source.id, spoken=spoken, document=record, source_key=said["id"], due_at=due_at)


def drift(records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Path that no field knows -> number of records that have it, sorted by path."""
    times: dict[str, int] = {}
    for record in records:
        for path in unknown_fields(record):
            times[path] = times.get(path, 0) + 1
    return dict(sorted(times.items()))


def _checked(record: Any) -> dict[str, Any]:
    restricted = _restricted(record)
    heard = {name: value for name, value in record.items() if name not in restricted} if restricted else record
    for path in restricted:
        name, _, kind = path.partition(".")
        if kind and isinstance(heard.get(name), dict):
            heard = {**heard, name: {key: value for key, value in heard[name].items() if key != kind}}
    said: dict[str, Any] = RECORD.load(heard)
    return said


def _restricted(record: Any) -> frozenset[str]:
    named = record.get("restricted") if isinstance(record, dict) else None
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        return frozenset()  # the schema says what is wrong
    for name in named:
        family, _, kind = name.partition(".")
        if family not in RECORD.fields or (kind and family not in _TYPES) or family in ("id", "restricted"):
            raise ValidationError(f"No field that can be restricted is named {name!r}.", "restricted")
    return frozenset(named)


def _withheld(record: Mapping[str, Any], said: Mapping[str, Any], *, active: bool) -> frozenset[str]:
    """What the record goes on saying: restricted fields, and its state where nothing tells the present one."""
    withheld = {_attribute(path) for path in _restricted(record)} - {"employmentStatus"}
    if active and "status" not in said and ("endDate" not in said or "status" in _restricted(record)):
        # Silence cannot be taken for "works here": it would revive who left.
        withheld |= {"active", "employmentStatus"}
    return frozenset(withheld)


def _attribute(path: str) -> str:
    """The attribute or family that a field feeds: ``phones.home`` -> ``phoneNumbers.home``."""
    family, dot, kind = path.partition(".")
    if family in _SHORT:
        return f"{_FAMILIES[_SHORT[family]]}.work"
    names = {**_FAMILIES, "status": "employmentStatus", "managers": "manager"}
    return f"{names.get(family, family)}{dot}{kind}"


def _value(value: Any) -> Any:
    return EMPTY if value in (None, "") else value


def _dates(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "startDate" in said:
        yield "startDate", said["startDate"].isoformat() if said["startDate"] else EMPTY
    if "endDate" in said:
        end = _end(said)
        yield "endDate", end.isoformat() if end else EMPTY


def _end(said: Mapping[str, Any]) -> date | None:
    end, start = said.get("endDate"), said.get("startDate")
    if end is None or end >= NO_END or (start is not None and end < start):
        return None
    return end if isinstance(end, date) else None


def _standing(said: Mapping[str, Any], source: Source, now: datetime) -> tuple[str | None, bool]:
    """(employmentStatus or None for silence, whether the person is there today)."""
    status, active = _status(said["status"], source) if "status" in said else (None, True)
    today = now.astimezone(_zone(said)).date()
    end, start = _end(said), said.get("startDate")
    if active and end is not None and end < today:
        return "terminated", False
    if active and start is not None and start > today:
        return "pending", False
    return status, active


def _due(said: Mapping[str, Any], now: datetime) -> datetime | None:
    """The next instant at which a day of the record begins to count: the first day's start, the last day's end."""
    end, start = _end(said), said.get("startDate")
    days = [day for day in (start, None if end is None else end + timedelta(days=1)) if day is not None]
    instants = [datetime.combine(day, time.min, _zone(said)).astimezone(UTC) for day in days]
    return min((instant for instant in instants if instant > now), default=None)


def _zone(said: Mapping[str, Any]) -> ZoneInfo:
    """The person's zone; a day without one is UTC's."""
    return ZoneInfo(said.get("timezone") or "UTC")


def _status(code: str, source: Source) -> tuple[str, bool]:
    for word in (code, mapped("employmentStatus", code, source)):
        known = _STATUSES.get(fold(str(word)).translate(_JOINTS))
        if known is not None:
            return known
    message = f"No such status: {code[:80]!r}. Known are {', '.join(STATUSES)}, and what a value map leads to them."
    raise ValidationError(message, "status")


_JOINTS: Final = str.maketrans("", "", " -_")


def _typed(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for full, types in _TYPES.items():
        if full in said:
            values = said[full] if said[full] is not None else dict.fromkeys(types)
            yield from ((f"{_FAMILIES[full]}.{kind}", _place(value)) for kind, value in values.items())
    for short, full in _SHORT.items():
        if short in said:
            value = {"formatted": said[short]} if short == "location" and said[short] else said[short]
            yield f"{_FAMILIES[full]}.work", _place(value)


def _place(value: Any) -> Any:
    if isinstance(value, dict):
        value = {part: text for part, text in value.items() if text}
    return value or EMPTY


def _managers(said: Mapping[str, Any], source: Source) -> tuple[ManagerRef, ...] | None:
    if "managers" in said:
        named = [one for one in said["managers"] or () if one]
    elif "manager" in said:
        named = [{"primary": True, **said["manager"]}] if said["manager"] else []
    else:
        return None
    return tuple(_reference(one, index, source) for index, one in enumerate(named))


def _reference(named: Mapping[str, Any], index: int, source: Source) -> ManagerRef:
    keys: list[tuple[str, str]] = []
    if named.get("id"):
        keys.append((f"key:{source.id}", named["id"]))
    if named.get("employeeNumber") and source.employee_namespace:
        keys.append((f"employee:{source.employee_namespace}", fold(named["employeeNumber"])))
    if named.get("email"):
        keys.append(("email", fold(named["email"])))
    if not keys:
        message = "The employee numbers of this source are not trusted: name the manager by email or id."
        raise ValidationError({"managers": {index: [message]}})
    return ManagerRef(tuple(keys), kind=named.get("kind", "line"), primary=named.get("primary", False))


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name in ("_schema", "value", "key") else str(name)
            yield from _flat(inner, ".".join(filter(None, (path, step))))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, str(messages)


def _id_of(record: Any) -> str | None:
    found = record.get("id") if isinstance(record, dict) else None
    return found if isinstance(found, str) else None


def _sentence(error: RecordError) -> str:
    who = f"record {error.index + 1}" + (f" (id {error.id})" if error.id else "")
    return f"{who}: {error.field}: {error.message}" if error.field else f"{who}: {error.message}"
