"""What is asked on each road: an iterator of requests, so that no two of them write the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple
from urllib.parse import quote

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PAGE: Final = 100
NEAR: Final = 10_000
FLOOR: Final = "the floor: a constant of 1 KB"
HEALTH: Final = "GET /healthz"
OURS_ALONE: Final = (FLOOR, HEALTH)  # the peer has no such road


class Request(NamedTuple):
    """One request; `body` is JSON, a form as text, or None. `authorization` is the sample's token if None."""

    method: str
    path: str
    body: Any = None
    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What a road needs to know of the tenant: some of its `total` users; `newcomers`, who are in no group yet.

    `run` makes names new in each run, `base` is the path of the SCIM service.
    """

    token: str
    total: int
    users: Sequence[str]
    names: Sequence[str]
    newcomers: Sequence[str]
    small_groups: Sequence[str]
    large_group: str
    run: str = ""
    base: str = "/scim/v2"


def name(letter: str, number: int) -> str:
    """Somebody's name: of one length, and like nothing else in a document."""
    return f"{letter}{number:07}"


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
    return (Request("GET", f"{sample.base}/Users/{id}") for id in _spread(sample.users))


def _filter(sample: Sample) -> Iterator[Request]:
    filters = (f'userName eq "{name}"' for name in _spread(sample.names))
    return (Request("GET", f"{sample.base}/Users?filter={quote(one)}") for one in filters)


def _list(sample: Sample) -> Iterator[Request]:
    """Pages all over the first 10,000 people: further on, `startIndex` costs what it counts (see `paging`)."""
    pages = max(1, min(sample.total, NEAR) // PAGE)
    return (
        Request("GET", f"{sample.base}/Users?count={PAGE}&startIndex={1 + PAGE * (n * 7 % pages)}") for n in count()
    )


def _post(sample: Sample) -> Iterator[Request]:
    return (Request("POST", f"{sample.base}/Users", person(f"new-{sample.run}-{n}")) for n in count())


def _active(sample: Sample) -> Iterator[Request]:
    """Everybody off, then everybody on again: each request changes something. Warming up begins at the other end."""
    users = sample.users[::-1] if sample.run else sample.users
    for round in count():
        for id in users:
            yield Request("PATCH", f"{sample.base}/Users/{id}", _operation("replace", "active", bool(round % 2)))


def _small_group(sample: Sample) -> Iterator[Request]:
    for n, id in enumerate(sample.newcomers):
        yield _join(sample, sample.small_groups[n % len(sample.small_groups)], id)


def _large_group(sample: Sample) -> Iterator[Request]:
    for id in sample.newcomers:
        yield _join(sample, sample.large_group, id)


def _join(sample: Sample, group: str, id: str) -> Request:
    return Request("PATCH", f"{sample.base}/Groups/{group}", _operation("add", "members", [{"value": id}]))


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
    HEALTH: _health,
    "GET a user": _get,
    "filter userName eq": _filter,
    "list 100 users": _list,
    "POST a user": _post,
    "PATCH active": _active,
    "PATCH add 1 member, 100 small groups": _small_group,
    "PATCH add 1 member, the large group": _large_group,
}


def encode(request: Request, token: str) -> bytes:
    """The bytes that go over the connection."""
    is_form = isinstance(request.body, str)
    text = request.body if is_form else "" if request.body is None else json.dumps(request.body, separators=(",", ":"))
    head = (
        f"{request.method} {request.path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {request.authorization or f'Bearer {token}'}\r\n"
        f"Content-Type: application/{'x-www-form-urlencoded' if is_form else 'scim+json'}\r\n"
        f"Content-Length: {len(text.encode())}\r\n\r\n"
    )
    return (head + text).encode()
