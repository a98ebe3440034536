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
# EXISTS is planned for the tenant of average size, which somewhere early in the table has a row: a tenant without one
# would have everybody's read to the end. The first by an index is found, or missed, at once.
_SOMEBODY: Final = f"(SELECT true FROM accounts WHERE {_HERE} ORDER BY id LIMIT 1) IS NOT NULL"
_SIGNED_IN: Final = f"""EXISTS (SELECT FROM (SELECT tenant_id, id FROM connections WHERE {_HERE}) c CROSS JOIN LATERAL (
        SELECT true FROM sign_ins s WHERE s.tenant_id = c.tenant_id AND s.connection_id = c.id
            AND s.outcome = 'accepted' ORDER BY s.at LIMIT 1) one)"""
_THERE: Final = Statement(f"""
    SELECT EXISTS (SELECT FROM sources WHERE {_HERE} AND kind IN ('idp', 'hris', 'crm')) AS source,
        {_SOMEBODY} AS people,
        EXISTS (SELECT FROM mappings WHERE {_HERE}) AS mapping,
        EXISTS (SELECT FROM connections WHERE {_HERE}) AS connection,
        {_SIGNED_IN} AS signed_in
""")
