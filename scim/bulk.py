"""Bulk (RFC 7644 §3.7): many operations in one request, each with its own status.

Operations ──read──▶ ready? ──references resolved──▶ Resources ──▶ result
                        ▲         │
                        └─ waits ─┘   a circle is cut: created without the references, completed afterwards
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from scim.errors import (
    Conflict,
    Internal,
    InvalidSyntax,
    InvalidValue,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ScimError,
)
from scim.etags import etag
from scim.query import Projection
from scim.resources import Answer, Resources, Verbs, object_of
from scim.schemas import Registry
from scim.store import Kind, Limits

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
_REFERENCE = re.compile(r"bulkId:([^/?#]+)")
_ALL = Projection()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it was read. `bulk_id` is None but for a POST."""

    index: int
    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Any

    @property
    def references(self) -> set[str]:
        """The bulkIds that path and data need."""
        return {id for text in (self.path, *_texts(self.data)) for id in _REFERENCE.findall(text)}


def run(resources: Resources, body: Mapping[str, Any], surprised: Callable[[Exception], None]) -> Answer:
    """200 with a result for each operation that was tried, in the order of the request.

    `surprised` is told of exceptions that are no `ScimError`; their operation answers 500.
    Errors: `InvalidSyntax`, `PayloadTooLarge`.
    """
    found = carry_out(resources, read(body, resources.limits), surprised)
    results = [found[index] for index in sorted(found)]
    return Answer(200, orjson.dumps({"schemas": [BULK_RESPONSE], "Operations": results}))


@dataclass(frozen=True, slots=True)
class Batch:
    """A bulk request as it was read. `fail_on` is the number of errors after which the rest is left undone."""

    operations: list[Operation]
    fail_on: int | None


def read(body: Mapping[str, Any], limits: Limits) -> Batch:
    """Check the request as a whole; what is in `data` is looked at when its turn comes.

    Errors: `InvalidSyntax`, `PayloadTooLarge`.
    """
    folded = {key.lower(): value for key, value in body.items()}
    return Batch(_read(folded, limits.bulk_operations), _fail_on(folded.get("failonerrors")))


def carry_out(
    resources: Resources,
    batch: Batch,
    surprised: Callable[[Exception], None],
    through: Callable[[int], Verbs] | None = None,
) -> dict[int, dict[str, Any]]:
    """The results of the operations that were tried, by their place in the request.

    `through` gives the verbs that an operation goes through, where they are not those of `resources`.
    """
    work = _Work(resources, batch, surprised, through or (lambda _: resources))
    work.run()
    return work.results


def _read(folded: Mapping[str, Any], limit: int) -> list[Operation]:
    listed = folded.get("operations")
    schemas = folded.get("schemas", [BULK_REQUEST])
    if not isinstance(listed, list) or not isinstance(schemas, list) or BULK_REQUEST not in schemas:
        raise InvalidSyntax(f"The body must be a {BULK_REQUEST} with its Operations.")
    if len(listed) > limit:
        raise PayloadTooLarge(f"A bulk request has at most {limit} operations.")
    operations = [_operation(index, raw) for index, raw in enumerate(listed)]
    ids = [operation.bulk_id for operation in operations if operation.bulk_id]
    if len(set(ids)) != len(ids):
        raise InvalidSyntax("A bulkId names two operations.")
    return operations


def _operation(index: int, raw: Any) -> Operation:
    folded = {key.lower(): value for key, value in object_of(raw, "Each operation").items()}
    method, path, bulk_id = folded.get("method"), folded.get("path"), folded.get("bulkid")
    if not isinstance(method, str) or not isinstance(path, str):
        raise InvalidSyntax("Each operation needs a method and a path.")
    if method.upper() == "POST" and not isinstance(bulk_id, str):
        raise InvalidSyntax("Each POST needs a bulkId.")
    version = folded.get("version")
    return Operation(
        index,
        method.upper(),
        path,
        bulk_id if isinstance(bulk_id, str) else None,
        version if isinstance(version, str) else None,
        folded.get("data"),
    )


