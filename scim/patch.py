"""PATCH (RFC 7644 §3.5.2) as a pure function: a document and operations in, the new document out.

    operations ─▶ read_operations ─▶ Operation ─▶ targets (one path each) ─▶ values | members ─▶ Patched

Each operation works on the result of the one before; an error anywhere leaves nothing behind. Members are folded into
one change and never stand in the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

from scim import dialects, immutable
from scim.documents import coerce, with_schemas
from scim.errors import InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget, PayloadTooLarge
from scim.filters import parse_path
from scim.members import MemberFold, Present, read_members
from scim.paths import Path
from scim.schemas import SCHEMAS, Attribute, Place, Registry
from scim.store import Document, Kind, Limits, MemberChange
from scim.values import Verb, change, copied

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_UNTOUCHED = ("id", "schemas", "meta")


class Patched(NamedTuple):
    """`ignored` names what was not understood, as it was sent; `named` what was, in its places."""

    document: Document
    members: MemberChange
    ignored: tuple[str, ...]
    named: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    verb: Verb
    path: str | None = None
    value: Any = None


def read_operations(body: Mapping[str, Any], limits: Limits) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    """The operations of a PatchOp body, and what stood beside them and is unknown.

    Errors: `InvalidSyntax` when it is no PatchOp, `PayloadTooLarge` for too many operations.
    """
    folded = {key.lower(): value for key, value in body.items()}
    schemas = folded.get("schemas", [PATCH_OP])
    named = [urn.lower() for urn in dialects.elements(schemas) if isinstance(urn, str)]
    operations = folded.get("operations")
    if PATCH_OP.lower() not in named or not isinstance(operations, list):
        raise InvalidSyntax(f"The body must be a {PATCH_OP} with its Operations.")
    if not operations:
        raise InvalidSyntax("Operations must hold at least one operation.")
    if len(operations) > limits.patch_operations:
        raise PayloadTooLarge(f"A request has at most {limits.patch_operations} operations.")
    ignored: list[str] = [key for key in body if key.lower() not in ("schemas", "operations")]
    return tuple(_read(operation, ignored) for operation in operations), tuple(ignored)


def _read(operation: Any, ignored: list[str]) -> Operation:
    if not isinstance(operation, dict):
        raise InvalidSyntax("Each operation must be an object.")
    folded = {key.lower(): value for key, value in operation.items()}
    if len(folded) != len(operation):
        raise InvalidSyntax("An operation names one key twice.")
    verb, path = folded.get("op"), folded.get("path")
    verb = verb.lower() if isinstance(verb, str) else verb
    if verb not in ("add", "replace", "remove"):
        raise InvalidSyntax("op must be add, replace or remove.")
    if path is not None and not isinstance(path, str):
        raise InvalidPath("path must be a text.")
    ignored.extend(f"Operations.{key}" for key in operation if key.lower() not in ("op", "path", "value"))
    if verb == "remove" and not path:
        raise NoTarget("remove needs a path.")
    if verb != "remove" and "value" not in folded:
        raise InvalidValue(f"{verb} needs a value.")
    return Operation(cast(Verb, verb), path or None, folded.get("value"))


def names_members(operation: Operation) -> bool:
    """Whether it is about a group's members and surely about nothing else."""
    path = (operation.path or "").lower()
    return path == "members" or path.startswith("members[")


def apply(
    kind: Kind,
    document: Document,
    operations: tuple[Operation, ...],
    *,
    limits: Limits | None = None,
    present: Present | None = None,
    registry: Registry = SCHEMAS,
) -> Patched:
    """The result of `operations` on `document`, which stays as it is. `present` reads the members that are there.

    Errors: `InvalidPath`, `InvalidFilter`, `NoTarget`, `InvalidValue`, `InvalidSyntax`, `Mutability`.
    """
    run = _Run(kind, copied(document), MemberFold(present), limits or Limits(), registry)
    for operation in operations:
        run.apply(operation)
    if run.misspelt and not run.understood:
        raise InvalidPath(f"There is no attribute {run.misspelt[0][:200]!r}.")
    patched = run.result()
    immutable.check(run.schemas, document, patched)
    return Patched(patched, run.members.change(), tuple(dict.fromkeys(run.ignored)), frozenset(run.named))


