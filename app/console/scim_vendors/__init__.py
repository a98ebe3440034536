"""How identity providers call what an administrator has to do there: one TOML file each, read once.

A vendor is a file here and nothing else: the pages know none by name. `{base_url}`, `{token}`, `{token_url}` and
`{scope}` in a field's value are filled in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

GENERIC: Final = "generic"
NOT_YET: Final = "the token that you made; it is shown only once"
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Field:
    """Something to fill in there, under the vendor's own label. `copy`: with a button that copies it."""

    label: str
    value: str
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: Sequence[str]
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong there, in the vendor's words, and what to do."""

    sign: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reference:
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """`systems` are the sources' products that begin with it; `credential` is what it shows at our door."""

    id: str
    title: str
    order: int
    lead: str
    first_request: str
    systems: Sequence[str]
    steps: Sequence[Step]
    troubles: Sequence[Trouble]
    references: Sequence[Reference]
    credential: Literal["token", "client"] = "token"


@cache
def vendors() -> Sequence[Vendor]:
    """All of them, in the order in which they are offered."""
    return tuple(sorted((_read(path) for path in _FOLDER.glob("*.toml")), key=lambda one: one.order))


def named(id: str) -> Vendor | None:
    """The one of that id."""
    return next((one for one in vendors() if one.id == id), None)


def of_system(system: str) -> Vendor:
    """The one that a source of this product begins with; the generic one for a product that nobody knows."""
    found = next((one for one in vendors() if system in one.systems), None) or named(GENERIC)
    assert found is not None
    return found


def filled(vendor: Vendor, values: Mapping[str, str | None]) -> Sequence[Step]:
    """The steps with our values in them. A field whose value is not known yet says so and is not copied."""
    return [replace(step, fields=[_filled(one, values) for one in step.fields]) for step in vendor.steps]


def _filled(field: Field, values: Mapping[str, str | None]) -> Field:
    text, known = field.value, True
    for name, value in values.items():
        if f"{{{name}}}" in text:
            known = known and value is not None
            text = text.replace(f"{{{name}}}", NOT_YET if value is None else value)
    return Field(field.label, text, field.copy and known)


def _read(path: Path) -> Vendor:
    said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return Vendor(
        path.stem,
        said["title"],
        said["order"],
        said["lead"],
        said["first_request"],
        tuple(said["systems"]),
        [Step(one["title"], one["text"], [Field(**each) for each in one.get("field", ())]) for one in said["step"]],
        [Trouble(**one) for one in said.get("trouble", ())],
        [Reference(**one) for one in said["source"]],
        said.get("credential", "token"),
    )
