"""Traces as they are kept."""

from __future__ import annotations

import pytest

from app.adapters import sign_in_masking


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("user name 'ada@acme.example' twice", "user name 'a…@acme.example' twice"),
        ("<NameID>ada.l@acme.example</NameID>", "<NameID>a…@acme.example</NameID>"),
        ("no address @ all", "no address @ all"),
        ("id token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "id token ***"),
        ("a\x00b\nc\u202ed", "a b c d"),
    ],
)
def test_a_text_is_masked(said: str, kept: str) -> None:
    assert sign_in_masking.text(said) == kept


def test_it_is_never_long() -> None:
    assert len(sign_in_masking.text("word " * 10_000)) == sign_in_masking.LONGEST
    kept = sign_in_masking.steps([{"check": "x", "ok": True, "detail": "ada@acme.example"}] * 100)
    assert len(kept) == sign_in_masking.MOST_STEPS
    assert kept[0] == {"check": "x", "ok": True, "detail": "a…@acme.example"}


def test_many_signs_cost_little() -> None:
    assert sign_in_masking.text("@" * 100_000)
    assert sign_in_masking.text("a" * 100_000 + "@")
