"""What a provider says of itself, as it is shown before it is saved; what is wrong has its field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.adapters import understanding
from app.adapters.understanding import NotUnderstoodError, Understood
from sso.connections import Saml
from tests.certificates import certificate
from tests.metadata import ENTITY, metadata

NOW = datetime.now(UTC)


def _read(document: bytes, entity_id: str | None = None, current: Saml | None = None) -> Understood:
    return understanding.from_document(document, entity_id, NOW, current)


def test_addresses_certificates_and_the_end_are_read() -> None:
    until = "2099-01-01T00:00:00Z"
    found = _read(metadata(certificate(), certificate("next"), more=f'validUntil="{until}"'))
    assert found.settings["entity_id"] == ENTITY
    assert found.settings["sso_url"] == "https://idp.example/sso"
    assert len(found.settings["certificates"]) == 2
    assert found.valid_until == "2099-01-01T00:00:00+00:00"
    assert found.warnings == ()


@pytest.mark.parametrize(("days", "words"), [(30, "The last signing certificate ends"), (-1, "is over since")])
def test_a_certificate_that_ends_is_warned_of(days: int, words: str) -> None:
    [warning] = _read(metadata(certificate(days=days))).warnings
    assert words in warning


def test_while_another_one_lasts_nothing_is_to_be_done() -> None:
    assert _read(metadata(certificate(days=30), certificate("next"))).warnings == ()


def test_of_several_providers_one_must_be_named() -> None:
    one, two = metadata(certificate()), metadata(certificate(), entity_id="https://other.example")
    inner = b"".join(each.partition(b"?>")[2] for each in (one, two))
    both = (
        b'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">' + inner + b"</md:EntitiesDescriptor>"
    )
    with pytest.raises(NotUnderstoodError) as refused:
        _read(both)
    assert refused.value.field == "entity_id"
    assert _read(both, "https://other.example").settings["entity_id"] == "https://other.example"


def test_a_connection_stays_with_its_provider() -> None:
    current = Saml(ENTITY, "https://idp.example/sso", (certificate(),))
    with pytest.raises(NotUnderstoodError):
        _read(metadata(certificate(), entity_id="https://other.example"), current=current)


def test_metadata_without_a_signing_certificate_is_none() -> None:
    with pytest.raises(NotUnderstoodError, match="certificate"):
        _read(metadata())


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (("", "https://idp.example/sso", "x"), "hand_entity_id"),
        (("https://idp.example", "http://idp.example/sso", certificate()), "sso_url"),
        (("https://idp.example", "https://idp.example/sso", "nonsense"), "certificate"),
    ],
)
def test_what_is_entered_by_hand_is_wrong_at_its_field(said: tuple[str, str, str], field: str) -> None:
    with pytest.raises(NotUnderstoodError) as refused:
        understanding.by_hand(*said, NOW)
    assert refused.value.field == field
