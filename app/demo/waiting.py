"""What waits for a person in the console once the story is told: a doubt, and a file that the guard holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from app.demo.people import DOMAIN, PEOPLE
from app.demo.stage import Stage
from app.sync import imports

# HR hired somebody of nearly the same name, and typed the colleague's address.
HIRED: Final[Mapping[str, Any]] = {
    "id": "H-021",
    "employeeNumber": "1021",
    "status": "active",
    "givenName": "Lucia",
    "familyName": "Bianchi",
    "displayName": "Lucia Bianchi",
    "email": f"luca.bianchi@{DOMAIN}",
    "title": "DSP",
    "department": "Operations",
}
# A department moved to another company code, and the export said of all of it that they left.
GONE: Final = ("1009", "1010", "1011", "1012", "1013", "1014", "1015", "1018")


def leave(engine: sa.Engine, stand: Stage, actor: str) -> tuple[str, list[str]]:
    """Both things; the name of whoever was hired, and the names of those whom the held file would end."""
    imports.submit(engine, stand.tenant.id, stand.hr, [dict(HIRED)], actor=actor, wait=True)
    ended = [person for person in PEOPLE if person.number in GONE]
    mistaken = [
        {"id": f"H-0{person.number[2:]}", "employeeNumber": person.number, "status": "terminated"} for person in ended
    ]
    imports.submit(engine, stand.tenant.id, stand.hr, mistaken, actor=actor)
    return str(HIRED["displayName"]), [person.name for person in ended]
