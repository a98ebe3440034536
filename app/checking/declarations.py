"""How a check of ours is written: resources made beforehand, then steps, a request and its answer each.

    Check("Members given to a remove are the ones that go", "Group", needs=("ann", "ben", "crew"), steps=(
        Step("PATCH /Groups/{crew}", patch(remove("members", [{"value": "{ann}"}])), CHANGED),
        Step("GET /Groups/{crew}", holds={"members.value": frozenset({"{ben}"})}),
    ), section=…, remedy=…)

Placeholders: `{ann}` the id of a resource of the cast, `{ann.userName}` what its document says, `{fresh}` a text of
this check alone, `{x}` an id that an earlier step kept as `x`, or a value that it learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.checking.places import ENTERPRISE

PREFIX: Final = "rollcall-check-"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

OK: Final = (200,)
CREATED: Final = (201,)
CHANGED: Final = (200, 204)


@dataclass(frozen=True, slots=True)
class Step:
    """One request. `holds` are places in the answer and what must stand there (None: nothing).

    `keep` names the id of what was made, `learn` names values of the answer; later steps use both.
    """

    request: str
    body: Any = None
    status: tuple[int, ...] = OK
    holds: Mapping[str, Any] = field(default_factory=dict)
    keep: str = ""
    learn: Mapping[str, str] = field(default_factory=dict)
    authorized: bool = True
    media_type: str = "application/scim+json"


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence that must be true. `must`: a failure stops an identity provider or breaks the RFC; else it warns."""

    sentence: str
    resource: str
    steps: tuple[Step, ...]
    section: str
    remedy: str
    needs: tuple[str, ...] = ()
    must: bool = True


def _person(who: str, /, **more: Any) -> tuple[str, dict[str, Any]]:
    return "/Users", {"schemas": [USER], "userName": PREFIX + who + "-{fresh}@example.com", **more}


# Whoever a check needs; each check makes its own, with a `{fresh}` of its own, and deletes them.
CAST: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "ann": _person(
        "ann",
        schemas=[USER, ENTERPRISE],
        externalId="ext-ann-{fresh}",
        active=True,
        displayName="Ann Quay",
        name={"givenName": "Ann", "familyName": "Quay"},
        emails=[{"value": PREFIX + "ann-{fresh}@example.com", "type": "work", "primary": True}],
        phoneNumbers=[{"value": "+45 (32) 10-00 00", "type": "work"}],
        **{ENTERPRISE: {"department": "Locks"}},
    ),
    "ben": _person("ben", active=True),
    "off": _person("off", active=False, externalId="ext-off-{fresh}"),
    "crew": (
        "/Groups",
        {
            "schemas": [GROUP],
            "displayName": PREFIX + "crew-{fresh}",
            "members": [{"value": "{ann}"}, {"value": "{ben}"}],
        },
    ),
    "empty": ("/Groups", {"schemas": [GROUP], "displayName": PREFIX + "empty-{fresh}"}),
}


def patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PATCH."""
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def change(op: str, value: Any, path: str | None = None) -> dict[str, Any]:
    """One operation of a PATCH."""
    return {"op": op, **({"path": path} if path else {}), "value": value}
