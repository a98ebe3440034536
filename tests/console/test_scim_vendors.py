"""The providers' steps: complete, cited, filled in, and known to no page by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import console
from app.console.scim_dictionary import meanings
from app.console.scim_vendors import GENERIC, NOT_YET, Vendor, filled, named, of_system, vendors

VALUES = {"base_url": "https://id.example/scim/v2", "token": None, "token_url": "https://id.example/t", "scope": "scim"}


@pytest.mark.parametrize("vendor", vendors(), ids=lambda one: one.id)
def test_a_vendor_is_whole(vendor: Vendor) -> None:
    assert vendor.references
    assert all(one.url.startswith("https://") for one in vendor.references)
    assert vendor.troubles
    text = str(filled(vendor, VALUES))
    assert "https://id.example" in text
    assert "{" not in text.replace("{'", "")


def test_the_token_is_copied_only_when_it_is_known() -> None:
    okta = named("okta")
    assert okta is not None
    for values, known in ((VALUES, False), ({**VALUES, "token": "rc_scim_x"}, True)):
        [field] = [one for step in filled(okta, values) for one in step.fields if one.label == "Authorization"]
        assert (field.copy, field.value) == (known, "rc_scim_x" if known else NOT_YET)


def test_a_source_begins_with_its_product() -> None:
    assert [of_system(one).id for one in ("okta", "entra", "onelogin", "keycloak")] == [
        "okta",
        "entra",
        "onelogin",
        GENERIC,
    ]
    systems = [system for one in vendors() for system in one.systems]
    assert len(systems) == len(set(systems))


def test_the_dictionary_names_vendors_that_there_are() -> None:
    known = {one.id for one in vendors()}
    assert {id for one in meanings() for id in one.shown} <= known


def test_no_page_knows_a_vendor_by_name() -> None:
    package = Path(console.__file__).parent / "provisioning"
    text = "".join(path.read_text(encoding="utf-8") for path in package.glob("*.py")).lower()
    for vendor in vendors():
        assert vendor.id == GENERIC or f'"{vendor.id}"' not in text
