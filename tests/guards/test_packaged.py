"""What is no Python is installed as well: each file that a package reads at run time is named as its data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from tools.vendor import ICONS, MANIFEST

CHECKOUT: Final = Path(__file__).resolve().parents[2]
# How other people's files are had anew; an installation has them.
ONLY_HERE: Final = {"package.json", "package-lock.json", ".npmrc", ICONS, MANIFEST}


def test_each_file_that_is_no_python_is_installed() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    data = settings["tool"]["setuptools"]["package-data"]
    packed = {
        file
        for package, globs in data.items()
        for glob in globs
        for file in (CHECKOUT / package.replace(".", "/")).glob(glob)
    }
    there = {
        file
        for package in ("app", "scim", "sso")
        for file in (CHECKOUT / package).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc") and file.name not in ONLY_HERE
    }
    assert there
    assert sorted(str(file.relative_to(CHECKOUT)) for file in there - packed) == []
