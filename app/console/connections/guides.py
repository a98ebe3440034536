"""What is to be done at each vendor's, in the vendor's own words: one file each in `app/console/vendors`.

    title, called, order, name     [saml], [oidc]: either may be missing
    sources                 pages of the vendor's that say so
    prefers, where          how its metadata comes (url, file), and where it stands; of OpenID: issuer, secret
    steps                   title, text (**bold**: words of the vendor's pages; `code`: typed), values, attributes
    fields                  further settings to ask for
    errors                  what the vendor's own pages show, and what it means

A value is one of ours by its name: see `Place.values`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

Kind = Literal["saml", "oidc"]

FOLDER: Final = Path(__file__).parent.parent / "vendors"
OTHER: Final = "other"
KINDS: Final[tuple[Kind, ...]] = ("saml", "oidc")
KIND_TITLES: Final[Mapping[str, str]] = {"saml": "SAML 2.0", "oidc": "OpenID Connect"}
_MARKED: Final = re.compile(r"\*\*(.+?)\*\*|`(.+?)`")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a sentence: plain, a word of the vendor's page (`strong`), or something that is typed (`code`)."""

    text: str
    look: Literal["", "strong", "code"] = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `values` are labels of the vendor's with names of ours; `attributes` names with the vendor's values."""

    title: str
    text: tuple[tuple[Piece, ...], ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A setting that this vendor needs beside the usual ones."""

    name: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """The way at one vendor by one protocol."""

    steps: tuple[Step, ...]
    sources: tuple[str, ...] = ()
    prefers: str = "url"
    where: tuple[Piece, ...] = ()
    issuer: str = ""
    fixed_issuer: bool = False
    secret: tuple[Piece, ...] = ()
    fields: tuple[Field, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[tuple[str, tuple[Piece, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor, `called` so in sentences. `name` is what a connection to it is called at first."""

    key: str
    title: str
    called: str
    order: int
    name: str
    guides: Mapping[str, Guide]


@cache
def vendors() -> Mapping[str, Vendor]:
    """All of them by key, in their order."""
    found = [_vendor(path) for path in FOLDER.glob("*.toml")]
    return {one.key: one for one in sorted(found, key=lambda one: (one.order, one.title))}


def guide(vendor: str, kind: str) -> tuple[Vendor, Guide]:
    """The guide of a vendor; of one that is not known, or does not speak the protocol, the general one."""
    found = vendors().get(vendor)
    if found is None or kind not in found.guides:
        found = vendors()[OTHER]
    return found, found.guides[kind]


def pieces(text: str) -> tuple[Piece, ...]:
    """A sentence with its marked words."""
    found, end = [], 0
    for mark in _MARKED.finditer(text):
        found.append(Piece(text[end : mark.start()]))
        found.append(Piece(mark.group(1), "strong") if mark.group(1) else Piece(mark.group(2), "code"))
        end = mark.end()
    return tuple(piece for piece in (*found, Piece(text[end:])) if piece.text)


def _vendor(path: Path) -> Vendor:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    made: dict[str, Guide] = {kind: _guide(said[kind]) for kind in KINDS if kind in said}
    return Vendor(path.stem, said["title"], said.get("called", said["title"]), said["order"], said["name"], made)


def _guide(said: Mapping[str, Any]) -> Guide:
    return Guide(
        steps=tuple(_step(each) for each in said["steps"]),
        sources=tuple(said["sources"]),
        prefers=said.get("prefers", "url"),
        where=pieces(said["where"]),
        issuer=said.get("issuer", ""),
        fixed_issuer=said.get("fixed_issuer", False),
        secret=pieces(said.get("secret", "")),
        fields=tuple(Field(**each) for each in said.get("fields", ())),
        claims=said.get("claims", {}),
        errors=tuple((each["shows"], pieces(each["means"])) for each in said.get("errors", ())),
    )


def _step(said: Mapping[str, Any]) -> Step:
    return Step(
        said["title"],
        tuple(pieces(each) for each in said["text"]),
        tuple((each["label"], each["value"]) for each in said.get("values", ())),
        tuple((each["name"], each["value"]) for each in said.get("attributes", ())),
    )
