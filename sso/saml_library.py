"""The SAML library, python3-saml, and its one home: what it checks of a message that the guard let through.

It verifies signatures, counts assertions, validates against the schema and reads the status. Its own `is_valid` is not
used: it knows no clock but the system's, allows nothing for the sender's clock in one place and five minutes in
another, and cannot read every spelling of a time. What it leaves open is in `saml_reading`. It is handed the tree that
the guard walked, so that nothing is parsed twice, and never a ciphertext.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from sso import xml
from sso.connections import Addresses, Saml, SamlKey
from sso.errors import SignInError
from sso.saml_names import METADATA, POST, PROTOCOL, REDIRECT, ds
from sso.saml_signers import signer
from sso.xml import Element

_SCHEMAS: Final = {PROTOCOL: "saml-schema-protocol-2.0.xsd", METADATA: "saml-schema-metadata-2.0.xsd"}


def library_versions() -> dict[str, str]:
    """The versions of python3-saml, xmlsec and lxml."""
    return {name: version(name) for name in ("python3-saml", "xmlsec", "lxml")}


def settings(connection: Saml, addresses: Addresses, keys: Sequence[SamlKey]) -> dict[str, Any]:
    """The library's settings for one message. It writes its defaults into them: they are never shared or kept."""
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": addresses.entity_id,
            "assertionConsumerService": {"url": addresses.acs, "binding": POST},
            "singleLogoutService": {"url": addresses.slo, "binding": REDIRECT},
            "x509cert": keys[0].certificate if keys else "",
            "privateKey": keys[0].private if keys else "",
        },
        "idp": {
            "entityId": connection.entity_id,
            "singleSignOnService": {"url": connection.sso_url, "binding": REDIRECT},
            "x509certMulti": {"signing": list(connection.certificates)},
        },
        "security": {
            "rejectDeprecatedAlgorithm": True,
            "wantAssertionsSigned": connection.want_assertions_signed,
            "wantMessagesSigned": False,
            "wantAssertionsEncrypted": connection.want_encrypted,
            "wantNameIdEncrypted": False,
            "wantAttributeStatement": False,
            "wantNameId": True,
            "allowRepeatAttributeName": True,
            "allowSingleLabelDomains": True,
            "requestedAuthnContext": False,
            "failOnAuthnContextMismatch": False,
            "authnRequestsSigned": True,
            "logoutRequestSigned": True,
            "logoutResponseSigned": True,
        },
    }


class _Response(OneLogin_Saml2_Response):
    """The library's Response on a tree that is parsed and, if need be, decrypted already."""

    def __init__(self, read: OneLogin_Saml2_Settings, document: Element) -> None:
        self._settings = read
        self._error = None
        self.document = document
        self.decrypted_document = None
        self.encrypted = None
        self.valid_scd_not_on_or_after = None


def check_response(document: Element, connection: Saml, addresses: Addresses, keys: Sequence[SamlKey]) -> None:
    """The library's checks of a Response: its schema, its status, one assertion, one statement, signatures' places.

    Raises:
        SignInError: `malformed`, `signature`.
    """
    check_schema(document)
    try:
        response = _Response(OneLogin_Saml2_Settings(settings(connection, addresses, keys)), document)
        response.check_status()
        counted = response.validate_num_assertions()
    except Exception as error:  # noqa: BLE001 - it raises what it likes; all of it is a refusal
        raise SignInError("malformed", f"library: {str(error)[:200]}") from None
    if not counted:
        raise SignInError("malformed", "library: expected one assertion")
    try:
        response.process_signed_elements()
    except Exception as error:  # noqa: BLE001
        raise SignInError("signature", f"library: {str(error)[:200]}") from None


def check_schema(document: Element) -> None:
    """Whether the document matches the schema of its namespace, after its signatures are verified.

    The schema knows no prefix list in a CanonicalizationMethod, though the standard does: the list is taken out.

    Raises:
        SignInError: `malformed`.
    """
    for method in document.iter(ds("CanonicalizationMethod")):
        for prefixes in list(method):
            method.remove(prefixes)
    schema = _SCHEMAS[document.tag[1:].partition("}")[0]]
    if isinstance(OneLogin_Saml2_XML.validate_xml(document, schema, False), str):
        raise SignInError("malformed", f"schema: does not match {schema}")


def is_signed(signature: Element, certificates: Sequence[str]) -> bool:
    """Whether a Signature was made over its parent with the key of one of the certificates (PEM, no armour)."""
    return _fault(signature, certificates) is None


def demand_signed(signature: Element, certificates: Sequence[str]) -> None:
    """`is_signed`, or say what is wrong: another key, or other content.

    Raises:
        SignInError: `signature`.
    """
    fault = _fault(signature, certificates)
    if fault is not None:
        parent = signature.getparent()
        raise SignInError("signature", f"{'message' if parent is None else xml.local(parent)}: {fault}")


def _fault(signature: Element, certificates: Sequence[str]) -> str | None:
    """The signature stands in the root or in the root's assertion, and the guard has checked its shape. What it says of
    keys is not read. Only for the certificate that fits SignedInfo the library computes the digest.
    """
    info, value = signature[0], signature[1]
    inclusive = info[0][0].get("PrefixList") or "" if len(info[0]) else ""
    try:
        raw = base64.b64decode("".join(xml.text(value).split()), validate=True)
    except (binascii.Error, ValueError):
        return "its signature's value is not base64"
    data = xml.canonical(info, inclusive.split())
    fits = signer(certificates, info[1].get("Algorithm") or "", data, raw)
    if fits is None:
        return f"its signature fits none of the connection's certificates ({len(certificates)})"
    document, parent = signature.getroottree().getroot(), signature.getparent()
    path = "/*/ds:Signature" if parent is document else "/*/saml:Assertion/ds:Signature"
    armoured = [OneLogin_Saml2_Utils.format_cert(fits)]
    if OneLogin_Saml2_Utils.validate_sign(document, xpath=path, multicerts=armoured, raise_exceptions=False):
        return None
    return "it was changed after it was signed"


def sign(message: bytes, key: SamlKey) -> bytes:
    """The message or metadata with a signature inside: RSA-SHA256, exclusive canonicalisation, our certificate."""
    signed = OneLogin_Saml2_Utils.add_sign(message, key.private, key.certificate)
    return signed if isinstance(signed, bytes) else signed.encode()
