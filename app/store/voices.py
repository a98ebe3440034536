"""What a record says, as JSON for `records.voice`: read on every change of its person, without its document.

In `values` null stands for EMPTY (the source says that there is nothing); silence has no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.identity.model import EMPTY, ManagerRef
from app.identity.writes import Spoken


def encode(spoken: Spoken) -> dict[str, Any]:
    """The JSON object of what was spoken; empty parts are left out."""
    shown: dict[str, Any] = {
        "active": spoken.active,
        "values": {name: None if value is EMPTY else value for name, value in spoken.values.items()},
    }
    if spoken.managers is not None:
        shown["managers"] = [
            {"keys": [list(key) for key in ref.keys], "kind": ref.kind, "primary": ref.primary}
            for ref in spoken.managers
        ]
    if spoken.roles:
        shown["roles"] = sorted(spoken.roles)
    if spoken.entitlements:
        shown["entitlements"] = sorted(spoken.entitlements)
    if spoken.known_as:
        shown["known_as"] = list(spoken.known_as)
    if not spoken.vouched:
        shown["vouched"] = False
    return shown


def decode(voice: Mapping[str, Any]) -> Spoken:
    """What `encode` wrote."""
    managers = voice.get("managers")
    return Spoken(
        active=bool(voice.get("active", True)),
        values={name: EMPTY if value is None else value for name, value in voice.get("values", {}).items()},
        managers=None if managers is None else tuple(_manager(one) for one in managers),
        roles=frozenset(voice.get("roles", ())),
        entitlements=frozenset(voice.get("entitlements", ())),
        known_as=tuple(voice.get("known_as", ())),
        vouched=bool(voice.get("vouched", True)),
    )


def _manager(shown: Mapping[str, Any]) -> ManagerRef:
    keys = tuple((str(namespace), str(value)) for namespace, value in shown["keys"])
    return ManagerRef(keys, shown["kind"], shown["primary"])
