"""What a record says, and whether the person is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.identity.attributes import is_known
from app.identity.model import EMPTY, ManagerRef, Source, SourceKind
from app.identity.writes import RecordWrite
from app.sources import hr

WORKDAY = Source("0190-source", "workday", SourceKind.HRIS, "workday")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def said(source: Source = WORKDAY, now: datetime = NOON, **record: Any) -> RecordWrite:
    return hr.load([{"id": "p-1", **record}], source, now)[0]


def errors(*records: Any) -> list[tuple[int, str | None, str]]:
    with pytest.raises(hr.Invalid) as wrong:
        hr.load(records, WORKDAY, NOON)
    return [(error.index, error.id, error.field) for error in wrong.value.errors]


def test_a_full_record_in_the_accounts_terms() -> None:
    record = {
        "id": " p-1 ",
        "employeeNumber": "00123",
        "status": "Active",
        "startDate": "2020-01-01",
        "email": "Mia@Acme.test",
        "emails": {"home": "mia@home.test"},
        "phones": {"mobile": "+41 79 000 00 00"},
        "address": {"locality": "Bern", "country": "CH"},
        "title": "TRN-2",
        "timezone": "Europe/Zurich",
    }
    write = said(**record)
    assert write.source_key == "p-1"
    assert write.document == record
    assert write.spoken.active
    assert write.spoken.managers is None
    assert write.spoken.values == {
        "employeeNumber": "00123",
        "employmentStatus": "active",
        "startDate": "2020-01-01",
        "emails.work": "Mia@Acme.test",
        "emails.home": "mia@home.test",
        "phoneNumbers.mobile": "+41 79 000 00 00",
        "addresses.work": {"locality": "Bern", "country": "CH"},
        "title": "TRN-2",
        "timezone": "Europe/Zurich",
    }


def test_a_missing_key_is_silence_and_null_is_empty() -> None:
    assert said(status="active").spoken.values == {"employmentStatus": "active"}
    empty = said(title=None, department="  ", email=None, phone="", address={"locality": None}, endDate=None)
    assert empty.spoken.values == dict.fromkeys(
        ("title", "department", "emails.work", "phoneNumbers.work", "addresses.work", "endDate"), EMPTY
    )


def test_no_addresses_at_all_is_said_of_every_usual_type() -> None:
    values = said(emails=None, phones=None).spoken.values
    assert values["emails.work"] is EMPTY
    assert values["emails.home"] is EMPTY
    assert values["phoneNumbers.mobile"] is EMPTY
    assert said(emails={}).spoken.values == {}


def test_every_value_is_an_attribute_of_accounts() -> None:
    everything = dict.fromkeys(name for name in hr.TEXTS) | {"timezone": None, "emails": None, "phones": None}
    everything |= {"addresses": None, "startDate": None, "endDate": None, "status": "active"}
    assert [name for name in said(**everything).spoken.values if not is_known(name)] == []


def test_what_is_restricted_is_silence_whatever_stands_there() -> None:
    record = {
        "title": None,
        "emails": {"home": None, "work": "a@acme.test"},
        "managers": None,
        "restricted": ["title", "emails.home", "managers"],
    }
    write = said(**record)
    assert write.spoken.values == {"emails.work": "a@acme.test"}
    assert write.spoken.managers is None
    assert write.spoken.withheld >= {"title", "emails.home", "manager"}
    # A wrong name would let a null through.
    assert errors({"id": "1", "restricted": ["titel"]}) == [(0, "1", "restricted")]
    assert errors({"id": "1", "restricted": ["id"]}) == [(0, "1", "restricted")]


@pytest.mark.parametrize(
    ("record", "status", "active"),
    [
        ({}, None, True),
        ({"status": "ACTIVE"}, "active", True),
        ({"status": "On leave"}, "leave", True),
        ({"status": "pre-hire"}, "pending", False),
        ({"status": "Terminated"}, "terminated", False),
        ({"status": "retired"}, "retired", False),
        # The status is the word for today: a later last day does not keep alive whom HR ended.
        ({"status": "terminated", "endDate": "2027-01-31"}, "terminated", False),
        # Access ends after the last day …
        ({"status": "active", "endDate": "2026-11-25"}, "active", True),
        ({"status": "active", "endDate": "2026-11-24"}, "terminated", False),
        ({"endDate": "2026-11-24"}, "terminated", False),
        # … and starts with the first.
        ({"status": "active", "startDate": "2026-11-25"}, "active", True),
        ({"status": "active", "startDate": "2026-11-26"}, "pending", False),
        # Sentinels of systems that cannot say "none".
        ({"status": "active", "endDate": "2099-12-31"}, "active", True),
        ({"status": "active", "endDate": "9999-12-31"}, "active", True),
        # A rehired person may carry the last day of an earlier employment.
        ({"status": "active", "startDate": "2026-03-01", "endDate": "2025-12-31"}, "active", True),
    ],
)
def test_who_is_there_today(record: dict[str, Any], status: str | None, active: bool) -> None:
    spoken = said(**record).spoken
    assert spoken.active is active
    assert spoken.values.get("employmentStatus") == status


@pytest.mark.parametrize(
    ("record", "withheld"),
    [
        ({}, {"active", "employmentStatus"}),
        ({"status": None, "restricted": ["status"]}, {"active", "employmentStatus"}),
        ({"status": None, "endDate": None, "restricted": ["status"]}, {"active", "employmentStatus"}),
        ({"status": "active"}, set()),
        ({"endDate": None}, set()),  # a source that knows people by their dates alone
        ({"endDate": "2026-01-31"}, set()),
        ({"status": "active", "phones": None, "restricted": ["phones", "email"]}, {"phoneNumbers", "emails.work"}),
    ],
)
def test_silence_about_the_status_revives_nobody(record: dict[str, Any], withheld: set[str]) -> None:
    assert said(**record).spoken.withheld == withheld


def test_sentinels_are_no_end_date() -> None:
    assert said(endDate="2099-12-31").spoken.values["endDate"] is EMPTY
    assert said(endDate="2098-12-31").spoken.values["endDate"] == "2098-12-31"


def test_a_day_is_the_persons_own() -> None:
    evening = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # the 26th in Zurich, the 25th in New York
    assert not said(now=evening, endDate="2026-11-25", timezone="Europe/Zurich").spoken.active
    assert said(now=evening, endDate="2026-11-25", timezone="America/New_York").spoken.active
    assert said(now=evening, endDate="2026-11-25").spoken.active


def test_a_value_map_leads_from_codes_to_a_status() -> None:
    coded = replace(WORKDAY, value_maps={"employmentStatus": {"A": "active", "T": "terminated", "active": "At work"}})
    assert said(coded, status="A").spoken.active
    assert not said(coded, status="T").spoken.active
    # The voice keeps the word that is known; the LMS's own name for it comes from the same map, later.
    assert said(coded, status="active").spoken.values["employmentStatus"] == "active"
    assert errors({"id": "1", "status": "A"}) == [(0, "1", "status")]
    assert errors({"id": "1", "status": None}) == [(0, "1", "status")]


def test_managers_are_named_by_number_address_or_id() -> None:
    write = said(
        managers=[
            {"employeeNumber": "A-7 ", "email": "Boss@Acme.test", "kind": "matrix"},
            {"id": "p-9", "primary": True},
            "1002",
            "lead@acme.test",
        ]
    )
    assert write.spoken.managers == (
        ManagerRef((("employee:default", "a-7"), ("email", "boss@acme.test")), "matrix"),
        ManagerRef((("key:0190-source", "p-9"),), "line", primary=True),
        ManagerRef((("employee:default", "1002"),)),
        ManagerRef((("email", "lead@acme.test"),)),
    )
    assert said(manager="1002").spoken.managers == (ManagerRef((("employee:default", "1002"),), primary=True),)
    assert said(manager=None).spoken.managers == ()
    assert said(managers=[]).spoken.managers == ()
    assert said(managers=None).spoken.managers == ()


def test_a_source_without_numbers_of_its_own_names_managers_otherwise() -> None:
    crm = replace(WORKDAY, employee_namespace=None)
    with pytest.raises(hr.Invalid) as wrong:
        hr.load([{"id": "1", "managers": [{"email": "a@b.test"}, "1002"]}], crm, NOON)
    assert [error.field for error in wrong.value.errors] == ["managers.1"]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"id": 1}, "id"),
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
        ({"id": "x" * 257}, "id"),
        ({"employeeNumber": 123}, "employeeNumber"),
        ({"title": ["a"]}, "title"),
        ({"title": True}, "title"),
        ({"title": "x" * 1025}, "title"),
        ({"email": "nobody"}, "email"),
        ({"emails": ["a@b.test"]}, "emails"),
        ({"emails": {"work": 5}}, "emails.work"),
        ({"emails": {"my home\n": "a@b.test"}}, "emails.my home\n"),
        ({"email": "a@b.test", "emails": {"work": "a@b.test"}}, "email"),
        ({"manager": "1", "managers": []}, "manager"),
        ({"startDate": "25.11.2026"}, "startDate"),
        ({"startDate": "2026-02-30"}, "startDate"),
        ({"endDate": 20261125}, "endDate"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"managers": "1002"}, "managers"),
        ({"managers": [{}]}, "managers.0"),
        ({"managers": [5]}, "managers.0"),
        ({"managers": [{"id": "1", "kind": "boss"}]}, "managers.0.kind"),
        ({"managers": [{"id": "1", "primary": "yes"}]}, "managers.0.primary"),
        ({"managers": ["1"] * 51}, "managers"),
        ({"address": "Bern"}, "address"),
        ({"addresses": {"work": {"locality": 5}}}, "addresses.work.locality"),
        ({"restricted": "title"}, "restricted"),
    ],
)
def test_a_wrong_field_is_named(record: dict[str, Any], field: str) -> None:
    found = errors({"id": "p-1", **record})
    assert [path for _, _, path in found] == [field]


def test_all_errors_of_all_records_are_told_and_an_id_twice_is_one() -> None:
    found = errors({"id": "1", "title": 1, "email": "x"}, {"id": "2"}, 5, {"id": "2"}, {"title": "T"})
    assert set(found) == {(0, "1", "email"), (0, "1", "title"), (2, None, ""), (3, "2", "id"), (4, None, "id")}
    assert len(found) == 5


def test_what_no_field_knows_is_counted_not_dropped() -> None:
    records = [
        {"id": "1", "badge": "red", "managers": [{"id": "2", "room": "3"}], "address": {"floor": "1"}},
        {"id": "2", "badge": "blue", "manager": {"id": "1", "room": "3"}, "addresses": {"home": {"floor": 2}}},
    ]
    assert hr.drift(records) == {"addresses.floor": 2, "badge": 2, "managers.room": 2}
    assert hr.load(records, WORKDAY, NOON)[0].document["badge"] == "red"
