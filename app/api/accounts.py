"""GET /api/v1/accounts and /api/v1/accounts/<id>: the people, as the learning platform needs them."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema

from app.api import parameters
from app.api.auth import ACCOUNTS_READ, Caller, Door
from app.api.parameters import NEWEST_POSSIBLE, Parameters, Whole, is_id
from app.api.problems import NOT_FOUND, Problem
from app.api.routes import Route, json
from app.api.schemas import AccountsSchema, AccountWithLineageSchema
from app.identity.model import Status
from app.store import aliases, feeds
from app.store.aliases import Alias
from app.store.engine import reading


class AccountsParameters(Parameters):
    """Which accounts, and where to go on."""

    role = fields.String(
        validate=validate.Regexp(r"^[^\x00]{1,200}$", error="This must be the name of a role."),
        metadata={"description": "Only who holds this effective role in the whole tenant."},
    )
    status = fields.String(
        validate=validate.OneOf([str(one) for one in Status], error="This must be active or inactive."),
        metadata={"description": "Only accounts of this status."},
    )
    changed_since = Whole(
        least=0,
        most=NEWEST_POSSIBLE,
        data_key="changed-since",
        metadata={
            "description": "The number of an event: only accounts that changed after it, in the order of their last "
            "change. With role or status, who no longer has it is not shown."
        },
    )
    cursor = fields.String(metadata={"description": "`next` of the page before, with the same other parameters."})
    limit = parameters.limit()

    @validates_schema
    def _starts_once(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("cursor") == "":
            raise ValidationError("This is empty; leave it out for the first page.", "cursor")


_PARAMETERS: Final = AccountsParameters()


def page(door: Door, caller: Caller) -> Response:
    """A page by id; with changed-since by last change."""
    asked = parameters.read(_PARAMETERS)
    only = {"role": asked.get("role"), "status": asked.get("status"), "limit": asked["limit"]}
    text, since = asked.get("cursor"), asked.get("changed_since")
    gone: list[Alias] = []
    with reading(door.engine) as conn:
        if since is None:
            after = feeds.FIRST_ID if text is None else parameters.read_cursor(text, "id")
            found = feeds.accounts(conn, caller.tenant_id, after=after, **only)
        else:
            behind = since if text is None else int(parameters.read_cursor(text, "change"))
            found = feeds.changed(conn, caller.tenant_id, after=behind, **only)
            upto = found.rows[-1].version if found.more else found.newest
            gone = aliases.told_between(conn, caller.tenant_id, behind, upto)
    return json(
        {
            "accounts": [_shown(row) for row in found.rows],
            "merged": [{"id": one.id, "into": one.account_id, "version": one.number} for one in gone],
            "next": _next(found, since),
            "newest": found.newest,
        }
    )


def one(door: Door, caller: Caller, account_id: str) -> Response:
    """One account with its lineage; an id that was merged away means the account that it went into."""
    with reading(door.engine) as conn:
        row = feeds.account(conn, caller.tenant_id, account_id) if is_id(account_id) else None
    if row is None:
        raise Problem(NOT_FOUND, "The tenant has no account of this id.")
    return json({**_shown(row), "lineage": orjson.Fragment(row.lineage_json)})


def _next(found: feeds.Page, since: int | None) -> str | None:
    if not found.more:
        return None
    last = found.rows[-1]
    return parameters.cursor("id", str(last.id)) if since is None else parameters.cursor("change", last.version)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "email": row.email,
        "affiliation": row.affiliation,
        "suspended": row.suspended,
        "attributes": orjson.Fragment(row.attributes_json),
        "roles": row.roles,
        "grants": orjson.Fragment(row.grants_json),
        "managerId": row.manager_id,
        "managers": orjson.Fragment(row.managers_json),
        "version": row.version,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }


ROUTES: Final = (
    Route(
        "GET",
        "/api/v1/accounts",
        page,
        {
            "operationId": "listAccounts",
            "summary": "Accounts, page by page",
            "description": "A full read goes by id and misses nobody who was there when it began. Afterwards "
            "changed-since tells what changed; an account that changes between two pages comes again. Accounts that "
            "were merged into another meanwhile are in `merged` and are accounts no longer.",
            "tags": ["Accounts"],
            "parameters": [{"in": "query", "schema": AccountsParameters}],
            "responses": {"200": {"description": "A page.", "schema": AccountsSchema}},
        },
        ACCOUNTS_READ,
    ),
    Route(
        "GET",
        "/api/v1/accounts/<account_id>",
        one,
        {
            "operationId": "getAccount",
            "summary": "One account, with the lineage of its attributes",
            "description": "The id of an account that was merged away answers the account that it means now: compare "
            "the `id` of the answer.",
            "tags": ["Accounts"],
            "responses": {"200": {"description": "The account.", "schema": AccountWithLineageSchema}},
        },
        ACCOUNTS_READ,
    ),
)
