"""The shape of an HR or CRM record, and what in a record no field knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

LONGEST_TEXT: Final = 1024
LONGEST_KEY: Final = 256  # of what is looked up: ids, numbers, addresses
LONGEST_PATH: Final = 200
MOST_MANAGERS: Final = 50
MANAGER_KINDS: Final = ("line", "matrix", "functional")
ADDRESS_PARTS: Final = ("formatted", "streetAddress", "locality", "region", "postalCode", "country")

# One text each, under the account's own name for it.
TEXTS: Final[Mapping[str, str]] = {
    "userName": "Login name.",
    "displayName": "Name as shown.",
    "formattedName": "Full name, as written out.",
    "givenName": "Given name.",
    "middleName": "Middle name.",
    "familyName": "Family name.",
    "honorificPrefix": "Title before the name.",
    "honorificSuffix": "Suffix after the name.",
    "nickName": "Nickname.",
    "profileUrl": "Address of the person's profile page.",
    "title": "Job title, or the source's code for it.",
    "userType": "Kind of employment: employee, contractor.",
    "preferredLanguage": "Language, as in an Accept-Language header.",
    "locale": "Locale: de-CH.",
    "employeeNumber": "Employee number, in the numbering that the source declares.",
    "costCenter": "Cost centre.",
    "organization": "Organisation.",
    "division": "Division.",
    "department": "Department, or the source's code for it.",
}

_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
_TYPE: Final = validate.Regexp(r"[A-Za-z][A-Za-z0-9_-]{0,31}\Z", error="A type is a short word: work, home, mobile.")


class Text(fields.String):
    """Text and nothing else; what surrounds it is cut off. Numbers are refused: 00123 is not 123."""

    default_error_messages = {  # noqa: RUF012
        "invalid": "This must be text (in quotation marks).",
        "null": "This must not be null.",
        "required": "This is missing.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return value.strip()


def _text(description: str, *checks: Any, longest: int = LONGEST_TEXT, **options: Any) -> Text:
    length = validate.Length(max=longest, error=f"This is longer than {longest} characters.")
    options.setdefault("allow_none", True)
    return Text(validate=[length, *checks], metadata={"description": description}, **options)


def _longest(name: str) -> int:
    return LONGEST_KEY if name in ("employeeNumber", "userName") else LONGEST_TEXT


def _is_email(value: str) -> None:
    if value and not _ADDRESS.fullmatch(value):
        raise ValidationError("This is not an e-mail address.")


def _is_timezone(value: str) -> None:
    if not value:
        return
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValidationError("There is no such time zone; names are like Europe/Zurich.") from None


class Day(fields.Date):
    """A calendar day, YYYY-MM-DD."""

    default_error_messages = {"invalid": "This must be a date as YYYY-MM-DD, in quotation marks."}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value, obj_type="date")
        if not value.strip():
            return None
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
            raise self.make_error("invalid", input=value, obj_type="date")
        return super()._deserialize(value.strip(), attr, data, **kwargs)


class _Part(Schema):
    """An object inside a record: what it does not know is reported, not refused."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "This must be an object."}  # noqa: RUF012


class AddressSchema(_Part):
    """A postal address."""

    formatted = _text("All of it, as written on an envelope.")
    streetAddress = _text("Street and number.")  # noqa: N815
    locality = _text("Town.")
    region = _text("State or region.")
    postalCode = _text("Postal code.")  # noqa: N815
    country = _text("Country, as ISO 3166-1 alpha-2.")


class ManagerSchema(_Part):
    """A manager, named by one or more of employeeNumber, email, and id in the same source."""

    employeeNumber = _text("The manager's employee number.", longest=LONGEST_KEY, allow_none=False)  # noqa: N815
    email = _text("The manager's work address.", _is_email, longest=LONGEST_KEY, allow_none=False)
    id = _text("The manager's id in this source.", longest=LONGEST_KEY, allow_none=False)
    kind = _text(
        "How the manager leads.",
        validate.OneOf(MANAGER_KINDS, error=f"This must be one of {', '.join(MANAGER_KINDS)}."),
        allow_none=False,
    )
    primary = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether this one is the primary manager."},
        error_messages={"invalid": "This must be true or false.", "null": "This must be true or false."},
    )

    @validates_schema
    def _is_named(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        if not any(data.get(key) for key in ("employeeNumber", "email", "id")):
            raise ValidationError("A manager is named by employeeNumber, email or id.")


class ManagerField(fields.Field[Any]):
    """One manager: an object, or as text an employee number or (with an @) an address."""

    default_error_messages = {"invalid": "A manager is an object, or a number or address as text."}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, str):
            name = value.strip()
            return _MANAGER.load({"email" if "@" in name else "employeeNumber": name}) if name else None
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return _MANAGER.load(value)


