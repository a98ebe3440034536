"""/api/v1/scim/tokens: the bearer tokens of SCIM sources, for who rotates them by machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Response
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.adapters import issuing
from app.api import bodies
from app.api.auth import SCIM_TOKENS_WRITE, Caller, Door
from app.api.parameters import is_id
from app.api.problems import FORBIDDEN, INVALID_JSON, NOT_FOUND, Problem
from app.api.routes import Route, json
from app.api.schemas import IssuedScimTokenSchema, ScimTokensSchema
from app.store import credentials, tenants
from app.store.credentials import Listed, UnknownCredentialError
from app.store.engine import reading

LARGEST: Final = 16_384
LONGEST_DAYS: Final = 3650
LONGEST_OVERLAP: Final = 24 * 90  # hours
_KIND: Final = "scim_token"


class _Body(Schema):
    class Meta:
        unknown = RAISE


def _days() -> fields.Integer:
    check = validate.Range(1, LONGEST_DAYS)
    return fields.Integer(strict=True, validate=check, metadata={"description": "End it after so many days."})


class NewScimTokenSchema(_Body):
    """A token to be issued."""

    source = fields.String(required=True, metadata={"description": "The source that will show it."})
    name = fields.String(
        load_default="scim", validate=validate.Length(1, 200), metadata={"description": "A label to recognise it by."}
    )
    expiresInDays = _days()  # noqa: N815


class RotateScimTokenSchema(_Body):
    """How to replace a token."""

    overlapHours = fields.Integer(  # noqa: N815
        strict=True,
        load_default=24,
        validate=validate.Range(0, LONGEST_OVERLAP),
        metadata={"description": "Hours that both are valid."},
    )
    expiresInDays = _days()  # noqa: N815


def page(door: Door, caller: Caller) -> Response:
    """All tokens that the caller may manage, revoked ones included."""
    with reading(door.engine) as conn:
        found = credentials.listing(conn, caller.tenant_id, [_KIND])
    return json({"tokens": [_shown(one) for one in found if caller.source_id in (None, one.source_id)]})


def create(door: Door, caller: Caller) -> Response:
    """A new token, shown once."""
    asked = _read(NewScimTokenSchema())
    with reading(door.engine) as conn:
        try:
            source = tenants.find_source(conn, caller.tenant_id, asked["source"])
        except tenants.NotFoundError:
            raise Problem(NOT_FOUND, "The tenant has no source of this name.") from None
    if caller.source_id not in (None, source.id):
        raise Problem(FORBIDDEN, "This key is bound to another source.")
    end = _end(asked)
    issued = issuing.issue(
        door.engine,
        caller.tenant_id,
        _KIND,
        asked["name"],
        actor=caller.actor,
        source_id=source.id,
        expires_at=end,
    )
    return json({"id": issued.id, "token": issued.secret, "expiresAt": end}, 201)


def rotate(door: Door, caller: Caller, token_id: str) -> Response:
    """A token in the place of one that ends after the overlap."""
    asked = _read(RotateScimTokenSchema())
    overlap, end = timedelta(hours=asked["overlapHours"]), _end(asked)
    _check_own(door, caller, token_id)
    issued = _known(
        lambda: issuing.rotate(
            door.engine, caller.tenant_id, token_id, _KIND, actor=caller.actor, overlap=overlap, expires_at=end
        )
    )
    return json({"id": issued.id, "token": issued.secret, "expiresAt": end}, 201)


def revoke(door: Door, caller: Caller, token_id: str) -> Response:
    """End a token now; a server may take it for a second more."""
    _check_own(door, caller, token_id)
    _known(lambda: issuing.revoke(door.engine, caller.tenant_id, token_id, _KIND, actor=caller.actor))
    return Response(status=204, headers={"Cache-Control": "no-store"})


def _known(do: Any) -> Any:
    try:
        return do()
    except UnknownCredentialError:
        raise Problem(NOT_FOUND, "There is no such token, or it is revoked already.") from None


def _check_own(door: Door, caller: Caller, token_id: str) -> None:
    """The id of another kind of credential, tenant or source is no token's."""
    found = None
    if is_id(token_id):
        with reading(door.engine) as conn:
            found = credentials.one(conn, caller.tenant_id, token_id, _KIND)
    if found is None or caller.source_id not in (None, found.source_id):
        raise Problem(NOT_FOUND, "There is no such token, or it is revoked already.")


def _read(schema: Schema) -> dict[str, Any]:
    body = bodies.read_json(LARGEST)
    try:
        found: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        messages = error.normalized_messages()
        errors = [{"field": str(name), "message": " ".join(map(str, said))} for name, said in messages.items()]
        detail = "; ".join(f"{one['field'][:100]}: {one['message']}" for one in errors)
        raise Problem(INVALID_JSON, detail, errors=errors) from None
    return found


def _end(asked: dict[str, Any]) -> datetime | None:
    days = asked.get("expiresInDays")
    return None if days is None else datetime.now(UTC) + timedelta(days=days)


def _shown(one: Listed) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "source": one.source,
        "hint": one.hint,
        "createdAt": one.created_at,
        "expiresAt": one.expires_at,
        "lastUsedAt": one.last_used_at,
        "revokedAt": one.revoked_at,
    }


def _body(schema: type[Schema]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_URL: Final = "/api/v1/scim/tokens"
_TAGS: Final = ["SCIM tokens"]
_ISSUED: Final = {"201": {"description": "The token, shown this once.", "schema": IssuedScimTokenSchema}}

ROUTES: Final = (
    Route(
        "GET",
        _URL,
        page,
        {
            "operationId": "listScimTokens",
            "summary": "The tenant's SCIM bearer tokens, without their secrets",
            "tags": _TAGS,
            "responses": {"200": {"description": "All of them, oldest first.", "schema": ScimTokensSchema}},
        },
        SCIM_TOKENS_WRITE,
    ),
    Route(
        "POST",
        _URL,
        create,
        {
            "operationId": "createScimToken",
            "summary": "Issue a SCIM bearer token for a source",
            "tags": _TAGS,
            "requestBody": _body(NewScimTokenSchema),
            "responses": _ISSUED,
        },
        SCIM_TOKENS_WRITE,
    ),
    Route(
        "POST",
        f"{_URL}/<token_id>/rotate",
        rotate,
        {
            "operationId": "rotateScimToken",
            "summary": "Issue a token in the place of one that ends after an overlap",
            "tags": _TAGS,
            "requestBody": _body(RotateScimTokenSchema),
            "responses": _ISSUED,
        },
        SCIM_TOKENS_WRITE,
    ),
    Route(
        "DELETE",
        f"{_URL}/<token_id>",
        revoke,
        {
            "operationId": "revokeScimToken",
            "summary": "End a token now; a server may take it for a second more",
            "tags": _TAGS,
            "responses": {"204": {"description": "It is revoked."}},
        },
        SCIM_TOKENS_WRITE,
    ),
)
