"""The servers that `rollcall scim check` is tried on."""

from __future__ import annotations

from tests.checking.conftest import good, scim_app, serve, store

__all__ = ["good", "scim_app", "serve", "store"]
