"""GET /api/v1/events: what happened, in order and without gaps. A reader keeps one number and misses nothing."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Response

from app.api import parameters
from app.api.auth import EVENTS_READ, Caller, Door
from app.api.parameters import NEWEST_POSSIBLE, Parameters, Whole
from app.api.problems import INVALID_PARAMETER, Problem
from app.api.routes import Route, json
from app.api.schemas import EventsSchema
from app.store import feeds
from app.store.engine import reading


class EventsParameters(Parameters):
    """Where to go on."""

    after = Whole(
        least=0,
        most=NEWEST_POSSIBLE,
        load_default=0,
        metadata={"description": "Only events with a higher number: `next` of the page before, or 0 for the first."},
    )
    limit = parameters.limit()


_PARAMETERS: Final = EventsParameters()


def page(door: Door, caller: Caller) -> Response:
    """Events after a number; an empty page when there is none yet."""
    asked = parameters.read(_PARAMETERS)
    after = asked["after"]
    with reading(door.engine) as conn:
        found = feeds.events(conn, caller.tenant_id, after=after, limit=asked["limit"])
    if after > found.newest:
        # A restored database, or another tenant's number: this reader would wait for what it takes for old.
        message = f"The newest event has the number {found.newest}: this reader is ahead of the tenant."
        raise Problem(INVALID_PARAMETER, f"after: {message}", errors=[{"parameter": "after", "message": message}])
    shown = [_shown(row) for row in found.rows]
    following = found.rows[-1].number if found.rows else after
    return json({"events": shown, "next": following, "more": found.more, "newest": found.newest})


def _shown(row: Any) -> dict[str, Any]:
    return {
        "number": row.number,
        "type": row.type,
        "accountId": row.account_id,
        "at": row.at,
        "data": orjson.Fragment(row.data_json),
    }


ROUTES: Final = (
    Route(
        "GET",
        "/api/v1/events",
        page,
        {
            "operationId": "listEvents",
            "summary": "Events after a number",
            "description": "Numbers rise by one within the tenant. Whoever sees a number sees every lower one, so a "
            "reader that keeps `next` misses nothing.",
            "tags": ["Events"],
            "parameters": [{"in": "query", "schema": EventsParameters}],
            "responses": {"200": {"description": "A page, oldest first.", "schema": EventsSchema}},
        },
        EVENTS_READ,
    ),
)
