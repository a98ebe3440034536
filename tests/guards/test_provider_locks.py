"""The locks of the providers that the journeys start: every package by hash, no address that it was fetched from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

PROVIDERS: Final = Path(__file__).resolve().parents[1] / "providers"


def test_npm_packages_are_locked_by_hash_and_name_no_registry() -> None:
    lock = json.loads((PROVIDERS / "node" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: found for name, found in lock["packages"].items() if name}
    assert {"node_modules/oidc-provider", "node_modules/openid-client"} <= packages.keys()
    assert [name for name, found in packages.items() if not found["integrity"].startswith("sha512-")] == []
    assert [name for name, found in packages.items() if "resolved" in found] == []


def test_python_packages_are_locked_by_hash_and_name_no_registry() -> None:
    lock = (PROVIDERS / "saml" / "requirements.lock").read_text(encoding="utf-8")
    packages = [line for line in lock.splitlines() if "==" in line]
    assert packages
    assert [line for line in packages if not line.endswith("\\")] == []
    assert "://" not in lock
