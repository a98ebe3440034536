"""The names that SAML 2.0, XML Signature and XML Encryption give things, and which algorithms are good enough."""

from __future__ import annotations

from typing import Final

PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DSIG}enveloped-signature"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007: Final = "http://www.w3.org/2007/05/xmldsig-more#"

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
RESPONDER: Final = "urn:oasis:names:tc:SAML:2.0:status:Responder"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

RSA_SHA256: Final = f"{_MORE}rsa-sha256"

# Hash by algorithm. SHA-1, MD5, DSA and every HMAC are left out: an HMAC could be keyed with what everybody knows.
RSA: Final = {RSA_SHA256: "sha256", f"{_MORE}rsa-sha384": "sha384", f"{_MORE}rsa-sha512": "sha512"}
PSS: Final = {f"{_MORE_2007}{name}-rsa-MGF1": name for name in ("sha256", "sha384", "sha512")}
ECDSA: Final = {f"{_MORE}ecdsa-{name}": name for name in ("sha256", "sha384", "sha512")}
SIGNATURES: Final = frozenset({*RSA, *PSS, *ECDSA})
DIGESTS: Final = frozenset({f"{XENC}sha256", f"{_MORE}sha384", f"{XENC}sha512"})

# Key length in bytes by algorithm.
GCM: Final = {f"{XENC11}aes128-gcm": 16, f"{XENC11}aes192-gcm": 24, f"{XENC11}aes256-gcm": 32}
CBC: Final = {f"{XENC}aes128-cbc": 16, f"{XENC}aes192-cbc": 24, f"{XENC}aes256-cbc": 32}
OAEP: Final = f"{XENC}rsa-oaep-mgf1p"
OAEP11: Final = f"{XENC11}rsa-oaep"
# Inside OAEP a hash need not resist collisions: SHA-1 is what nearly everybody sends (RFC 8017 §7.1).
OAEP_DIGESTS: Final = {
    f"{DSIG}sha1": "sha1",
    f"{XENC}sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    f"{XENC}sha512": "sha512",
}
MGF: Final = {f"{XENC11}mgf1{name}": name for name in ("sha1", "sha256", "sha384", "sha512")}


def saml(name: str) -> str:
    """The tag of an element of assertions."""
    return f"{{{ASSERTION}}}{name}"


def samlp(name: str) -> str:
    """The tag of an element of messages."""
    return f"{{{PROTOCOL}}}{name}"


def md(name: str) -> str:
    """The tag of an element of metadata."""
    return f"{{{METADATA}}}{name}"


def ds(name: str) -> str:
    """The tag of an element of XML Signature."""
    return f"{{{DSIG}}}{name}"


def xenc(name: str) -> str:
    """The tag of an element of XML Encryption."""
    return f"{{{XENC}}}{name}"
