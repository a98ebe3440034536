"""Codes of an authenticator app: TOTP (RFC 6238), six digits every 30 seconds.

    begin ─▶ a secret, shown as a picture, sealed into the form ─▶ the first code is shown ─▶ kept

Nothing is kept before a code was shown, so that nobody locks themselves out by a picture that they never photographed.
The clock of a telephone may be a step off; the step of a code that was accepted is remembered, and it and those before
it count no more (§5.2).
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import orjson
import pyotp
import segno

from app.store.vault import Vault, VaultError

SECONDS: Final = 30
STEPS_OFF: Final = 1
TO_CONFIRM: Final = timedelta(minutes=15)
_CODE: Final = re.compile(r"[0-9]{6}")
_PURPOSE: Final = "rollcall authenticator"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is shown once: the picture, the secret to type in, and `sealed` for the form."""

    picture: str = field(repr=False)  # SVG
    secret: str = field(repr=False)
    sealed: str = field(repr=False)


def begin(vault: Vault, administrator_id: str, email: str, tenant: str, now: datetime) -> Enrolment:
    """A new secret for the administrator, which waits for its first code."""
    return _shown(vault, administrator_id, email, tenant, pyotp.random_base32(), now)


def again(vault: Vault, administrator_id: str, email: str, tenant: str, sealed: str, now: datetime) -> Enrolment | None:
    """The same secret once more, for a form that was wrong; None when it waits no longer."""
    secret = pending(vault, administrator_id, sealed, now)
    return _shown(vault, administrator_id, email, tenant, secret, now) if secret else None


def pending(vault: Vault, administrator_id: str, sealed: str, now: datetime) -> str | None:
    """The secret of a form, if it is this administrator's and was shown less than fifteen minutes ago."""
    try:
        found = orjson.loads(vault.open(sealed.encode("ascii", "replace")))
    except (VaultError, ValueError):
        return None
    mine = isinstance(found, dict) and found.get("for") == administrator_id and found.get("what") == _PURPOSE
    return str(found["secret"]) if mine and now.timestamp() < found["until"] else None


def step_of(secret: str | None, code: str, now: datetime, last: int | None) -> int | None:
    """The step whose code this is, if it comes after `last`. None takes as long, and no code is right."""
    code = "".join(code.split())
    code = code if _CODE.fullmatch(code) else ""
    totp = pyotp.TOTP(secret or _NOBODYS, interval=SECONDS)
    current, found = totp.timecode(now), None
    for step in range(current - STEPS_OFF, current + STEPS_OFF + 1):
        right = hmac.compare_digest(totp.generate_otp(step), code)
        if right and secret is not None and (last is None or step > last):
            found = step
    return found


def _shown(vault: Vault, administrator_id: str, email: str, tenant: str, secret: str, now: datetime) -> Enrolment:
    until = (now + TO_CONFIRM).timestamp()
    document = {"what": _PURPOSE, "for": administrator_id, "secret": secret, "until": until}
    address = pyotp.TOTP(secret, interval=SECONDS).provisioning_uri(name=email, issuer_name=f"Rollcall {tenant}")
    picture = segno.make(address, error="m", micro=False).svg_inline(scale=4, border=3, dark="#000", light="#fff")
    return Enrolment(picture, secret, vault.seal(orjson.dumps(document).decode()).decode())


_NOBODYS: Final = pyotp.random_base32()
