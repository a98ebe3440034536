"""Through which connection: the only one, the one of the e-mail's domain, or the person's choice. No I/O.

Only domains are looked at. Whether there is such a person is never told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sso.connections import Connection

NONE_FITS: Final = "No sign-in belongs to this address. Please choose one."
SEVERAL_FIT: Final = "More than one sign-in belongs to this address. Please choose one."
NO_ADDRESS: Final = "This is not an e-mail address. Please try again, or choose."
LONGEST: Final = 254  # characters of an address (RFC 5321 §4.5.3.1.3)


@dataclass(frozen=True, slots=True)
class Choice:
    """The connections to choose from: of one alone nobody is asked. `by_email`: an address would tell, too."""

    connections: tuple[Connection, ...]
    by_email: bool = False
    notice: str | None = None

    @property
    def only(self) -> Connection | None:
        """The one to go on with."""
        return self.connections[0] if len(self.connections) == 1 and self.notice is None else None


def choose(enabled: Sequence[Connection], hint: str | None = None) -> Choice:
    """For somebody who comes. `hint` is whom the relying party expects."""
    fitting = of_domain(enabled, domain(hint))
    if len(enabled) > 1 and len(fitting) == 1:
        return Choice((fitting[0],))
    return Choice(tuple(enabled), by_email=len(enabled) > 1 and any(each.domains for each in enabled))


def choose_by_email(enabled: Sequence[Connection], email: str) -> Choice:
    """For somebody who gave an address."""
    found = domain(email)
    if found is None:
        return Choice(tuple(enabled), by_email=True, notice=NO_ADDRESS)
    fitting = of_domain(enabled, found)
    if not fitting:
        return Choice(tuple(enabled), by_email=True, notice=NONE_FITS)
    return Choice(tuple(fitting), notice=SEVERAL_FIT if len(fitting) > 1 else None)


def of_domain(enabled: Sequence[Connection], domain: str | None) -> list[Connection]:
    """The connections to which people of this domain are sent."""
    return [each for each in enabled if domain in {one.lower() for one in each.domains}] if domain else []


def domain(email: str | None) -> str | None:
    """The domain of an address, in lower case; None when it is no address."""
    if email is None or len(email) > LONGEST or not email.strip().isprintable():
        return None
    local, at, found = email.strip().rpartition("@")
    plain = local and at and "." in found and not any(sign.isspace() for sign in found)
    return found.lower().rstrip(".") if plain else None
