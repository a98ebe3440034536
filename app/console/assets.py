"""The console's scripts and styles."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

BUILD: Final = "0"


def add(blueprint: Blueprint) -> None:
    """Serve them."""