def _fail_on(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidSyntax("failOnErrors must be a whole number from 1.")
    return value


class _Work:
    """One bulk request while it is being done."""

    def __init__(
        self,
        resources: Resources,
        batch: Batch,
        surprised: Callable[[Exception], None],
        through: Callable[[int], Verbs],
    ) -> None:
        self.results: dict[int, dict[str, Any]] = {}
        self._resources = resources
        self._registry = resources.store.features.schemas
        self._through = through
        self._waiting = list(batch.operations)
        self._created_by = {operation.bulk_id for operation in batch.operations if operation.method == "POST"}
        self._ids: dict[str, str] = {}
        self._failed: set[str] = set()
        self._circular: list[tuple[Operation, str]] = []
        self._fail_on = batch.fail_on
        self._errors = 0
        self._surprised = surprised

    def run(self) -> None:
        while self._waiting and not self._enough:
            ready = next((one for one in self._waiting if self._is_ready(one)), None)
            if ready is not None:
                self._waiting.remove(ready)
                self._do(ready)
            else:
                self._cut()
        for operation, id in self._circular:
            if not self._enough:
                self._complete(operation, id)

    @property
    def _enough(self) -> bool:
        return self._fail_on is not None and self._errors >= self._fail_on

    def _is_ready(self, operation: Operation) -> bool:
        """All that it refers to is there, or never will be."""
        open_ones = self._created_by - self._ids.keys() - self._failed
        return not operation.references & open_ones

    def _do(self, operation: Operation) -> None:
        self._answer(operation, lambda: self._dispatch(operation, self._resolved(operation.data)))

    def _cut(self) -> None:
        """Nobody is ready: create the first that can be created without its references."""
        operation = next((one for one in self._waiting if one.method == "POST"), self._waiting[0])
        self._waiting.remove(operation)
        self._answer(operation, lambda: self._dispatch(operation, _stripped(operation.data, self._ids)))
        id = self._ids.get(operation.bulk_id or "")
        if id is not None:
            self._circular.append((operation, id))

    def _complete(self, operation: Operation, id: str) -> None:
        """Write the whole of a resource that was created without its references."""
        self._answer(operation, lambda: self._completed(operation, id))

    def _completed(self, operation: Operation, id: str) -> Answer:
        kind, _ = _target(operation.path, self._registry)
        whole = object_of(self._resolved(operation.data), "data")
        answer = self._through(operation.index).replace(kind, id, whole, _ALL)
        return Answer(201, answer.body, answer.location, answer.version, answer.id)

    def _answer(self, operation: Operation, do: Callable[[], Answer]) -> None:
        result: dict[str, Any] = {"method": operation.method}
        if operation.bulk_id:
            result["bulkId"] = operation.bulk_id
        try:
            answer = do()
        except ScimError as error:
            self._refuse(operation, result, error)
        except Exception as error:  # noqa: BLE001 - one operation's failure is not the others'
            self._surprised(error)
            self._refuse(operation, result, Internal())
        else:
            if operation.bulk_id and operation.method == "POST" and answer.id:
                self._ids[operation.bulk_id] = answer.id
            result |= {"location": answer.location or self._url(operation), "status": str(answer.status)}
            if answer.version is not None:
                result["version"] = etag(answer.version)
        self.results[operation.index] = result

    def _refuse(self, operation: Operation, result: dict[str, Any], error: ScimError) -> None:
        self._errors += 1
        if operation.bulk_id and operation.bulk_id not in self._ids:
            self._failed.add(operation.bulk_id)
        result |= {"status": str(error.status), "response": error.as_json()}
        if operation.method != "POST":
            result["location"] = self._url(operation)

    def _url(self, operation: Operation) -> str:
        path = _REFERENCE.sub(lambda match: self._ids.get(match[1], match[0]), operation.path)
        return f"{self._resources.base_url}/{path.strip('/')}"

    def _dispatch(self, operation: Operation, data: Any) -> Answer:
        kind, id = _target(self._resolved(operation.path), self._registry)
        verbs = self._through(operation.index)
        if operation.method == "POST" and id is None:
            return verbs.create(kind, object_of(data, "data"), _ALL)
        if id is None or operation.method not in ("PUT", "PATCH", "DELETE"):
            raise MethodNotAllowed(operation.method, ("POST",) if id is None else ("PUT", "PATCH", "DELETE"))
        if operation.method == "DELETE":
            return verbs.delete(kind, id, if_match=operation.version)
        write = verbs.replace if operation.method == "PUT" else verbs.patch
        return write(kind, id, object_of(data, "data"), _ALL, if_match=operation.version)

    def _resolved(self, value: Any) -> Any:
        return _mapped(value, lambda text: _REFERENCE.sub(lambda match: self._id(match[1]), text))

    def _id(self, bulk_id: str) -> str:
        if bulk_id in self._ids:
            return self._ids[bulk_id]
        if bulk_id in self._failed:
            raise Conflict(f"The operation with the bulkId {bulk_id!r} failed.")
        raise InvalidValue(f"No operation has the bulkId {bulk_id!r}.")


def _target(path: str, registry: Registry) -> tuple[Kind, str | None]:
    head, _, id = path.strip("/").partition("/")
    for known in registry.kinds():
        if known.endpoint.strip("/").lower() == head.lower() and "/" not in id:
            return cast(Kind, known.kind), id or None
    raise NotFound(f"There is nothing at {path[:200]!r}.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for held in value.values() if isinstance(value, dict) else value:
            yield from _texts(held)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(held, change) for key, held in value.items()}
    return [_mapped(held, change) for held in value] if isinstance(value, list) else value


def _stripped(value: Any, known: Mapping[str, str]) -> Any:
    """`value` without the parts that refer to what is not there yet; other references are resolved."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: known.get(match[1], match[0]), value)
    if isinstance(value, list):
        return [_stripped(held, known) for held in value if not _open(held, known)]
    if isinstance(value, dict):
        return {key: _stripped(held, known) for key, held in value.items() if not _open(held, known)}
    return value


def _open(value: Any, known: Mapping[str, str]) -> bool:
    """Whether `value` itself, or as an object of references, points at what is not there."""
    own = [value] if isinstance(value, str) else list(value.values()) if isinstance(value, dict) else []
    texts = [text for text in own if isinstance(text, str)]
    return any(id not in known for text in texts for id in _REFERENCE.findall(text))
