"""Asynchronous requests (RFC 9967 §2.5.1): who wants to be answered later, what is kept, and what its completion says.

    Prefer: respond-async ─▶ checked as far as it can be at once ─▶ Store.defer ─▶ 202, Set-Txn
    later: the kept request ─▶ Once(verbs) ─▶ results, one for each operation ─▶ the event's payload

The preference is a wish (RFC 7240 §2): without a receiver that hears completions the request is simply carried out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from scim import bulk, events
from scim.documents import normalise
from scim.errors import Conflict, Internal, ScimError
from scim.etags import etag
from scim.patch import read_operations
from scim.query import Projection
from scim.resources import Answer, Resources, Verbs
from scim.store import Features, Kind, Later, Limits

PREFERENCE: Final = "respond-async"
_ALL: Final = Projection()
_PASSWORD: Final = re.compile(r"(?:.*:)?password", re.IGNORECASE)
_PREFERENCE: Final = re.compile(r'\s*([^\s=;,"]+)\s*(?:=\s*("[^"]*"|[^\s;,"]*))?')


def wanted(prefer: Iterable[str], features: Features, kind: Kind | None) -> bool:
    """Whether to answer later. `prefer` are the values of all Prefer headers.

    A client that names a time to `wait` is answered within it: a single write takes milliseconds. Bulk may take longer
    than anybody waits, and is always deferred.
    """
    asked = preferences(prefer)
    if PREFERENCE not in asked or events.ASYNC not in features.event_uris:
        return False
    wait = asked.get("wait", "")
    return kind is None or not (wait.isascii() and wait.isdigit() and int(wait[:9]) > 0)


def preferences(prefer: Iterable[str]) -> dict[str, str]:
    """RFC 7240 §2: names in lower case; the first of a name counts, parameters are left out."""
    found: dict[str, str] = {}
    for value in prefer:
        for part in value.split(","):
            match = _PREFERENCE.match(part)
            if match:
                found.setdefault(match[1].lower(), (match[2] or "").strip('"'))
    return found


def checked(request: Later, features: Features, limits: Limits) -> Later:
    """The request as it is kept. Raises now what it would fail with whatever the store holds."""
    if request.kind is None:
        bulk.read(request.body or {}, limits)
    elif request.method in ("POST", "PUT"):
        normalise(request.kind, request.body or {}, features.schemas)
    elif request.method == "PATCH":
        read_operations(request.body or {}, limits)
    return replace(request, body=without_passwords(request.body))


def without_passwords(value: Any) -> Any:
    """The body without passwords, wherever they stand: they are accepted and not kept (RFC 7643 §4.1.1)."""
    if isinstance(value, list):
        return [without_passwords(one) for one in value]
    if not isinstance(value, dict):
        return value
    path = next((held for key, held in value.items() if key.lower() == "path"), None)
    of_password = isinstance(path, str) and _PASSWORD.fullmatch(path)
    return {
        key: without_passwords(held)
        for key, held in value.items()
        if not _PASSWORD.fullmatch(key) and not (of_password and key.lower() == "value")
    }


@dataclass(frozen=True, slots=True)
class Once:
    """The verbs, where what an earlier attempt did is not done again.

    `done` maps a verb to the answer that it had: the crash came after the effect and before the completion.
    """

    verbs: Verbs
    done: Mapping[str, Answer]

    def create(self, kind: Kind, body: Mapping[str, Any], projection: Projection) -> Answer:
        return self.done.get("create") or self.verbs.create(kind, body, projection)

    def replace(
        self, kind: Kind, id: str, body: Mapping[str, Any], projection: Projection, **conditions: str | None
    ) -> Answer:
        return self.done.get("update") or self.verbs.replace(kind, id, body, projection, **conditions)

    def patch(
        self, kind: Kind, id: str, body: Mapping[str, Any], projection: Projection, **conditions: str | None
    ) -> Answer:
        return self.done.get("update") or self.verbs.patch(kind, id, body, projection, **conditions)

    def delete(self, kind: Kind, id: str, **conditions: str | None) -> Answer:
        return self.done.get("delete") or self.verbs.delete(kind, id, **conditions)


def carry_out(
    request: Later,
    resources: Resources,
    through: Callable[[int], Verbs],
    surprised: Callable[[Exception], None],
) -> list[dict[str, Any]]:
    """The results, as in a Bulk response (RFC 7644 §3.7.3); one for a request that is not Bulk.

    Each operation of Bulk has one, also those that `failOnErrors` left undone: their completion is awaited (§2.5.1.2).
    """
    if request.kind is None:
        batch = bulk.read(request.body or {}, resources.limits)
        found = bulk.carry_out(resources, batch, surprised, through)
        return [found.get(one.index) or _undone(one.method) for one in batch.operations]
    return [_single(request, request.kind, through, surprised, resources.base_url)]


def _single(
    request: Later,
    kind: Kind,
    through: Callable[[int], Verbs],
    surprised: Callable[[Exception], None],
    base_url: str,
) -> dict[str, Any]:
    """A POST that failed has no location: nothing was made (RFC 7644 §3.7.3)."""
    result: dict[str, Any] = {"method": request.method}
    location = {"location": base_url + events.uri_of(kind, request.id or "")}
    try:
        answer = _dispatch(request, kind, through(0))
    except ScimError as error:
        known = {} if request.method == "POST" else location
        return result | known | {"status": str(error.status), "response": error.as_json()}
    except Exception as error:  # noqa: BLE001 - the client awaits a completion whatever happens
        surprised(error)
        known = {} if request.method == "POST" else location
        return result | known | {"status": "500", "response": Internal().as_json()}
    version = {} if answer.version is None else {"version": etag(answer.version)}
    return result | location | {"status": str(answer.status)} | version


def _dispatch(request: Later, kind: Kind, verbs: Verbs) -> Answer:
    body, id = request.body or {}, request.id or ""
    if request.method == "POST":
        return verbs.create(kind, body, _ALL)
    if request.method == "DELETE":
        return verbs.delete(kind, id, **request.conditions)
    write = verbs.replace if request.method == "PUT" else verbs.patch
    return write(kind, id, body, _ALL, **request.conditions)


def _undone(method: str) -> dict[str, Any]:
    error = Conflict("Not done: as many operations failed before as failOnErrors allows.")
    return {"method": method, "status": str(error.status), "response": error.as_json()}
