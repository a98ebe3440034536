"""POST /api/v1/sources/<source>/records: an HR system or CRM says how people stand today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import Response

from app.api import bodies, parameters
from app.api.auth import RECORDS_WRITE, Caller, Door
from app.api.parameters import Flag, Parameters
from app.api.problems import INVALID_RECORDS, NOT_FOUND, SOURCE_CLOSED, TOO_MANY, Problem
from app.api.pushes import Taken, push
from app.api.routes import Route, json
from app.api.schemas import PushSchema, RunSchema
from app.identity.model import Source, SourceKind
from app.sources import hr
from app.sources.schema import RecordSchema
from app.store import tenants
from app.store.engine import reading
from app.store.rules import source_of
from app.sync.imports import ClosedSourceError
from sso.errors import InsufficientScopeError

MOST_RECORDS: Final = 500
MOST_ERRORS: Final = 500

_FED_BY_RECORDS: Final = (SourceKind.HRIS, SourceKind.CRM)


class RecordsParameters(Parameters):
    """How to take the records."""

    dry_run = Flag(
        data_key="dry-run",
        load_default="false",
        metadata={"description": "true: answer what would become of the records, and apply nothing."},
    )


_PARAMETERS: Final = RecordsParameters()


def receive(door: Door, caller: Caller, source: str) -> Response:
    """Check all records, then hand them on together: all of them or none."""
    dry_run = parameters.read(_PARAMETERS)["dry_run"] == "true"
    known = _source(door, caller, source)
    records = _records(bodies.read_json())
    try:
        done = push(door.engine, caller.tenant_id, known, records, actor=caller.actor, dry_run=dry_run)
    except hr.Invalid as error:
        raise _wrong(error) from None
    except ClosedSourceError as error:
        raise Problem(SOURCE_CLOSED, str(error)) from None
    if done.state in ("held", "queued"):
        return json({"run": done.run_id, "state": done.state, "reason": done.verdict.reason}, 202)
    shown: dict[str, Any] = {"records": [_shown(one, dry_run=dry_run) for one in done.records], "drift": done.drift}
    if dry_run:
        shown["held"] = done.verdict.reason if done.verdict.held else None
    return json({**shown, "dryRun": dry_run})


def _source(door: Door, caller: Caller, name: str) -> Source:
    try:
        if not tenants.NAME.fullmatch(name):
            raise tenants.NotFoundError
        with reading(door.engine) as conn:
            row = tenants.find_source(conn, caller.tenant_id, name)
    except tenants.NotFoundError:
        raise Problem(NOT_FOUND, "The tenant has no source of this name.") from None
    if caller.source_id is not None and caller.source_id != row.id:
        raise InsufficientScopeError("This token may write to another source only.", RECORDS_WRITE)
    source = source_of(row)
    if source.kind not in _FED_BY_RECORDS:
        raise Problem(SOURCE_CLOSED, f"{name} is a source of kind {source.kind}: only hris and crm take records.")
    if row.state != "active":
        raise Problem(SOURCE_CLOSED, f"{name} is {row.state}.")
    return source


def _records(body: Any) -> list[Any]:
    if not isinstance(body, dict):
        raise Problem(INVALID_RECORDS, 'The body must be one record, or {"records": [...]}.')
    if "records" not in body:
        return [body]
    records = body["records"]
    if not isinstance(records, list) or len(body) > 1:
        raise Problem(INVALID_RECORDS, "`records` must be a list, and nothing may stand beside it.")
    if not records:
        raise Problem(
            INVALID_RECORDS, "`records` is empty. People do not leave by being absent: there is nothing to do."
        )
    if len(records) > MOST_RECORDS:
        raise Problem(TOO_MANY, f"There are {len(records)} records; one request takes {MOST_RECORDS} at most.")
    return records


def _wrong(error: hr.Invalid) -> Problem:
    count = len(error.errors)
    detail = (
        f"{count} {'error' if count == 1 else 'errors'}; no record was taken. The first: {str(error).splitlines()[0]}"
    )
    return Problem(INVALID_RECORDS, detail, errors=[asdict(one) for one in error.errors[:MOST_ERRORS]])


def _shown(one: Taken, *, dry_run: bool) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "id": one.id,
        "accountId": one.account_id,
        "outcome": one.outcome,
        "rule": one.rule,
        "doubtful": one.doubtful,
    }
    if one.reason is not None:
        shown["reason"] = one.reason
    if dry_run:
        shown["changes"] = [asdict(change) for change in one.changes]
    return shown


ROUTES: Final = (
    Route(
        "POST",
        "/api/v1/sources/<source>/records",
        receive,
        {
            "operationId": "sendRecords",
            "summary": "Records of an HR system or CRM, as they stand today",
            "description": f"One record, or up to {MOST_RECORDS} as `records`. A record is the whole present state of "
            "one person in the source: a missing key is silence, null is an empty value, what is `restricted` stays. "
            "Either all records are taken or none. A person who is not sent is not spoken of.",
            "tags": ["Records"],
            "parameters": [{"in": "query", "schema": RecordsParameters}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "oneOf": [
                                RecordSchema,
                                {
                                    "type": "object",
                                    "required": ["records"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "records": {
                                            "type": "array",
                                            "minItems": 1,
                                            "maxItems": MOST_RECORDS,
                                            "items": RecordSchema,
                                        }
                                    },
                                },
                            ]
                        }
                    }
                },
            },
            "responses": {
                "200": {"description": "What became of each record.", "schema": PushSchema},
                "202": {
                    "description": "Not applied yet: held until a person allows it, or queued.",
                    "schema": RunSchema,
                },
            },
        },
        RECORDS_WRITE,
    ),
)
