"""How far a new tenant has come: whether there is one of each thing that it cannot do without. One statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from app.store.driver import Statement


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Whether a source of people is there, somebody came, a role is mapped, people can sign in, and somebody did."""

    source: bool
    people: bool
    mapping: bool
    connection: bool
    signed_in: bool

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return all((self.source, self.people, self.mapping, self.connection, self.signed_in))


def first_steps(conn: sa.Connection, tenant_id: str) -> FirstSteps:
    """What is there by now."""
    row: Any = _THERE.row(conn, {"tenant": tenant_id})
    return FirstSteps(*row)


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_THERE: Final = Statement(f"""
    SELECT EXISTS (SELECT FROM sources WHERE {_HERE} AND kind IN ('idp', 'hris', 'crm')) AS source,
        EXISTS (SELECT FROM accounts WHERE {_HERE}) AS people,
        EXISTS (SELECT FROM mappings WHERE {_HERE}) AS mapping,
        EXISTS (SELECT FROM connections WHERE {_HERE}) AS connection,
        EXISTS (SELECT FROM sign_ins WHERE {_HERE} AND outcome = 'accepted') AS signed_in
""")
