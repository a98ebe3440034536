"""Who calls at the SCIM door: a bearer token names one tenant and one source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from app.adapters import scim_notes
from app.adapters.pace import Pace
from app.adapters.registries import Registries
from app.adapters.remembered import Remembered
from app.adapters.scim_store import ScimStore
from app.identity.model import SourceKind
from app.store import credentials
from app.store.engine import reading
from app.store.receivers import heard
from app.store.tenant_settings import value
from scim.errors import Forbidden, TooManyRequests, Unauthorized
from scim.schemas import Registry
from scim.store import Features
from sso.tokens import SCIM

REMEMBERED_SECONDS: Final = 1.0  # so long a revoked token may still be admitted by a process that has just seen it


class _Admitted(NamedTuple):
    known: credentials.Credential
    features: Features
    pace: int  # requests a second that the tenant may make; 0 is any number


class Doorkeeper:
    """`scim.store.Doorkeeper` on our credentials.

    `tell` is called after writes that some receiver hears of, `deferred` after a request was kept for later. Whoever
    was admitted is remembered for `remember` seconds: an identity provider asks many times a second.
    """

    def __init__(
        self,
        engine: sa.Engine,
        tell: Callable[[], None] | None = None,
        deferred: Callable[[], None] | None = None,
        pace: Pace | None = None,
        *,
        remember: float = 0.0,
    ) -> None:
        self._engine, self._tell, self._deferred = engine, tell, deferred
        self._pace = pace or Pace()
        self._last_use = credentials.LastUse(engine)
        self._registries = Registries()
        self._admitted: Remembered[bytes, _Admitted] = Remembered(remember)

    def admit(self, token: str) -> ScimStore:
        """The store of the token's source; `Unauthorized` for any token that is not (or no longer) one of ours."""
        known, features, pace = self._admitted.get(credentials.digest(token)) or self._look_up(token)
        scim_notes.caller(known, features.schemas)
        wait = self._pace.wait(known.tenant_id, pace)
        if wait:
            raise TooManyRequests(retry_after=wait)
        if known.kind == "access_token" and SCIM not in known.scopes:
            raise Forbidden("This needs an access token with the scope scim.")
        if known.source_kind == SourceKind.LOGIN:
            raise Forbidden(f"The source {known.source_name} is a sign-in: what it says is not open to SCIM.")
        if known.source_state != "active":
            raise Forbidden(f"The source {known.source_name} is {known.source_state}: it takes no requests.")
        self._last_use.note(known)
        written = self._tell if features.event_uris else None
        return ScimStore(
            self._engine,
            known.tenant_id,
            known.source_id or "",
            f"scim:{known.source_name}",
            features,
            written=written,
            deferred=self._deferred,
        )

    def _look_up(self, token: str) -> _Admitted:
        began = self._admitted.steady()
        with reading(self._engine) as conn:
            known = credentials.find(conn, token, ["scim_token", "access_token"])
            if known is None or known.source_id is None:
                raise Unauthorized("The bearer token is unknown, expired or revoked.")
            schemas = self._registries.of(conn, known.tenant_id, known.tenant_revision)
        features = features_of(known.tenant_settings, known.source_id, schemas)
        pace = value(known.tenant_settings, "scim.requests_per_second")
        admitted = _Admitted(known, features, pace)
        ends = None if known.expires_at is None else known.expires_at.timestamp()
        self._admitted.put(credentials.digest(token), admitted, began, ends)
        return admitted


def features_of(chosen: Mapping[str, Any], source_id: str, schemas: Registry) -> Features:
    """What the tenant decided. `chosen` is the column `tenants.settings`."""
    return Features(
        user_patch_answers_204=value(chosen, "scim.user_patch_answers_204"),
        group_patch_answers_204=value(chosen, "scim.group_patch_answers_204"),
        unknown_members_ignored=value(chosen, "scim.unknown_members_ignored"),
        account_extension=value(chosen, "scim.account_extension"),
        roles_endpoint=value(chosen, "scim.roles_endpoint"),
        event_uris=heard(chosen, source_id),
        schemas=schemas,
    )
