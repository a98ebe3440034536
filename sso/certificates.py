"""X.509 certificates as SAML carries them: the body of a PEM, base64 without armour and line ends."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

WARNED_BEFORE: Final = timedelta(days=90)
SMALLEST_RSA: Final = 2048  # bits
LARGEST: Final = 16_384  # characters
_ARMOUR: Final = re.compile(r"-----(?:BEGIN|END) CERTIFICATE-----")


class CertificateError(ValueError):
    """This is no certificate with whose key a message may be verified. The message says why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate: its `body`, whom it names, when it is valid, the SHA-256 by which people compare it."""

    body: str
    subject: str
    not_before: datetime
    not_after: datetime
    fingerprint: str

    def expires_soon(self, now: datetime) -> bool:
        """Whether somebody should care for a new one: it ends within 90 days, or has ended."""
        return self.not_after - now < WARNED_BEFORE


def read(text: str) -> Certificate:
    """A certificate from PEM, or from its body with or without line ends. Its dates are shown, not judged.

    Raises:
        CertificateError: it is none, or its key is too weak or of a kind that signs no SAML.
    """
    body = "".join(_ARMOUR.sub("", text).split())
    if len(body) > LARGEST:
        raise CertificateError("the certificate is too long")
    try:
        parsed = x509.load_der_x509_certificate(base64.b64decode(body, validate=True))
        key = parsed.public_key()
        subject = parsed.subject.rfc4514_string()
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError("this is no certificate: expected PEM or base64") from None
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise CertificateError("the certificate's key is neither RSA nor of an elliptic curve")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SMALLEST_RSA:
        raise CertificateError(f"the certificate's RSA key has {key.key_size} bits; {SMALLEST_RSA} are the least")
    digest = parsed.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate(body, subject, parsed.not_valid_before_utc, parsed.not_valid_after_utc, digest)
