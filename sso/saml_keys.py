"""A connection's own key: what signs our SAML messages and what assertions to us are encrypted to.

The certificate is only the key's envelope: identity providers compare it as a whole and look at nothing in it, some
excepted that want its dates to hold. Hence ten years, and a new key beside the old one whenever somebody wants.
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
LIFETIME: Final = timedelta(days=3653)
_LONGEST_NAME: Final = 64  # characters of a common name (RFC 5280, appendix A)


def make(name: str, now: datetime) -> SamlKey:
    """A new RSA key and a certificate that it signed itself, for `name`, from a day before `now`."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_NAME] or "rollcall")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .sign(private, hashes.SHA256())
    )
    return SamlKey(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )


def private(key: SamlKey) -> rsa.RSAPrivateKey:
    """Its private half. That it is sound was seen to when it was made: proving it again takes longer than a sign-in.

    Raises:
        TypeError: it is no RSA key.
    """
    loaded = serialization.load_pem_private_key(key.private.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise TypeError("the key of SAML messages is an RSA key")
    return loaded
