"""What a browser is asked for a passkey, and whether its answer is good (WebAuthn level 3).

The person is verified by the device each time: a passkey stands for something one has and something one is or knows.
The relying party is the public URL's host; WebAuthn takes no number for one, so that 127.0.0.1 has no passkeys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import webauthn
from webauthn.helpers import base64url_to_bytes, exceptions, options_to_json, structs

from app.store.passkeys import CHALLENGE_TIME, Passkey

LONGEST_ANSWER: Final = 20_000  # characters
_MILLISECONDS: Final = int(CHALLENGE_TIME.total_seconds() * 1000)
_PARTY: Final = "Rollcall"
_SELECTION: Final = structs.AuthenticatorSelectionCriteria(
    resident_key=structs.ResidentKeyRequirement.PREFERRED,
    user_verification=structs.UserVerificationRequirement.REQUIRED,
)
_TRANSPORTS: Final = frozenset(each.value for each in structs.AuthenticatorTransport)
_WRONG: Final = (exceptions.WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError)


class BadAnswerError(ValueError):
    """The browser's answer is not good. The message is for the log: it holds nothing personal."""


@dataclass(frozen=True, slots=True)
class Question:
    """`challenge` is kept here, `options` go to the browser."""

    challenge: bytes = field(repr=False)
    options: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that the browser made."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    transports: tuple[str, ...]


def party_of(public_url: str) -> str | None:
    """The relying party's id; None where browsers know no passkeys: on a host without a name, or over plain http."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host if parts.scheme == "https" or host == "localhost" else None
    return None


def to_register(party: str, administrator_id: str, email: str, name: str, known: Sequence[Passkey]) -> Question:
    """What makes a new passkey of the administrator's; devices that hold one of `known` make none."""
    options = webauthn.generate_registration_options(
        rp_id=party,
        rp_name=_PARTY,
        user_id=administrator_id.encode(),
        user_name=email,
        user_display_name=name,
        timeout=_MILLISECONDS,
        authenticator_selection=_SELECTION,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one.credential_id) for one in known],
    )
    return Question(options.challenge, orjson.loads(options_to_json(options)))


def to_sign_in(party: str) -> Question:
    """What lets whoever holds a passkey of ours come in: the device knows which it has."""
    options = webauthn.generate_authentication_options(
        rp_id=party, timeout=_MILLISECONDS, user_verification=structs.UserVerificationRequirement.REQUIRED
    )
    return Question(options.challenge, orjson.loads(options_to_json(options)))


def registered(party: str, public_url: str, challenge: bytes, answer: str) -> NewPasskey:
    """The passkey that the browser made for this challenge.

    Raises:
        BadAnswerError: it is not the answer to it.
    """
    try:
        said = _read(answer)
        found = webauthn.verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=party,
            expected_origin=_origin(public_url),
            require_user_verification=True,
        )
    except _WRONG as error:
        raise BadAnswerError(type(error).__name__) from error
    transports = [str(one) for one in said["response"].get("transports") or () if str(one) in _TRANSPORTS]
    return NewPasskey(
        found.credential_id, found.credential_public_key, found.sign_count, tuple(dict.fromkeys(transports))
    )


def credential_of(answer: str) -> bytes:
    """Which passkey the answer says it is of; nothing is checked yet.

    Raises:
        BadAnswerError: it is no answer.
    """
    try:
        return base64url_to_bytes(str(_read(answer)["rawId"]))
    except _WRONG as error:
        raise BadAnswerError(type(error).__name__) from error


def signed(party: str, public_url: str, challenge: bytes, passkey: Passkey, answer: str) -> int:
    """The passkey's new counter, when it signed this challenge, for its own administrator.

    Raises:
        BadAnswerError: it did not, or its counter went back: it was copied.
    """
    try:
        said = _read(answer)
        found = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=party,
            expected_origin=_origin(public_url),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
        handle = said["response"].get("userHandle")
        if handle and base64url_to_bytes(str(handle)) != passkey.administrator_id.encode():
            raise BadAnswerError("the passkey is somebody else's")
    except BadAnswerError:
        raise
    except _WRONG as error:
        raise BadAnswerError(type(error).__name__) from error
    return found.new_sign_count


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise BadAnswerError("it is too long")
    said = orjson.loads(answer)
    if not isinstance(said, dict) or not isinstance(said.get("response"), dict):
        raise BadAnswerError("it is no credential")
    return said


def _origin(public_url: str) -> str:
    """As browsers write it: without the port that goes without saying."""
    parts = urlsplit(public_url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
