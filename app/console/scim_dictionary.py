"""What SCIM refusals mean and what to do about them: `scim_errors.toml`, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("scim_errors.toml")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One refusal. `shown` is how each provider shows it, by the provider's name in `scim_vendors`."""

    status: int
    title: str
    meaning: str
    remedy: str
    section: str
    scim_type: str | None = None
    shown: Mapping[str, str] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        """Its place on the page of all of them."""
        return f"e{self.status}-{self.scim_type}" if self.scim_type else f"e{self.status}"


@cache
def meanings() -> Sequence[Meaning]:
    """All of them, in the file's order."""
    return tuple(Meaning(**one) for one in _read()["error"])


def meaning(status: int, scim_type: str | None) -> Meaning | None:
    """What this refusal means: that of its scimType, else that of its status."""
    same = [one for one in meanings() if one.status == status]
    exact = next((one for one in same if one.scim_type == scim_type), None)
    return exact or next((one for one in same if one.scim_type is None), None)


@cache
def called(method: str, kind: str | None) -> Mapping[str, str]:
    """What each provider calls a request of this kind."""
    named = (one["by"] for one in _read()["called"] if one["method"] == method and one["kind"] == kind)
    return next(named, {})


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
