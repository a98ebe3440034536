"""What an attack is: a name, the bytes it posts or puts in the address, and the codes that refuse it rightly.

    tests/attacks/saml_*.py ──▶ ATTACKS ──▶ tests/sso/test_saml_attacks.py   the functions, in this process
                                       └──▶ journeys                         the running service, over HTTP

A `World` says whom the message is for: its addresses, our keys, the identity provider's key, the request that is
pending and the time. `make` returns the raw body of the POST, or the raw query when `method` is GET.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.sso.saml_idp import World

LONGEST = 0.25  # seconds in which any message is refused


@dataclass(frozen=True)
class Attack:
    """`settings` are those of the connection under which it is tried, beside the defaults.

    `pending` is whether this browser has a request that is not answered. `claims` maps attributes, by field.
    """

    name: str
    make: Callable[[World], bytes]
    codes: frozenset[str]
    settings: dict[str, object] = field(default_factory=dict)
    pending: bool = True
    where: Literal["acs", "slo"] = "acs"
    method: Literal["POST", "GET"] = "POST"
    claims: dict[str, tuple[str, ...]] = field(default_factory=dict)


def attack(name: str, codes: str, make: Callable[[World], bytes], **more: object) -> Attack:
    """`codes` are separated by blanks; any of them is right."""
    return Attack(name, make, frozenset(codes.split()), **more)  # type: ignore[arg-type]
