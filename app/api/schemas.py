"""What goes out, for the OpenAPI document: answers are written from stored JSON and never pass through these.

A test loads real answers with them, so that the documentation cannot drift from what is sent.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.identity.model import Affiliation, Status


def _text(description: str, **options: Any) -> fields.String:
    return fields.String(required=True, metadata={"description": description}, **options)


def _whole(description: str) -> fields.Integer:
    return fields.Integer(required=True, strict=True, metadata={"description": description})


def _time(description: str) -> fields.DateTime:
    return fields.DateTime(required=True, metadata={"description": description})


def _uuid(description: str, **options: Any) -> fields.UUID:
    return fields.UUID(required=True, metadata={"description": description}, **options)


class _Answer(Schema):
    class Meta:
        unknown = RAISE


class GrantSchema(_Answer):
    """A role and the rule that gave it."""

    role = _text("Name of the role.")
    scope = _text("tenant, branch:<name> or course:<name>.")
    rule = _text("What gave it: mapping:<id>, or hand.")
    effective = fields.Boolean(
        required=True, metadata={"description": "Whether it counts: a higher role in the same scope may win over it."}
    )


class AccountSchema(_Answer):
    """A person in the learning platform."""

    id = _uuid("The account's id; it never changes.")
    status = _text("Whether the person may use the platform.", validate=validate.OneOf([str(one) for one in Status]))
    email = _text("The work address (the attribute emails.work).", allow_none=True)
    affiliation = _text("What the person is to the tenant.", validate=validate.OneOf([str(one) for one in Affiliation]))
    suspended = fields.Boolean(
        required=True, metadata={"description": "Whether an administrator suspended the account."}
    )
    attributes = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "Winning values by attribute; e-mails and the like by type: emails.home."},
    )
    roles = fields.List(
        fields.String(), required=True, metadata={"description": "Effective roles in the whole tenant, sorted."}
    )
    grants = fields.List(fields.Nested(GrantSchema), required=True)
    managerId = _uuid("The primary manager's account.", allow_none=True)  # noqa: N815
    managers = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.UUID()),
        required=True,
        metadata={"description": "Accounts of all managers by kind: line, matrix, functional."},
    )
    version = _whole("The number of the last event about the account. It only rises.")
    createdAt = _time("When the account was made.")  # noqa: N815
    updatedAt = _time("When it last changed.")  # noqa: N815


class LineageSchema(_Answer):
    """Why an attribute has its value."""

    source = _uuid("The source that won; null for a value set by hand.", allow_none=True)
    record = _uuid("Its record.", allow_none=True)
    rule = _text("The rule by which it won.")
    at = _time("Since when.")


class AccountWithLineageSchema(AccountSchema):
    """A person in the learning platform, and why each attribute has its value."""

    lineage = fields.Dict(keys=fields.String(), values=fields.Nested(LineageSchema), required=True)


class MergedSchema(_Answer):
    """An account that is no longer: it was merged into another, and its id means that one for ever."""

    id = _uuid("The id that the account had.")
    into = _uuid("The account that it means now.")
    version = _whole("The number of the event account.merged.")


class AccountsSchema(_Answer):
    """A page of accounts."""

    accounts = fields.List(fields.Nested(AccountSchema), required=True)
    merged = fields.List(
        fields.Nested(MergedSchema),
        required=True,
        metadata={"description": "With changed-since: accounts that were merged away within this page's numbers."},
    )
    next = _text("The cursor of the next page; null on the last one.", allow_none=True)
    newest = _whole(
        "The number of the tenant's newest event when the page was read. Keep that of the first page of a full read as "
        "the next changed-since; of a changed-since read that of the last page."
    )


class EventSchema(_Answer):
    """One change of an account."""

    number = _whole("Rises by one within the tenant, without gaps.")
    type = _text(
        "account.created, account.updated, account.activated, account.deactivated, account.roles_changed, "
        "account.merged (the id means data.into from now on), account.split (data.into is a new account made of some "
        "of its records)."
    )
    accountId = _uuid("The account.")  # noqa: N815
    at = _time("When it happened.")
    data = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "Status and roles (scope: names) as they are now; before and after of what changed."},
    )


class EventsSchema(_Answer):
    """A page of events, oldest first."""

    events = fields.List(fields.Nested(EventSchema), required=True)
    next = _whole("What to send as `after` next time.")
    more = fields.Boolean(required=True, metadata={"description": "Whether further events are there already."})
    newest = _whole("The number of the tenant's newest event.")


class ChangeSchema(_Answer):
    """One difference of an account."""

    attribute = _text("An attribute, or affiliation, manager, managers, roles, status.")
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class RecordOutcomeSchema(_Answer):
    """What became of one record."""

    id = _text("The record's id in the source, as sent.")
    accountId = _uuid("The account; null in a dry run when it would be new.", allow_none=True)  # noqa: N815
    outcome = _text(
        "What became of the account.", validate=validate.OneOf(["created", "updated", "unchanged", "refused"])
    )
    rule = _text("How the person was recognised.")
    doubtful = fields.List(
        fields.UUID(),
        required=True,
        metadata={"description": "Accounts that may be the same person: a person decides."},
    )
    reason = fields.String(metadata={"description": "Why it was refused."})
    changes = fields.List(fields.Nested(ChangeSchema), metadata={"description": "In a dry run: what would change."})


class PushSchema(_Answer):
    """What became of the records."""

    records = fields.List(
        fields.Nested(RecordOutcomeSchema), required=True, metadata={"description": "In their order."}
    )
    drift = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(strict=True),
        required=True,
        metadata={"description": "Fields that arrived and that nothing knows: path and number of records."},
    )
    held = fields.String(
        allow_none=True, metadata={"description": "In a dry run: why a person would have to allow it; null: nobody."}
    )
    dryRun = fields.Boolean(required=True, metadata={"description": "Whether nothing was applied."})  # noqa: N815


class RunSchema(_Answer):
    """A push that is not applied yet: it would take away too much at once (held), or others are at work (queued)."""

    run = _uuid("The run that holds the records.")
    state = _text("held: waits for a person. queued: a worker goes on.", validate=validate.OneOf(["held", "queued"]))
    reason = _text("What the guard says.")


class ScimRequestSchema(_Answer):
    """One request of an identity provider, and what it did."""

    id = _uuid("The request's id: the X-Request-Id of its answer.")
    at = _time("When it was answered.")
    source = _text("The source that asked.", allow_none=True)
    credential = _text("The name of the token or client that it showed.")
    method = _text("The HTTP method.")
    path = _text("Below /scim/v2, without the query.")
    kind = _text("User or Group; null for other endpoints.", allow_none=True)
    resourceId = _text("The resource that was named or made.", allow_none=True)  # noqa: N815
    status = _whole("The HTTP status of the answer.")
    scimType = _text("The SCIM error keyword.", allow_none=True)  # noqa: N815
    detail = _text("Why it was refused.", allow_none=True)
    milliseconds = fields.Float(required=True, metadata={"description": "How long it took."})
    userAgent = _text("What the client called itself.", allow_none=True)  # noqa: N815
    summary = _text("What it did, in words.")
    effect = fields.Dict(keys=fields.String(), required=True, metadata={"description": "What it did, as data."})


class ScimRequestWithPayloadSchema(ScimRequestSchema):
    """One request with what it sent."""

    payload = fields.Raw(required=True, allow_none=True, metadata={"description": "The body, secrets masked, cut."})


class ScimRequestsSchema(_Answer):
    """A page of requests, newest first."""

    requests = fields.List(fields.Nested(ScimRequestSchema), required=True)
    next = _text("The cursor of the next page; null on the last one.", allow_none=True)


class ScimTokenSchema(_Answer):
    """A bearer token of a SCIM source, without its secret."""

    id = _uuid("The token's id.")
    name = _text("Its label.")
    source = _text("The source that shows it.", allow_none=True)
    hint = _text("Its first characters.")
    createdAt = _time("When it was issued.")  # noqa: N815
    expiresAt = fields.DateTime(required=True, allow_none=True, metadata={"description": "When it ends."})  # noqa: N815
    lastUsedAt = fields.DateTime(  # noqa: N815
        required=True, allow_none=True, metadata={"description": "When it was last shown, to the minute."}
    )
    revokedAt = fields.DateTime(required=True, allow_none=True, metadata={"description": "When it was revoked."})  # noqa: N815


class ScimTokensSchema(_Answer):
    """All tokens."""

    tokens = fields.List(fields.Nested(ScimTokenSchema), required=True)


class IssuedScimTokenSchema(_Answer):
    """A new token."""

    id = _uuid("Its id.")
    token = _text("The token itself: it is not kept.")
    expiresAt = fields.DateTime(required=True, allow_none=True, metadata={"description": "When it ends."})  # noqa: N815


class ProblemSchema(Schema):
    """A problem (RFC 9457)."""

    type = _text("What kind of problem: clients may switch on it.")
    title = _text("The kind in words.")
    status = _whole("The HTTP status.")
    detail = _text("What is wrong with this request.")
    errors = fields.List(
        fields.Dict(), metadata={"description": "Each error: parameter, or index, id, field; message."}
    )


class TokenSchema(Schema):
    """An access token (RFC 6749 section 5.1)."""

    access_token = _text("The token: send it as Authorization: Bearer.")
    token_type = _text("Bearer.")
    expires_in = _whole("Seconds until it ends.")
    scope = _text("What it may do.")
    refresh_token = fields.String(metadata={"description": "For the next one; with a code or a refresh token."})
    id_token = fields.String(metadata={"description": "Who signed in, as a JWT; with the scope openid."})


class TokenErrorSchema(Schema):
    """A refusal (RFC 6749 section 5.2)."""

    error = _text(
        "invalid_request, invalid_client, unauthorized_client, unsupported_grant_type, invalid_scope or invalid_grant."
    )
    error_description = fields.String()
