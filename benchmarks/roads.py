"""What is asked on each road: an iterator of requests, so that no two of them write the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple
from urllib.parse import quote

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SCIM: Final = "/scim/v2"
PAGE: Final = 100
FLOOR: Final = "the floor: a constant of 1 KB"
LARGE: Final = "PATCH add 1 member, group of 10,000"


class Request(NamedTuple):
    """One request; `body` is JSON or None."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What a road needs to know of the tenant. `newcomers` are in no group yet; `run` makes names new in each run."""

    token: str
    users: Sequence[str]
    names: Sequence[str]
    newcomers: Sequence[str]
    small_groups: Sequence[str]
    large_group: str | None
    run: str = ""


def person(name: str) -> dict[str, Any]:
    """A user of about 1 KB, as an identity provider sends one."""
    address = f"{name}@quay.example"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": f"00u-{name}",
        "userName": address,
        "active": True,
        "displayName": f"{name} Quay",
        "name": {"givenName": name, "familyName": "Quay", "formatted": f"{name} Quay"},
        "emails": [{"value": address, "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+45 32 10 00 00", "type": "work"}],
        "title": "Lock keeper",
        "preferredLanguage": "da",
        "locale": "da-DK",
        "timezone": "Europe/Copenhagen",
        "addresses": [{"type": "work", "streetAddress": "Kaj 1", "locality": "Aarhus", "country": "DK"}],
        ENTERPRISE: {"employeeNumber": f"E-{name}", "department": "Locks", "costCenter": "4711", "division": "North"},
    }


def _floor(_sample: Sample) -> Iterator[Request]:
    return (Request("GET", "/floor") for _ in count())


def _health(_sample: Sample) -> Iterator[Request]:
    return (Request("GET", "/healthz") for _ in count())


def _get(sample: Sample) -> Iterator[Request]:
    return (Request("GET", f"{SCIM}/Users/{id}") for id in _spread(sample.users))


def _filter(sample: Sample) -> Iterator[Request]:
    filters = (f'userName eq "{name}"' for name in _spread(sample.names))
    return (Request("GET", f"{SCIM}/Users?filter={quote(one)}") for one in filters)


def _list(sample: Sample) -> Iterator[Request]:
    pages = max(1, len(sample.users) // PAGE)
    return (Request("GET", f"{SCIM}/Users?count={PAGE}&startIndex={1 + PAGE * (n * 7 % pages)}") for n in count())


def _post(sample: Sample) -> Iterator[Request]:
    return (Request("POST", f"{SCIM}/Users", person(f"new-{sample.run}-{n}")) for n in count())


def _active(sample: Sample) -> Iterator[Request]:
    """Everybody off, then everybody on again: each request changes something."""
    for round in count():
        for id in sample.users:
            yield Request("PATCH", f"{SCIM}/Users/{id}", _operation("replace", "active", bool(round % 2)))


def _small_group(sample: Sample) -> Iterator[Request]:
    for n, id in enumerate(sample.newcomers):
        yield _join(sample.small_groups[n % len(sample.small_groups)], id)


def _large_group(sample: Sample) -> Iterator[Request]:
    assert sample.large_group is not None
    for id in sample.newcomers:
        yield _join(sample.large_group, id)


def _join(group: str, id: str) -> Request:
    return Request("PATCH", f"{SCIM}/Groups/{group}", _operation("add", "members", [{"value": id}]))


def _operation(op: str, path: str, value: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": op, "path": path, "value": value}],
    }


def _spread(items: Sequence[str]) -> Iterator[str]:
    """All over the table, not in its order."""
    return (items[n * 7919 % len(items)] for n in count())


ROADS: Final[dict[str, Callable[[Sample], Iterator[Request]]]] = {
    FLOOR: _floor,
    "GET /healthz": _health,
    "GET a user": _get,
    "filter userName eq": _filter,
    "list 100 users": _list,
    "POST a user": _post,
    "PATCH active": _active,
    "PATCH add 1 member, 100 small groups": _small_group,
    LARGE: _large_group,
}


def encode(request: Request, token: str) -> bytes:
    """The bytes that go over the connection."""
    body = b"" if request.body is None else json.dumps(request.body, separators=(",", ":")).encode()
    head = (
        f"{request.method} {request.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
