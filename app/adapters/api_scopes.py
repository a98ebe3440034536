"""What an API key or an OAuth client of the REST API may do: one name and one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.adapters.token_checks import INTROSPECT as TOKENS_INTROSPECT

ACCOUNTS_READ: Final = "accounts:read"
EVENTS_READ: Final = "events:read"
RECORDS_WRITE: Final = "records:write"
SCIM_TOKENS_WRITE: Final = "scim-tokens:write"
SCIM_REQUESTS_READ: Final = "scim-requests:read"
SCOPES: Final[Mapping[str, str]] = {
    ACCOUNTS_READ: "Read accounts.",
    EVENTS_READ: "Read the events.",
    RECORDS_WRITE: "Send records of an HR system or CRM.",
    SCIM_REQUESTS_READ: "Read what identity providers asked over SCIM, personal data included.",
    SCIM_TOKENS_WRITE: "Issue, rotate and revoke the bearer tokens of SCIM sources.",
    TOKENS_INTROSPECT: "Ask what any access token of the tenant is, at /oauth/introspect.",
}