class _Run:
    """One request while it is being applied."""

    def __init__(self, kind: Kind, document: Document, members: MemberFold, limits: Limits, registry: Registry) -> None:
        self.kind = kind
        self.registry = registry
        self.schemas = registry.of(kind)
        self.document = document
        self.members = members
        self.limits = limits
        self.ignored: list[str] = []
        self.misspelt: list[str] = []
        self.understood = False
        self.named: set[Place] = set()

    def apply(self, operation: Operation) -> None:
        if operation.path is not None:
            self._at(operation.verb, operation.path, operation.value, "path")
            return
        if not isinstance(operation.value, dict):
            raise InvalidValue(f"{operation.verb} without a path needs an object as its value.")
        _check_once(operation.value)
        for key, value in operation.value.items():
            self._at(operation.verb, key, value, "key")

    def _at(self, verb: Verb, text: str, value: Any, named_by: Literal["path", "key"]) -> None:
        path = parse_path(self.kind, text, self.limits, self.registry)
        if path is None:
            self._unknown(text, value, named_by)
            return
        self.understood = True
        if path.attribute is None:
            self._extension(verb, path, value)
        elif named_by == "key" and path.name in _UNTOUCHED:
            return
        elif path.attribute.mutability == "readOnly" or (path.sub and path.sub.mutability == "readOnly"):
            if named_by == "path" or value not in (None, "", []):
                raise Mutability(f"{path.name} is read-only.")
        elif path.name == "schemas":
            return
        elif path.attribute.name == "members":
            self._members(verb, path, value)
        elif path.kept:
            self._value(verb, path, value)

    def _unknown(self, text: str, value: Any, named_by: Literal["path", "key"]) -> None:
        """A foreign extension or a body's unknown key is drift; a path that names nothing at all may be a mistake."""
        if named_by == "path" and not text.lower().startswith("urn:"):
            self.misspelt.append(text)
        names = value if named_by == "key" and isinstance(value, dict) and text.lower().startswith("urn:") else None
        self.ignored.extend([f"{text}:{name}" for name in names] if names else [text])

    def _extension(self, verb: Verb, path: Path, value: Any) -> None:
        """The URN alone: each attribute of the object is one more target."""
        extension = self.schemas.extension(path.schema or "")
        assert extension is not None
        if verb == "remove" or value in (None, "", []):
            if all(attribute.mutability == "readOnly" for attribute in extension.attributes):
                raise Mutability(f"{extension.id} is read-only.")
            self.document.pop(extension.id, None)
            return
        if not isinstance(value, dict):
            raise InvalidValue(f"{extension.id} must be an object.")
        _check_once(value)
        for key, held in value.items():
            self._at(verb, f"{extension.id}:{key}", held, "key")

    def _value(self, verb: Verb, path: Path, value: Any) -> None:
        target = path.target
        assert target is not None
        if verb == "remove":
            if target.required:
                raise Mutability(f"{path.name} is required.")
            listed = target.multi_valued and path.where is None and dialects.remove_by_value(value)
            wanted = coerce(target, value, path.name, []) or [] if listed else None
        else:
            wanted = coerce(_checked_as(path), value, path.name, self.ignored)
            if wanted is None and target.required:
                raise InvalidValue(f"{path.name} is required.")
        self._name(path, wanted)
        holder = self.document.setdefault(path.schema, {}) if path.schema else self.document
        change(holder, verb, path, wanted)

    def _name(self, path: Path, wanted: Any) -> None:
        """The attribute is named, and the part of it, or the parts that the value holds."""
        assert path.attribute is not None
        if not self.schemas.withheld:  # nobody asks
            return
        self.named |= {Place(path.schema, path.attribute, path.sub), Place(path.schema, path.attribute)}
        for one in dialects.elements(wanted):
            parts = [path.attribute.sub(name) for name in one] if isinstance(one, dict) else []
            self.named |= {Place(path.schema, path.attribute, part) for part in parts}

    def _members(self, verb: Verb, path: Path, value: Any) -> None:
        if path.sub is not None and not (verb == "remove" and path.where is None):
            raise Mutability("A member's attributes cannot change: remove the member and add another.")
        if path.where is not None:
            self._chosen_members(verb, path, value)
        elif verb == "add":
            self.members.add(read_members(value))
        elif verb == "replace":
            self.members.replace(read_members(value))
        elif dialects.remove_by_value(value):
            self.members.remove(member.id for member in read_members(value))
        else:
            self.members.replace(())

    def _chosen_members(self, verb: Verb, path: Path, value: Any) -> None:
        assert path.where is not None
        ids = self.members.chosen(path.where)
        if verb != "add":
            self.members.remove(ids)
        if verb != "remove":
            self.members.add(read_members(value or list(ids)))

    def result(self) -> Document:
        return with_schemas(self.schemas, dict(self._assigned()))

    def _assigned(self) -> Iterator[tuple[str, Any]]:
        for key, value in self.document.items():
            if value not in (None, "", [], {}):
                yield key, value


def _check_once(value: Mapping[str, Any]) -> None:
    """Names that differ in case only are one attribute named twice (RFC 7643 §2.1)."""
    seen: set[str] = set()
    for key in value:
        if key.lower() in seen:
            raise InvalidSyntax(f"{key} is named twice.")
        seen.add(key.lower())


def _checked_as(path: Path) -> Attribute:
    """The definition that a value is checked by: that of one element where brackets choose among elements."""
    target = path.target
    assert target is not None
    return replace(target, multi_valued=False) if path.where is not None and path.sub is None else target
