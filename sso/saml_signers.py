"""Whose key made a signature over some bytes: the certificates of a connection, tried one after the other.

This costs a fraction of a millisecond each. A signature inside XML is tried here first, over the few lines of its
SignedInfo: no digest of a stranger's message is computed before the signature is known to be the provider's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sso.saml_names import ECDSA, PSS, RSA

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def signer(certificates: Sequence[str], algorithm: str, data: bytes, signature: bytes) -> str | None:
    """The first of the certificates (PEM, no armour) whose key signed `data`, by the algorithm of that URI."""
    return next((each for each in certificates if _fits(each, algorithm, data, signature)), None)


def _fits(certificate: str, algorithm: str, data: bytes, signature: bytes) -> bool:
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(certificate)).public_key()
        if isinstance(key, rsa.RSAPublicKey) and algorithm in RSA:
            key.verify(signature, data, padding.PKCS1v15(), _HASHES[RSA[algorithm]])
        elif isinstance(key, rsa.RSAPublicKey) and algorithm in PSS:
            hashed = _HASHES[PSS[algorithm]]
            key.verify(signature, data, padding.PSS(padding.MGF1(hashed), padding.PSS.DIGEST_LENGTH), hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in ECDSA:
            key.verify(_dss(signature), data, ec.ECDSA(_HASHES[ECDSA[algorithm]]))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError):
        return False
    return True


def _dss(signature: bytes) -> bytes:
    """XML Signature writes r and s side by side (RFC 4050 §3.3), cryptography reads them as DER."""
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
