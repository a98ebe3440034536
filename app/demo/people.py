"""Who works at the demo's company, as its Okta has it: job titles are out of date, managers are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DOMAIN: Final = "kestrel.example"


@dataclass(frozen=True, slots=True)
class Person:
    """One person as Okta sees them; `title` is what somebody typed there years ago."""

    number: str
    given: str
    family: str
    title: str

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.given} {self.family}"

    @property
    def login(self) -> str:
        """Login name and work address."""
        return f"{self.given}.{self.family}@{DOMAIN}".lower()


PEOPLE: Final = (
    Person("1001", "Amara", "Okafor", "Head of Training"),
    Person("1002", "Jonas", "Lindqvist", "Head of Operations"),
    Person("1003", "Mei", "Tanaka", "Signaller"),
    Person("1004", "Tomas", "Herrera", "Driver"),
    Person("1005", "Priya", "Raman", "Trainer"),
    Person("1006", "Luca", "Bianchi", "Trainer"),
    Person("1007", "Hana", "Novak", "Signaller"),
    Person("1008", "Daniel", "Mensah", "Trainer"),
    Person("1009", "Sofia", "Almeida", "Driver"),
    Person("1010", "Erik", "Nyberg", "Driver"),
    Person("1011", "Yara", "Haddad", "Apprentice"),
    Person("1012", "Peter", "Kovacs", "Driver"),
    Person("1013", "Aisha", "Bello", "Signaller"),
    Person("1014", "Marek", "Zielinski", "Signaller"),
    Person("1015", "Nina", "Fischer", "Apprentice"),
    Person("1016", "Owen", "Price", "Dispatcher"),
    Person("1017", "Ines", "Moreau", "Dispatcher"),
    Person("1018", "Kofi", "Asante", "Driver"),
    Person("1019", "Lea", "Roth", "Apprentice"),
    Person("1020", "Ravi", "Desai", "Dispatcher"),
)

EVERYONE: Final = "Everyone"
TRAINERS: Final = "Trainers"
TEAM_LEADS: Final = "Team Leads"
ADMINISTRATORS: Final = "Academy Admins"

# Group -> employee numbers of its members.
GROUPS: Final = {
    EVERYONE: tuple(person.number for person in PEOPLE),
    TRAINERS: ("1005", "1006", "1007", "1008"),
    TEAM_LEADS: ("1001", "1002", "1003", "1004"),
    ADMINISTRATORS: ("1001", "1002"),
}

# Group -> the role in the LMS that it shall mean.
ROLES: Final = {TRAINERS: "instructor", TEAM_LEADS: "manager", EVERYONE: "learner", ADMINISTRATORS: "admin"}

# HR writes codes; the source `hr` knows what they mean.
TITLE_CODES: Final = {
    "HTR": "Head of Training",
    "HOP": "Head of Operations",
    "TLD": "Team Lead",
    "STR": "Senior Trainer",
    "TRN": "Trainer",
    "DRV": "Driver",
    "SIG": "Signaller",
    "DSP": "Dispatcher",
}

# The person whose account is explained: promoted by HR, led by two, made instructor by a group.
EXPLAINED: Final = "1005"

# The person whom HR ended.
LEFT: Final = "1008"
