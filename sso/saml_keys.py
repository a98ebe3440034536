"""Making the key of a SAML service provider: RSA, with a certificate that it signed itself.

Identity providers compare the certificate as a whole and keep it for years; nobody checks its chain.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sso.connections import SamlKey

BITS: Final = 3072
YEARS: Final = 10
_LONGEST_NAME: Final = 64  # of a common name (RFC 5280, ub-common-name)


def make(name: str, now: datetime) -> SamlKey:
    """A new pair, valid for ten years from the day before `now`: clocks differ. `name` is whom it names."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_NAME])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SamlKey(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())
