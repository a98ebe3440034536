"""One source: what it is, what it owns, how records come to it, what it sent that nobody understood."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from marshmallow import fields

from app.console.desk import Desk
from app.console.rendering import Refused, page
from app.console.runs import words as run_words
from app.console.sources import words
from app.console.visit import Visit
from app.sources.schema import RECORD
from app.store import rules as rulebook
from app.store import runs, source_reads
from app.store.engine import reading
from app.store.source_reads import SourceSeen

RUNS: Final = 10
EXAMPLE: Final = """curl -X POST {address} \\
  -H "Authorization: Bearer $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{"records": [{{"id": "p-1", "employeeNumber": "1001", "status": "active",
       "email": "mia@example.com", "givenName": "Mia", "familyName": "Keller", "title": "Trainer"}}]}}'"""


def shown(desk: Desk, visit: Visit, source_id: str) -> Response:
    """The page of a source."""
    return show(desk, visit, source_id)


def show(desk: Desk, visit: Visit, source_id: str, status: int = 200, **values: Any) -> Response:
    """The page of a source, with what a form of it said."""
    source = found(desk, visit, source_id)
    with reading(desk.engine) as conn:
        rules = rulebook.current(conn, visit.tenant_id)
        keys = source_reads.keys_for(conn, visit.tenant_id, source.id) if source.takes_files else []
        drift = source_reads.drift_of(conn, visit.tenant_id, source.id)
        newest = runs.page(conn, visit.tenant_id, source_id=source.id, limit=RUNS)
    known = rules.sources[source.id]
    named = [
        (name, rule)
        for name, rule in sorted(rules.ownership.items())
        if source.name in (*rule.owners, *rule.create_only)
    ]
    address = f"{desk.public_url.rstrip('/')}/api/v1/sources/{source.name}/records"
    return page(
        "sources/one.html",
        status,
        source=source,
        kinds=words.KINDS,
        states=words.STATES,
        affiliations=words.AFFILIATIONS,
        first=words.owns_first(known, rules),
        named=named,
        codes=sum(len(one) for one in known.value_maps.values()),
        keys=keys,
        drift=drift,
        runs=[(run, run_words.title(run, source.name)) for run in newest],
        run_states=run_words.STATES,
        address=address,
        example=EXAMPLE.format(address=address),
        field_table=FIELDS,
        **{"errors": {}, "domain": "", **values},
    )


def found(desk: Desk, visit: Visit, source_id: str) -> SourceSeen:
    """The tenant's source of this id.

    Raises:
        Refused: there is none.
    """
    with reading(desk.engine) as conn:
        seen = source_reads.overview(conn, visit.tenant_id, source_id)
    if not seen:
        raise Refused(404, "There is no such source here.", "Nothing here")
    return seen[0]


def _kind(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.Dict):
        return "object: type and value"
    if isinstance(field, fields.Nested):
        return "object"
    if isinstance(field, fields.List):
        return "list"
    return (
        "date" if isinstance(field, fields.Date) else "text or object" if "anager" in type(field).__name__ else "text"
    )


# (name, what it is, whether it is required, description): the fields of a record, as the API takes them.
FIELDS: Final = tuple(
    (name, _kind(field), field.required, field.metadata.get("description", "")) for name, field in RECORD.fields.items()
)
