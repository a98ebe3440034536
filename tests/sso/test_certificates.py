"""Certificates are read from what administrators paste, and weak ones are refused."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec

from sso import certificates, saml_keys
from tests.certificates import body, certificate, rsa_key


def test_armour_and_line_ends_do_not_matter() -> None:
    pem = certificate("login.example.org")
    read = certificates.read(pem)
    assert read.body == body(pem)
    assert read.subject == "CN=login.example.org"
    assert certificates.read(body(pem)) == read
    assert certificates.read("\n".join(textwrap.wrap(body(pem), 40)) + "\r\n") == read
    assert len(read.fingerprint) == 32 * 3 - 1


@pytest.mark.parametrize(("days", "soon"), [(365, False), (91, False), (89, True), (-1, True)])
def test_an_end_is_seen_90_days_ahead(days: int, soon: bool) -> None:
    assert certificates.read(certificate(days=days)).expires_soon(datetime.now(UTC)) is soon


def test_an_elliptic_curve_will_do() -> None:
    assert certificates.read(certificate(key=ec.generate_private_key(ec.SECP256R1()))).subject == "CN=idp"


@pytest.mark.parametrize("text", ["", "abc", "!", "-----BEGIN CERTIFICATE-----", "TUlJ", "x" * 20_000])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(certificates.CertificateError):
        certificates.read(text)


def test_weak_keys_are_refused() -> None:
    with pytest.raises(certificates.CertificateError, match="1024 bits"):
        certificates.read(certificate(key=rsa_key(1024)))
    with pytest.raises(certificates.CertificateError, match="neither RSA"):
        certificates.read(certificate(key=dsa.generate_private_key(2048)))


def test_our_own_key_lasts_ten_years() -> None:
    now = datetime.now(UTC)
    made = saml_keys.make("https://id.example.org/" + "x" * 100, now)
    read = certificates.read(made.certificate)
    assert (read.not_after - now).days > 3600
    assert read.not_before < now
    assert "PRIVATE KEY" in made.private
    assert "PRIVATE KEY" not in repr(made)
