"""The cast agrees with HR's file."""

from __future__ import annotations

from app.demo.people import GROUPS, PEOPLE, ROLES, TITLE_CODES
from app.demo.story import HR_FILE
from app.sources import csv_file


def test_twenty_people_and_four_groups() -> None:
    numbers = {person.number for person in PEOPLE}
    assert len(numbers) == len({person.login for person in PEOPLE}) == 20
    assert len(GROUPS) == 4
    assert GROUPS.keys() == ROLES.keys()
    assert all(set(members) <= numbers for members in GROUPS.values())


def test_hr_speaks_of_the_same_people_in_codes_that_the_map_knows() -> None:
    records = csv_file.read(HR_FILE)
    assert {record["employeeNumber"]: record["email"] for record in records} == {
        person.number: person.login for person in PEOPLE
    }
    assert {record["title"] for record in records} == set(TITLE_CODES)
