"""Logout messages of the test identity provider, in an address or as a form."""

from __future__ import annotations

import base64
import re
import zlib
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.sso.saml_idp import PERSISTENT, A, Idp, P, World

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"


def logout_request(world: World, **pieces: str) -> str:
    """Pieces: id, issued, destination, attrs, issuer, name_id, indexes, more."""
    said = {
        "id": "_l1",
        "issued": world.time(-5),
        "destination": f' Destination="{world.addresses.slo}"',
        "attrs": f' NotOnOrAfter="{world.time(300)}"',
        "issuer": f"<saml:Issuer>{world.idp.entity_id}</saml:Issuer>",
        "name_id": f'<saml:NameID Format="{PERSISTENT}">ada-17</saml:NameID>',
        "indexes": "<samlp:SessionIndex>_s1</samlp:SessionIndex>",
        "more": "",
    } | pieces
    return (
        f'<samlp:LogoutRequest xmlns:samlp="{P}" xmlns:saml="{A}" ID="{said["id"]}" Version="2.0" '
        f'IssueInstant="{said["issued"]}"{said["destination"]}{said["attrs"]}>{said["issuer"]}{said["more"]}'
        f"{said['name_id']}{said['indexes']}</samlp:LogoutRequest>"
    )


def logout_response(world: World, **pieces: str) -> str:
    """Pieces: id, issued, destination, answers, issuer, status."""
    said = {
        "id": "_l2",
        "issued": world.time(-5),
        "destination": f' Destination="{world.addresses.slo}"',
        "answers": f' InResponseTo="{world.request_id}"',
        "issuer": f"<saml:Issuer>{world.idp.entity_id}</saml:Issuer>",
        "status": "urn:oasis:names:tc:SAML:2.0:status:Success",
    } | pieces
    return (
        f'<samlp:LogoutResponse xmlns:samlp="{P}" xmlns:saml="{A}" ID="{said["id"]}" Version="2.0" '
        f'IssueInstant="{said["issued"]}"{said["destination"]}{said["answers"]}>{said["issuer"]}'
        f'<samlp:Status><samlp:StatusCode Value="{said["status"]}"/></samlp:Status></samlp:LogoutResponse>'
    )


def query(
    document: str | bytes,
    idp: Idp,
    relay_state: str | None = None,
    *,
    kind: str = "SAMLRequest",
    algorithm: str = RSA_SHA256,
    lower: bool = False,
    deflate: bool = True,
) -> bytes:
    """The signed query of a redirect. `lower` escapes as Microsoft's products do."""
    raw = document.encode() if isinstance(document, str) else document
    parts = [(kind, base64.b64encode(packed(raw) if deflate else raw).decode())]
    if relay_state is not None:
        parts.append(("RelayState", relay_state))
    parts.append(("SigAlg", algorithm))
    text = "&".join(f"{name}={_escaped(value, lower)}" for name, value in parts)
    return f"{text}&Signature={_escaped(base64.b64encode(signature(text.encode(), idp)).decode(), lower)}".encode()


def packed(raw: bytes) -> bytes:
    engine = zlib.compressobj(9, wbits=-15)
    return engine.compress(raw) + engine.flush()


def signature(data: bytes, idp: Idp, hashed: hashes.HashAlgorithm | None = None) -> bytes:
    key = serialization.load_pem_private_key(idp.private.encode(), None)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashed or hashes.SHA256())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _escaped(value: str, lower: bool) -> str:
    escaped = quote_plus(value)
    return re.sub("%..", lambda found: found.group().lower(), escaped) if lower else escaped
