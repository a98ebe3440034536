"""Metadata is fetched within bounds, and what it may not replace stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.adapters.metadata_import import (
    EVERY,
    LARGEST,
    SOONEST,
    Imported,
    MetadataError,
    fetch,
    judge,
    next_time,
    read,
    retry_time,
)
from sso.connections import Saml
from tests.certificates import body, certificate
from tests.metadata import ENTITY, URL, Answer, FakeWeb, metadata

NOW = datetime.now(UTC)
OLD, NEW, NEXT = certificate("old"), certificate("new"), certificate("next")
CURRENT = Saml(ENTITY, "https://idp.example/sso", (body(OLD),), slo_url="https://idp.example/slo")


def _read(*certificates: str, **more: Any) -> Imported:
    return read(metadata(*certificates, **more), None, NOW)


def test_a_document_becomes_settings() -> None:
    found = _read(OLD, NEW)
    assert found.entity_id == ENTITY
    assert found.settings == {
        "sso_url": "https://idp.example/sso",
        "sso_binding": "redirect",
        "slo_url": "https://idp.example/slo",
        "slo_response_url": None,
        "slo_binding": "redirect",
        "certificates": [body(OLD), body(NEW)],
    }


def test_a_binding_that_was_chosen_stays() -> None:
    posting = Saml(ENTITY, "https://idp.example/sso-post", (body(OLD),), sso_binding="post")
    found = read(metadata(OLD), None, NOW, current=posting)
    assert found.settings["sso_url"] == "https://idp.example/sso-post"


def test_nothing_new_is_nothing() -> None:
    assert judge(CURRENT, _read(OLD), NOW) == {}


def test_a_key_beside_the_old_one_and_its_taking_over() -> None:
    assert judge(CURRENT, _read(OLD, NEW), NOW) == {"certificates": [body(OLD), body(NEW)]}
    both = Saml(ENTITY, CURRENT.sso_url, (body(OLD), body(NEW)), slo_url=CURRENT.slo_url)
    assert judge(both, _read(NEW), NOW) == {"certificates": [body(NEW)]}


def test_an_end_of_single_logout_is_taken_over() -> None:
    assert judge(CURRENT, _read(OLD, slo=False), NOW) == {"slo_url": None}


def test_all_keys_at_once_need_a_person() -> None:
    with pytest.raises(MetadataError, match="replaces every signing certificate at once"):
        judge(CURRENT, _read(NEW, NEXT), NOW)
    assert judge(CURRENT, _read(NEW), NOW, believed=True) == {"certificates": [body(NEW)]}


def test_what_is_never_taken_over() -> None:
    with pytest.raises(MetadataError, match="is of https://evil"):
        judge(CURRENT, _read(OLD, entity_id="https://evil.example"), NOW, believed=True)
    with pytest.raises(MetadataError, match="signing certificate"):
        _read()
    with pytest.raises(MetadataError, match="valid until"):
        _read(OLD, more='validUntil="2020-01-01T00:00:00Z"')
    with pytest.raises(MetadataError, match="expired at"):
        judge(CURRENT, Imported(ENTITY, _read(OLD).settings, NOW), NOW, believed=True)
    with pytest.raises(MetadataError, match="is not signed with the key"):
        read(metadata(OLD), None, NOW, signed_with=body(OLD))
    with pytest.raises(MetadataError):
        read(b"<html/>", None, NOW)


def _fetch(answer: Answer | None, url: str = URL) -> bytes:
    return fetch(FakeWeb({} if answer is None else {URL: answer}), url)[0]


def test_a_document_is_fetched() -> None:
    assert _fetch(Answer(body=b"<x/>")) == b"<x/>"


@pytest.mark.parametrize(
    ("answer", "url", "sentence"),
    [
        (None, URL, "no answer"),
        (Answer(302), URL, "leads to another one"),
        (Answer(404), URL, "answers with status 404"),
        (Answer(body=b"x" * (LARGEST + 1)), URL, "more than 2048 KiB"),
        (None, "http://idp.example/metadata", "plain http is for loopback only"),
        (None, "file:///etc/passwd", "begins with https://"),
    ],
)
def test_what_is_no_document(answer: Answer | None, url: str, sentence: str) -> None:
    with pytest.raises(MetadataError, match=sentence):
        _fetch(answer, url)


def test_it_is_read_again_within_a_day_and_well_before_its_end() -> None:
    settings = _read(OLD).settings
    assert EVERY * 0.9 <= next_time(Imported(ENTITY, settings), NOW) - NOW <= EVERY
    soon = Imported(ENTITY, settings, NOW + timedelta(hours=6))
    assert timedelta(hours=2.7) <= next_time(soon, NOW) - NOW <= timedelta(hours=3)
    over = Imported(ENTITY, settings, NOW + timedelta(minutes=1))
    assert SOONEST * 0.9 <= next_time(over, NOW) - NOW <= SOONEST


def test_failures_are_tried_again_later_and_later() -> None:
    minutes = timedelta(minutes=1)
    assert 13 * minutes <= retry_time(NOW - 24 * 60 * minutes, False, NOW) - NOW <= 15 * minutes
    assert 27 * minutes <= retry_time(NOW - 15 * minutes, True, NOW) - NOW <= 30 * minutes
    assert retry_time(NOW - timedelta(days=3), True, NOW) - NOW <= EVERY
