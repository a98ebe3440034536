"""Who talks to the server: identity providers over SCIM, HR and the LMS over the REST API, one or many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import requests
import sqlalchemy as sa

from app.store import credentials, tenants
from app.store.engine import writing

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SECONDS: Final = 30
BUSY_TRIES: Final = 20
R = TypeVar("R")
T = TypeVar("T")


class Client:
    """One keep-alive connection with a bearer token. A 503 (others hold the same people) is tried again."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.session.close()

    def send(self, method: str, path: str, body: Any = None, **params: Any) -> requests.Response:
        """One request below the base URL."""
        for _ in range(BUSY_TRIES):
            answer = self.session.request(method, self.base_url + path, json=body, params=params, timeout=SECONDS)
            if answer.status_code != 503:
                break
        return answer

    def reconnect(self) -> None:
        """Sends the next request over a new connection, which any of the web workers may take."""
        self.session.close()

    def patch(self, path: str, *operations: dict[str, Any]) -> requests.Response:
        """A SCIM PATCH with these operations."""
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


def scim(engine: sa.Engine, server_url: str, source: tenants.SourceRow) -> Client:
    """A client at the SCIM door, with a new token of the source."""
    with writing(engine) as conn:
        issued = credentials.issue(conn, source.tenant_id, "scim_token", "journey", source_id=source.id)
    return Client(f"{server_url}/scim/v2", issued.secret)


def api(engine: sa.Engine, server_url: str, tenant: tenants.Tenant, *scopes: str) -> Client:
    """A client of the REST API, with a new key."""
    with writing(engine) as conn:
        issued = credentials.issue(conn, tenant.id, "api_key", "journey", scopes=scopes)
    return Client(f"{server_url}/api/v1", issued.secret)


def person(name: str, **more: Any) -> dict[str, Any]:
    """A user as Entra ID creates one; `more` replaces or adds attributes."""
    address = f"{name}@quay.example"
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": f"entra-{name}",
        "userName": address,
        "active": True,
        "displayName": name.title(),
        "emails": [{"primary": True, "type": "work", "value": address}],
        "name": {"formatted": f"{name.title()} Quay", "familyName": "Quay", "givenName": name.title()},
        **more,
    }


def group(name: str) -> dict[str, Any]:
    """A group as Entra ID creates one: without members."""
    return {"schemas": [GROUP], "externalId": f"entra-{name}", "displayName": name, "members": []}


def members(op: str, ids: Iterable[str]) -> dict[str, Any]:
    """One PATCH operation that adds or removes members."""
    return {"op": op, "path": "members", "value": [{"value": id} for id in ids]}


def at_once(acts: Iterable[Callable[[], R]]) -> list[R]:
    """Does all of it at the same moment, one thread each; the results in their order."""
    listed = list(acts)
    gate = threading.Barrier(len(listed))

    def act(one: Callable[[], R]) -> R:
        gate.wait(SECONDS)
        return one()

    with ThreadPoolExecutor(len(listed)) as pool:
        return list(pool.map(act, listed))


def in_shares(items: list[T], count: int) -> list[list[T]]:
    """The items dealt out to `count` clients."""
    return [items[start::count] for start in range(count)]
