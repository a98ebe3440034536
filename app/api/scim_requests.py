"""GET /api/v1/scim/requests and …/<id>: the provisioning log, newest first."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from marshmallow import ValidationError, fields, validate

from app.adapters.scim_effects import words
from app.api import parameters
from app.api.auth import SCIM_REQUESTS_READ, Caller, Door
from app.api.parameters import Parameters, is_id
from app.api.problems import NOT_FOUND, Problem
from app.api.routes import Route, json
from app.api.schemas import ScimRequestsSchema, ScimRequestWithPayloadSchema
from app.store import scim_requests as store
from app.store import tenants
from app.store.engine import reading


def _a_status(text: str) -> None:
    try:
        store.statuses(text)
    except ValueError:
        raise ValidationError("This must be a status like 409, or 4xx.") from None


_TEXT: Final = validate.Regexp(r"^[^\x00]{1,512}$", error="This must be a text.")


class ScimRequestsParameters(Parameters):
    """Which requests, and where to go on."""

    source = fields.String(validate=_TEXT, metadata={"description": "Only those of this source, by its name."})
    status = fields.String(validate=_a_status, metadata={"description": "Only answers of this status: 409, or 4xx."})
    method = fields.String(
        validate=validate.OneOf(store.METHODS, error=f"This must be one of {', '.join(store.METHODS)}."),
        metadata={"description": "Only this method."},
    )
    user = fields.String(
        validate=_TEXT,
        metadata={
            "description": "Only those about one resource: its id; its externalId; the userName that it has, or was "
            "created with; a group's displayName."
        },
    )
    since = fields.AwareDateTime(
        format="iso", metadata={"description": "Only from this instant on, with its zone: 2026-11-25T13:00:00Z."}
    )
    cursor = fields.String(metadata={"description": "`next` of the page before, with the same other parameters."})
    limit = parameters.limit()


_PARAMETERS: Final = ScimRequestsParameters()


def page(door: Door, caller: Caller) -> Response:
    """A page; a source that the tenant does not have, or that the caller may not see, has asked nothing."""
    asked = parameters.read(_PARAMETERS)
    limit = asked["limit"]
    with reading(door.engine) as conn:
        source, nobody = caller.source_id, False
        if "source" in asked:
            named = _source(conn, caller, asked["source"])
            source, nobody = named or source, named is None
        resources, name = store.about(conn, caller.tenant_id, asked["user"]) if "user" in asked else (None, None)
        wanted = store.Asked(
            source_id=source,
            statuses=store.statuses(asked["status"]) if "status" in asked else None,
            method=asked.get("method"),
            resources=resources,
            name=name,
            since=asked.get("since"),
            before=parameters.read_cursor(asked["cursor"], "id") if "cursor" in asked else None,
            limit=limit + 1,
        )
        rows = [] if nobody else store.page(conn, caller.tenant_id, wanted)
    following = parameters.cursor("id", rows[limit - 1]["id"]) if len(rows) > limit else None
    return json({"requests": [_shown(row) for row in rows[:limit]], "next": following})


def one(door: Door, caller: Caller, request_id: str) -> Response:
    """One request with its payload."""
    with reading(door.engine) as conn:
        known = is_id(request_id)
        row = store.one(conn, caller.tenant_id, request_id, caller.source_id) if known else None
    if row is None:
        raise Problem(NOT_FOUND, "The tenant's provisioning log has no request of this id.")
    return json({**_shown(row), "payload": row["payload"]})


def _source(conn: Any, caller: Caller, name: str) -> str | None:
    try:
        found = tenants.find_source(conn, caller.tenant_id, name).id
    except tenants.NotFoundError:
        return None
    return found if caller.source_id in (None, found) else None


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "at": row["at"],
        "source": row["source"],
        "credential": row["credential"],
        "method": row["method"],
        "path": row["path"],
        "kind": row["kind"],
        "resourceId": row["resource_id"],
        "status": row["status"],
        "scimType": row["scim_type"],
        "detail": row["detail"],
        "milliseconds": row["milliseconds"],
        "userAgent": row["user_agent"],
        "summary": words(row["effect"], row["method"], row["status"]),
        "effect": row["effect"],
    }


ROUTES: Final = (
    Route(
        "GET",
        "/api/v1/scim/requests",
        page,
        {
            "operationId": "listScimRequests",
            "summary": "What identity providers asked over SCIM, and what it did",
            "description": "Newest first. A request stands here half a second after its answer, for as many days as "
            "the tenant's setting scim.log_days says. A key that is bound to a source sees that source's requests.",
            "tags": ["SCIM requests"],
            "parameters": [{"in": "query", "schema": ScimRequestsParameters}],
            "responses": {"200": {"description": "A page.", "schema": ScimRequestsSchema}},
        },
        SCIM_REQUESTS_READ,
    ),
    Route(
        "GET",
        "/api/v1/scim/requests/<request_id>",
        one,
        {
            "operationId": "getScimRequest",
            "summary": "One SCIM request, with what it sent",
            "tags": ["SCIM requests"],
            "responses": {"200": {"description": "The request.", "schema": ScimRequestWithPayloadSchema}},
        },
        SCIM_REQUESTS_READ,
    ),
)
