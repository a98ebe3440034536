"""The errors of the protocol (RFC 7644 §3.12): one class for each, which knows its status and its section.

`detail` is written for the administrator of the identity provider, who sees it; it carries no personal data beyond
what the client itself sent.
"""

from __future__ import annotations

from typing import Any, ClassVar

MESSAGE = "urn:ietf:params:scim:api:messages:2.0:Error"
MEDIA_TYPE = "application/scim+json"


class ScimError(Exception):
    """A refusal. `headers` go out with it."""

    status: ClassVar[int] = 500
    scim_type: ClassVar[str | None] = None
    section: ClassVar[str] = "RFC 7644 §3.12"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}

    def as_json(self) -> dict[str, Any]:
        """The body; `status` is a string."""
        shown: dict[str, Any] = {"schemas": [MESSAGE], "status": str(self.status), "detail": self.detail}
        if self.scim_type:
            shown["scimType"] = self.scim_type
        return shown


class BadRequest(ScimError):
    status = 400


class InvalidFilter(BadRequest):
    scim_type = "invalidFilter"
    section = "RFC 7644 §3.4.2.2"


class InvalidSyntax(BadRequest):
    scim_type = "invalidSyntax"


class InvalidPath(BadRequest):
    scim_type = "invalidPath"
    section = "RFC 7644 §3.5.2"


class NoTarget(BadRequest):
    scim_type = "noTarget"
    section = "RFC 7644 §3.5.2"


class InvalidValue(BadRequest):
    scim_type = "invalidValue"


class InvalidCursor(BadRequest):
    scim_type = "invalidCursor"
    section = "RFC 9865 §2.1"


class ExpiredCursor(BadRequest):
    scim_type = "expiredCursor"
    section = "RFC 9865 §2.1"


class InvalidCount(BadRequest):
    scim_type = "invalidCount"
    section = "RFC 9865 §2.1"


class InvalidVers(BadRequest):
    scim_type = "invalidVers"
    section = "RFC 7644 §3.13"


class Mutability(BadRequest):
    scim_type = "mutability"
    section = "RFC 7644 §3.5"


class Unauthorized(ScimError):
    """No token, or none that is known."""

    status = 401
    section = "RFC 7644 §2"

    def __init__(self, detail: str = "The request needs a valid bearer token.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="scim"'})


class MalformedCredentials(InvalidSyntax):
    """The scheme without a token (RFC 6750 §3.1)."""

    section = "RFC 6750 §3.1"

    def __init__(self) -> None:
        super().__init__(
            "The Authorization header names the Bearer scheme without a token.",
            headers={"WWW-Authenticate": 'Bearer realm="scim", error="invalid_request"'},
        )


class Forbidden(ScimError):
    status = 403


class Sensitive(Forbidden):
    """A hidden value in a URI."""

    scim_type = "sensitive"
    section = "RFC 7644 §7.5.2"


class NotFound(ScimError):
    status = 404

    @classmethod
    def resource(cls, kind: str, id: str) -> NotFound:
        return cls(f"There is no {kind} with the id {id!r}.")


class MethodNotAllowed(ScimError):
    status = 405

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method} is not possible here.", headers={"Allow": ", ".join(allowed)})


class Conflict(ScimError):
    status = 409


class Uniqueness(Conflict):
    scim_type = "uniqueness"


class VersionMismatch(ScimError):
    """If-Match names a version that is not the current one."""

    status = 412
    section = "RFC 7644 §3.14"

    def __init__(self, detail: str = "The resource has changed since the version that If-Match names.") -> None:
        super().__init__(detail)


class PayloadTooLarge(ScimError):
    status = 413
    section = "RFC 7644 §3.7.4"


class UnsupportedMediaType(ScimError):
    status = 415
    section = "RFC 7644 §8.1"


class TooManyRequests(ScimError):
    """More requests than the client may send. `retry_after` as for `Busy`: Okta takes a date for five minutes."""

    status = 429
    section = "RFC 6585 §4"

    def __init__(self, *, retry_after: int) -> None:
        detail = "There were more requests in a second than this tenant may send; the request can be repeated."
        super().__init__(detail, headers={"Retry-After": str(max(1, retry_after))})


class Internal(ScimError):
    status = 500

    def __init__(
        self, detail: str = "The server failed to answer. Nothing is known to be wrong with the request."
    ) -> None:
        super().__init__(detail)


class NotImplemented_(ScimError):  # noqa: N801 - `NotImplemented` is Python's own
    status = 501


class Busy(ScimError):
    """Too busy at the moment. `retry_after` is in whole seconds, at least 1: a fraction or a date confuses clients."""

    status = 503

    def __init__(
        self, detail: str = "The server is busy; the request can be repeated.", *, retry_after: int = 1
    ) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, retry_after))})
        self.retry_after = max(1, retry_after)
