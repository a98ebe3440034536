"""Requests that nobody should send: real ones of the transcripts, bent at random.

transcripts ──▶ seeds ──Random──▶ bent: method, path, query, headers, and the body as a document or as bytes
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import quote

from tests.proofs.definition import ENTERPRISE, LMS
from tests.proofs.town import WORDS
from tests.transcripts.runner import transcripts

_STEPS: Final = [step["request"] for path in transcripts() for step in json.loads(path.read_text())["steps"]]
_BODIES: Final = [step["body"] for step in _STEPS if isinstance(step.get("body"), dict)]
_NAMES: Final = ["id", "meta", "schemas", "userName", "members", "groups", "active", "emails", "emails.value", "name"]
_NAMES_TOO: Final = [
    "password",
    "x509Certificates",
    "photos.value",
    "manager",
    "meta.created",
    "$ref",
    "roles",
    "nobody",
]
_URNS: Final = [ENTERPRISE, LMS]
_FILTERS: Final = [
    'userName eq "a"',
    'emails[type eq "work" and value co "x"]',
    "not (title pr)",
    'meta.created gt "2026-01-01T00:00:00Z"',
    'members.value eq "{{ada}}"',
    'groups[display sw "c"]',
    f'{_URNS[1]}:roles eq "a"',
    'emails[type eq "work"].value ne null',
    'roles[primary eq "True"]',
    "active eq true or active eq false and id pr",
    f"{_URNS[0]}:manager.value pr",
]
_VALUES: Final[list[Any]] = [
    None,
    True,
    False,
    0,
    -1,
    1e308,
    10**30,
    1.5,
    "",
    " ",
    "True",
    "a" * 600,
    "\ud83d\ude00",
    "\x7f",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"value": None},
    {"value": {"value": "a"}},
    [{"value": ["a"]}],
    [1, "a", None],
    '{"value": "x"}',
    "2026-13-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "bulkId:x",
    "bulkId:",
    "00000000-0000-0000-0000-000000000000",
]
_TYPES: Final = [
    "application/scim+json",
    "application/json",
    "text/plain",
    "",
    "application/json; charset=latin-1",
    "x" * 500,
]
_PATHS: Final = [
    "/Users",
    "/Groups",
    "/.search",
    "/Users/.search",
    "/Bulk",
    "/Schemas",
    "/ResourceTypes",
    "/Me",
    "/Nope",
    "/",
]
_METHODS: Final = ["GET", "GET", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def url(self) -> str:
        pairs = "&".join(
            f"{quote(name)}={quote(value, safe='', errors='replace')}" for name, value in self.query.items()
        )
        return quote(self.path, safe="/%", errors="replace") + (f"?{pairs}" if pairs else "")


def bent(rng: Random, known: Mapping[str, str], ids: Sequence[str]) -> Request:
    """A request of the transcripts, changed in a few places. `known` fills placeholders, `ids` are resources."""
    seed = copy.deepcopy(rng.choice(_STEPS))
    made = Request(seed["method"], seed["path"], dict(seed.get("query", {})), {"Content-Type": _TYPES[0]})
    document: Any = seed.get("body")
    if rng.random() < 0.3:
        made.method, made.path = rng.choice(_METHODS), _path(rng, ids)
        document = copy.deepcopy(rng.choice(_BODIES))
    if made.path.endswith("Bulk") and isinstance(document, dict) and rng.random() < 0.5:
        document["Operations"] = [_operation(rng, ids) for _ in range(rng.randint(1, 5))]
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        document = _bend(rng, document)
    _ask(rng, made)
    if document is not None:
        made.body = _bytes(rng, _filled(json.dumps(document), known, rng))
    made.path = _filled(made.path, known, rng)
    made.query = {name: _filled(str(value), known, rng) for name, value in made.query.items()}
    return made


def _path(rng: Random, ids: Sequence[str]) -> str:
    if rng.random() < 0.6:
        return rng.choice(("/Users/", "/Groups/")) + rng.choice([*ids, "nobody", "%00", "{{ada}}", "😀", "a/b"])
    return rng.choice(_PATHS)


def _operation(rng: Random, ids: Sequence[str]) -> dict[str, Any]:
    operation = {"method": rng.choice(["POST", "PUT", "PATCH", "DELETE", "GET", "patch"]), "path": _path(rng, ids)}
    operation["bulkId"] = rng.choice(["x", "y", "z", ""])
    return operation | {"data": copy.deepcopy(rng.choice(_BODIES))}


def _ask(rng: Random, made: Request) -> None:
    """Query and headers."""
    if rng.random() < 0.3:
        made.query["filter"] = _filter(rng)
    for name, values in (
        ("attributes", _names),
        ("excludedAttributes", _names),
        ("sortBy", _names),
        ("sortOrder", _word),
        ("startIndex", _number),
        ("count", _number),
        ("cursor", _cursor),
    ):
        if rng.random() < 0.06:
            made.query[name] = values(rng)
    for name, said in (
        ("If-Match", ['W/"1"', "*", '"', "W/", 'W/"99999999999999999999"', "1"]),
        ("If-None-Match", ["*", 'W/"1"']),
        ("Content-Type", _TYPES),
        ("Accept", ["text/html", "*/*", ";"]),
        ("Authorization", ["Bearer", "Basic x", "Bearer \xe9"]),
        ("Prefer", ["respond-async", "respond-async, wait=0", "wait=x"]),
    ):
        if rng.random() < 0.03:
            made.headers[name] = rng.choice(said)


def _filter(rng: Random) -> str:
    text = rng.choice(_FILTERS)
    if rng.random() < 0.3:
        text = f"{text} {rng.choice(('and', 'or', 'AND', 'xor'))} ({rng.choice(_FILTERS)})"
    if rng.random() < 0.5:
        place = rng.randrange(len(text))
        text = (
            text[:place]
            + rng.choice([*WORDS, *_NAMES, '"', "[", "]", "(", ")", ".", ":", " pr", "\\u0000"])
            + text[place + rng.randint(0, 3) :]
        )
    return text


def _names(rng: Random) -> str:
    names = [rng.choice([*_NAMES, *_NAMES_TOO, *_URNS, f"{_URNS[0]}:manager.value"]) for _ in range(rng.randint(1, 3))]
    return rng.choice((",", ", ", ".", "[")).join(names)


def _word(rng: Random) -> str:
    return rng.choice(["ascending", "descending", "Descending", "", *WORDS])


def _number(rng: Random) -> str:
    return rng.choice(["0", "1", "2", "-1", "", "a", "1.5", "201", str(2**31), str(2**63), "９"])


def _cursor(rng: Random) -> str:
    return rng.choice(["", "a", "AAAA", "=", "é", "a" * 300])


def _bend(rng: Random, document: Any) -> Any:
    """One change somewhere in the document: a value, a key's case, a key more or less, a list around it."""
    place = rng.random()
    if isinstance(document, dict) and document and place < 0.85:
        key = rng.choice(list(document))
        change = rng.random()
        if change < 0.6:
            document[key] = _bend(rng, document[key])
        elif change < 0.7:
            del document[key]
        elif change < 0.8:
            document[rng.choice((key.upper(), key.capitalize(), key + "x"))] = document[key]
        else:
            document[rng.choice([*_NAMES, *_NAMES_TOO, *_URNS, "path", "op", "value"])] = copy.deepcopy(
                rng.choice(_VALUES)
            )
        return document
    if isinstance(document, list) and document and place < 0.85:
        index = rng.randrange(len(document))
        document[index] = _bend(rng, document[index])
        return document * 2 if rng.random() < 0.1 else document
    if place < 0.9:
        return copy.deepcopy(rng.choice(_VALUES))
    return rng.choice([[document], {"value": document}, _names(rng), _filter(rng), f"emails[{_filter(rng)}].value"])


def _bytes(rng: Random, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.08 and data:
        place = rng.randrange(len(data))
        data = data[:place] + rng.randbytes(rng.randint(0, 4)) + data[place + rng.randint(0, 4) :]
    if rng.random() < 0.01:
        data = b"[" * 40 + data + b"]" * 40
    return data


def _filled(text: str, known: Mapping[str, str], rng: Random) -> str:
    while (start := text.find("{{")) >= 0 and (end := text.find("}}", start)) >= 0:
        name = text[start + 2 : end].partition("|")[0].partition(".")[0]
        text = text[:start] + (known.get(name) or rng.choice(list(known.values()))) + text[end + 2 :]
    return text
