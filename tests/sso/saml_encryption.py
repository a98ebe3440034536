"""Encrypting an assertion to us: by libxmlsec, as identity providers do, and piece by piece for what they do not."""

from __future__ import annotations

import base64
import os

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from sso.connections import SamlKey
from tests.sso.saml_idp import DS, A, find

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
OAEP = f'<xenc:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"/>'


def encrypted(document: str, to: SamlKey, method: str = "AES256_GCM", element_id: str = "_a1") -> str:
    """The document with the assertion replaced by an EncryptedAssertion, made by libxmlsec."""
    root = etree.fromstring(document.encode())
    target = find(root, element_id)
    wrapper = etree.Element(f"{{{A}}}EncryptedAssertion", nsmap={"saml": A})
    parent = target.getparent()
    parent.replace(target, wrapper)
    wrapper.append(target)
    template = xmlsec.template.encrypted_data_create(
        root, getattr(xmlsec.Transform, method), type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, xmlsec.Transform.RSA_OAEP)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(to.certificate, xmlsec.KeyFormat.CERT_PEM))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.KeyData.AES, 128 if "128" in method else 256, xmlsec.KeyDataType.SESSION)
    context.encrypt_xml(template, target)
    return etree.tostring(root).decode()


def cipher(
    plain: str,
    to: SamlKey,
    *,
    algorithm: str = f"{XENC11}aes256-gcm",
    transport: str = OAEP,
    wrap: padding.AsymmetricPadding | None = None,
    cut: int = 0,
    keys: int = 1,
    info: str = "",
) -> str:
    """An EncryptedAssertion of any text, with any method written on it. `cut` flips the last byte of the ciphertext."""
    length = 16 if "128" in algorithm else 32
    secret, start = os.urandom(length), os.urandom(12 if algorithm.endswith("gcm") else 16)
    if algorithm.endswith("gcm"):
        value = start + AESGCM(secret).encrypt(start, plain.encode(), None)
    else:
        size = 16 - len(plain.encode()) % 16
        engine = Cipher(algorithms.AES(secret), modes.CBC(start)).encryptor()
        value = start + engine.update(plain.encode() + bytes(size - 1) + bytes([size])) + engine.finalize()
    if cut:
        value = value[:-1] + bytes([value[-1] ^ cut])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    public = x509.load_pem_x509_certificate(to.certificate.encode()).public_key()
    wrapped = public.encrypt(secret, wrap or oaep)  # type: ignore[union-attr]
    key = (
        f"<xenc:EncryptedKey>{transport}<xenc:CipherData><xenc:CipherValue>{_text(wrapped)}</xenc:CipherValue>"
        "</xenc:CipherData></xenc:EncryptedKey>"
    )
    return data(f"<xenc:CipherValue>{_text(value)}</xenc:CipherValue>", info + key * keys, algorithm)


def key(to: SamlKey) -> str:
    """An EncryptedKey that opens."""
    public = x509.load_pem_x509_certificate(to.certificate.encode()).public_key()
    wrapped = public.encrypt(os.urandom(32), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))  # type: ignore[union-attr]
    return (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}">{OAEP}<xenc:CipherData><xenc:CipherValue>{_text(wrapped)}'
        "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"
    )


def data(inside: str, info: str, algorithm: str = f"{XENC11}aes256-gcm") -> str:
    """An EncryptedAssertion of given CipherData and KeyInfo."""
    return (
        f'<saml:EncryptedAssertion xmlns:saml="{A}"><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo xmlns:ds="{DS}">{info}</ds:KeyInfo>'
        f"<xenc:CipherData>{inside}</xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
