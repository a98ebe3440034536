"""Other people's files in the console: they are what the manifest says, from the versions that the lock names."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from tools.vendor import COPIED, ICONS, MANIFEST, SPRITE, VENDOR

OURS: Final = {"package.json", "package-lock.json", ".npmrc", ICONS, MANIFEST}


def test_each_file_is_the_one_that_was_copied() -> None:
    manifest = _read(MANIFEST)
    there = {file.relative_to(VENDOR).as_posix() for file in VENDOR.rglob("*") if file.is_file()} - OURS
    assert there == manifest.keys() == {*COPIED, "tabler/LICENSE", SPRITE}
    changed = [name for name, found in manifest.items() if found["sha256"] != _digest(name)]
    assert changed == [], "`make vendor` copies them anew"


def test_each_package_is_locked_by_hash_and_names_no_registry() -> None:
    packages = {name: found for name, found in _read("package-lock.json")["packages"].items() if name}
    assert [name for name, found in packages.items() if not found["integrity"].startswith("sha512-")] == []
    assert [name for name, found in packages.items() if "resolved" in found] == []


def test_the_copies_are_of_the_locked_versions() -> None:
    packages = _read("package-lock.json")["packages"]
    wanted = _read("package.json")["dependencies"]
    copied = {found["package"]: found["version"] for found in _read(MANIFEST).values()}
    assert copied == {name: packages[f"node_modules/{name}"]["version"] for name in wanted}
    assert all(found["version"] == copied[found["package"]] for found in _read(MANIFEST).values())


def test_each_package_has_its_licence() -> None:
    manifest = _read(MANIFEST)
    folders = {name.split("/")[0] for name in manifest}
    assert {f"{folder}/LICENSE" for folder in folders} <= manifest.keys()


def test_the_sprite_holds_the_icons_that_are_listed() -> None:
    drawn = re.findall(r'<symbol id="([^"]+)"', (VENDOR / SPRITE).read_text(encoding="utf-8"))
    assert drawn == (VENDOR / ICONS).read_text(encoding="utf-8").split()


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VENDOR / name).read_text(encoding="utf-8"))
    return found


def _digest(name: str) -> str:
    return hashlib.sha256((VENDOR / name).read_bytes()).hexdigest()
