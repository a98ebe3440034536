"""Every attack on sign-in by SAML is refused, for the right reason, within a quarter of a second."""

from __future__ import annotations

import pytest

from tests.attacks import saml_algorithms, saml_conditions, saml_encryption, saml_signatures, saml_wrapping, saml_xml
from tests.attacks.saml import Attack
from tests.sso.attacking import refused

ATTACKS = (
    *saml_xml.ATTACKS,
    *saml_signatures.ATTACKS,
    *saml_algorithms.ATTACKS,
    *saml_wrapping.ATTACKS,
    *saml_encryption.ATTACKS,
    *saml_conditions.ATTACKS,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda each: each.name)
def test_an_attack_is_refused(attack: Attack) -> None:
    refused(attack)


def test_attacks_have_names_of_their_own() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