_MANAGER: Final = ManagerSchema()


def _by_type(value: fields.Field[Any], description: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(validate=_TYPE),
        values=value,
        allow_none=True,
        metadata={"description": description},
        error_messages={"invalid": "This must be an object: type and value."},
    )


_Texts = Schema.from_dict({name: _text(about, longest=_longest(name)) for name, about in TEXTS.items()})


class RecordSchema(_Texts):  # type: ignore[misc, valid-type]
    """The present state of one person in an HR system or CRM.

    A missing key is silence, null or "" is an empty value; what `restricted` names stays as it was.
    """

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "A record must be an object."}  # noqa: RUF012

    id = _text(
        "The person's id in the source; it never changes.",
        validate.Length(min=1, error="This is empty."),
        longest=LONGEST_KEY,
        required=True,
        allow_none=False,
    )
    status = _text(
        "Employment status as it is today, or a code that the source's value map for employmentStatus knows. "
        "Without it and endDate the person stays as before; somebody new works here.",
        allow_none=False,
    )
    startDate = Day(allow_none=True, metadata={"description": "First day. Access starts with it."})  # noqa: N815
    endDate = Day(  # noqa: N815
        allow_none=True,
        metadata={"description": "Last day. Access ends after it, in `timezone`, else UTC. 2099 and later: no end."},
    )
    timezone = _text("Time zone of the person: Europe/Zurich.", _is_timezone)
    email = _text("Work address: short for emails.work.", _is_email, longest=LONGEST_KEY)
    emails = _by_type(
        _text("An address.", _is_email, longest=LONGEST_KEY), "E-mail addresses by type (work, home, other)."
    )
    phone = _text("Work telephone: short for phones.work.")
    phones = _by_type(_text("A number."), "Telephone numbers by type (work, mobile, home, other).")
    location = _text("Where the person works, in words: short for addresses.work.formatted.")
    address = fields.Nested(
        AddressSchema, allow_none=True, metadata={"description": "Postal address at work: short for addresses.work."}
    )
    addresses = _by_type(fields.Nested(AddressSchema, allow_none=True), "Postal addresses by type (work, home, other).")
    manager = ManagerField(allow_none=True, metadata={"description": "The one line manager: short for managers."})
    managers = fields.List(
        ManagerField(),
        allow_none=True,
        validate=validate.Length(max=MOST_MANAGERS, error=f"More than {MOST_MANAGERS} managers."),
        metadata={"description": "All managers. null or []: there is none."},
        error_messages={"invalid": "This must be a list."},
    )
    restricted = fields.List(
        Text(),
        metadata={
            "description": "Fields that the source's key may not read: nothing is said about them, what was said stays."
        },
        error_messages={"invalid": "This must be a list of field names.", "null": "This must be a list."},
    )

    @validates_schema
    def _is_said_once(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        pairs = (("email", "emails"), ("phone", "phones"), ("address", "addresses"), ("location", "addresses"))
        for short, full in pairs:
            if short in data and "work" in (data.get(full) or {}):
                raise ValidationError(f"{short} and {full}.work say the same: send one of them.", short)
        for short, full in (("manager", "managers"), ("location", "address")):
            if short in data and full in data:
                raise ValidationError(f"{short} and {full} say the same: send one of them.", short)


RECORD: Final = RecordSchema()


def unknown_fields(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths that arrived and no field knows, sorted: ``badgeColour``, ``managers.room``."""
    return tuple(sorted({*_strangers("", record, RECORD), *_inside(record)}))


def _inside(record: Mapping[str, Any]) -> Iterator[str]:
    managers = record.get("managers")
    for one in [record.get("manager"), *(managers if isinstance(managers, list) else ())]:
        yield from _strangers("managers.", one, _MANAGER)
    addresses = record.get("addresses")
    places = list(addresses.values()) if isinstance(addresses, dict) else []
    for one in [record.get("address"), *places]:
        yield from _strangers("addresses.", one, _PLACE)


def _strangers(prefix: str, found: object, schema: Schema) -> Iterator[str]:
    if isinstance(found, dict):
        yield from (
            f"{prefix}{name}"[:LONGEST_PATH] for name in cast("dict[str, Any]", found) if name not in schema.fields
        )


_PLACE: Final = AddressSchema()
