"""Why the write door lets somebody not in, as a code of `sso.refusals`."""

from __future__ import annotations

from typing import Final

from app.identity.writes import AmbiguousError, BusyError, InactiveError, NotProvisionedError
from sso.errors import SignInError

_REFUSALS: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (NotProvisionedError, "not_provisioned", "nobody provisioned this person, and the connection makes no accounts"),
    (InactiveError, "inactive", "the person's account is not active"),
    (AmbiguousError, "ambiguous", "what the assertion says fits more than one person"),
    (BusyError, "busy", "others hold the person's records"),
)
KINDS: Final = tuple(kind for kind, _, _ in _REFUSALS)


def of(error: Exception) -> SignInError:
    """The refusal that one of `KINDS` is."""
    return next(SignInError(code, detail) for kind, code, detail in _REFUSALS if isinstance(error, kind))
