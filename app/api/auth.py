"""Who calls the API: an API key or an access token names a tenant, scopes, and sometimes the one source it may feed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.adapters.api_scopes import ACCOUNTS_READ as ACCOUNTS_READ
from app.adapters.api_scopes import EVENTS_READ as EVENTS_READ
from app.adapters.api_scopes import RECORDS_WRITE as RECORDS_WRITE
from app.adapters.api_scopes import SCIM_REQUESTS_READ as SCIM_REQUESTS_READ
from app.adapters.api_scopes import SCIM_TOKENS_WRITE as SCIM_TOKENS_WRITE
from app.adapters.api_scopes import SCOPES as SCOPES
from app.adapters.oauth_clients import OAuthClients
from app.store import credentials
from app.store.credentials import Credential, LastUse
from app.store.engine import reading
from sso.errors import InsufficientScopeError, InvalidTokenError
from sso.jwks import Keys
from sso.provider import People, Provider
from sso.tokens import SCIM, bearer


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls. `source_id` is the only source it may write to; None: all of the tenant."""

    tenant_id: str
    credential_id: str
    name: str
    kind: str
    scopes: frozenset[str]
    source_id: str | None

    @property
    def actor(self) -> str:
        """Its name in the audit: ``api_key:payroll``."""
        return f"{self.kind}:{self.name}"


class Door:
    """What the handlers share: the engine, the finished OpenAPI document, and who may come in."""

    def __init__(self, engine: sa.Engine, openapi: bytes, keys: Keys, people: People | None = None) -> None:
        self.engine = engine
        self.openapi = openapi
        self.people = people
        self._last_use = LastUse(engine)
        keeper = OAuthClients(engine, None if people is None else people.mint.issuer)
        self.provider = Provider(keeper, keeper, (*SCOPES, SCIM), keys, people=people)

    def admit(self, authorization: str | None, scope: str) -> Caller:
        """The caller, if its token holds `scope`.

        Raises:
            BearerError: no token (401), a malformed one (400), a bad one (401), or one without the scope (403).
        """
        token = bearer(authorization)
        with reading(self.engine) as conn:
            found = credentials.find(conn, token, ["api_key", "access_token"])
        if found is None:
            raise InvalidTokenError("The token is unknown, expired or revoked.")
        if scope not in found.scopes:
            raise InsufficientScopeError(f"This needs the scope {scope}.", scope)
        self._last_use.note(found)
        return _caller(found)


def _caller(found: Credential) -> Caller:
    return Caller(found.tenant_id, found.id, found.name, found.kind, found.scopes, found.source_id)
