"""Which SCIM schemas a tenant has: ours, and those that it declared.

A tenant without any of its own shares `SCHEMAS`; the others' registries are kept until their revision moves. So a
request pays nothing, and the first one after a change one statement.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from app.store import schemas as store
from scim.extensions import kept
from scim.schemas import SCHEMAS, Registry

CACHED_TENANTS: Final = 1024


class Registries:
    """What this process knows of the tenants' schemas."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, Registry]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, conn: sa.Connection, tenant_id: str, revision: int) -> Registry:
        """The tenant's registry as of `revision`, or a newer one."""
        with self._lock:
            known = self._known.get(tenant_id)
            if known is not None and known[0] == revision:
                self._known.move_to_end(tenant_id)
                return known[1]
        registry = registry_of(store.listing(conn, tenant_id))
        with self._lock:
            self._known[tenant_id] = (revision, registry)
            while len(self._known) > CACHED_TENANTS:
                self._known.popitem(last=False)
        return registry


def registry_of(declared: Iterable[store.Declared]) -> Registry:
    """Ours and these; without any, the one that all tenants share."""
    own = [(one.kind, kept(one.document)) for one in declared]
    return SCHEMAS.extended(own) if own else SCHEMAS
