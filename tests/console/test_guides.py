"""The vendors' guides: each can be read, names values of ours that exist, and says where its words come from."""

from __future__ import annotations

import re

import pytest

from app.adapters.connection_view import addresses
from app.console.connections import guides
from app.console.connections.guides import Piece
from app.console.connections.place import Place
from app.console.connections.reasons import REASONS
from app.store.connection_setups import Setup
from sso.refusals import SENTENCES
from tests.sso.desk import NOW

ALL = [(vendor.key, kind) for vendor in guides.vendors().values() for kind in vendor.guides]


def _place(vendor: str, kind: str) -> Place:
    found, guide = guides.guide(vendor, kind)
    setup = Setup(
        "t", "acme", "0190d3a4-0000-7000-8000-000000000001", "okta", "Okta", kind, vendor, {}, "a", NOW, NOW, None
    )
    return Place(setup.connection_id, None, setup, found, guide, "https://hub.example.com")


def test_the_vendors_are_there_in_their_order() -> None:
    assert list(guides.vendors()) == ["okta", "entra", "onelogin", "google", "adfs", "other"]
    assert all(set(vendor.guides) == {"saml", "oidc"} for vendor in guides.vendors().values())


@pytest.mark.parametrize(("vendor", "kind"), ALL)
def test_a_guide_names_values_that_exist(vendor: str, kind: str) -> None:
    place = _place(vendor, kind)
    named = {name for step in place.guide.steps for _, name in step.values}
    assert named <= place.values.keys()
    assert named & {"acs_url", "metadata_url", "redirect_uri"}
    assert place.guide.sources
    assert all(source.startswith("https://") for source in place.guide.sources)
    assert place.guide.where


@pytest.mark.parametrize(("vendor", "kind"), ALL)
def test_no_mark_is_left_open(vendor: str, kind: str) -> None:
    _, guide = guides.guide(vendor, kind)
    sentences = [sentence for step in guide.steps for sentence in step.text]
    sentences += [guide.where, guide.secret, *(means for _, means in guide.errors)]
    for sentence in sentences:
        assert not any("**" in piece.text or "`" in piece.text for piece in sentence)


def test_marked_words_are_told_apart() -> None:
    assert guides.pieces("Open **Apps** and type `groups`.") == (
        Piece("Open "),
        Piece("Apps", "strong"),
        Piece(" and type "),
        Piece("groups", "code"),
        Piece("."),
    )


def test_an_unknown_vendor_has_the_general_guide() -> None:
    assert guides.guide("gone", "saml")[0].key == "other"


def test_the_pattern_of_our_address_fits_it_alone() -> None:
    told = _place("onelogin", "saml").values
    assert re.fullmatch(told["acs_pattern"], told["acs_url"])
    assert not re.match(told["acs_pattern"], told["acs_url"].replace(".example", "-example"))
    assert told.items() >= addresses("https://hub.example.com", "acme", "okta", "saml", told["entity_id"][-36:]).items()


def test_every_refusal_is_explained() -> None:
    assert REASONS.keys() == SENTENCES.keys()
    assert {reason.page for reason in REASONS.values()} <= {
        "",
        "provider",
        "guide",
        "claims",
        "settings",
        "people",
        "checks",
    }
