"""Which pages may read an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sso import cross_origin
from sso.relying_parties import RelyingParty

ID = "00000000-0000-7000-8000-000000000001"
URIS = ("https://lms.example/a", "https://LMS.example:443/b", "https://other.example:8443/", "http://[::1]:3000/cb")
PARTY = RelyingParty(ID, "t", "lms", URIS, auth_method="none")


class Parties:
    def __init__(self, party: RelyingParty) -> None:
        self._party = party

    def party(self, client_id: str) -> RelyingParty | None:
        return self._party if client_id == self._party.id else None


def allowed(origin: str | None, client_id: str | None = ID, **other: Any) -> str | None:
    found = cross_origin.headers(Parties(replace(PARTY, **other)), client_id, origin)
    assert (origin is None) is (found.get("Vary") is None), "what a cache keeps is for one origin"
    assert "Access-Control-Allow-Credentials" not in found
    return found.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize("origin", ["https://lms.example", "https://other.example:8443", "http://[::1]:3000"])
def test_its_own_pages(origin: str) -> None:
    assert allowed(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "*",
        "",
        "http://lms.example",
        "https://lms.example/",
        "https://lms.example:443",
        "https://lms.example:8443",
        "https://lms.example.evil.example",
        "https://evil.example",
        "https://LMS.example",
        "https://other.example",
    ],
)
def test_no_other_pages(origin: str | None) -> None:
    assert allowed(origin) is None


@pytest.mark.parametrize("other", [{"auth_method": "client_secret_basic"}, {"kind": "native"}, {"redirect_uris": ()}])
def test_no_other_clients(other: dict[str, Any]) -> None:
    assert allowed("https://lms.example", **other) is None


@pytest.mark.parametrize("client_id", [None, "", "x", "\0", ID.replace("1", "2"), f"{ID}\n"])
def test_an_unknown_client(client_id: str | None) -> None:
    assert allowed("https://lms.example", client_id) is None


def test_a_form_names_its_client() -> None:
    said = {"client_id": [ID]}
    assert cross_origin.of_form(Parties(PARTY), said, "https://lms.example")["Access-Control-Allow-Origin"]
    assert cross_origin.of_form(Parties(PARTY), {}, "https://lms.example") == {"Vary": "Origin"}


def test_a_preflight_allows_the_token_and_no_cookie() -> None:
    found = cross_origin.preflight("https://anybody.example")
    assert found["Access-Control-Allow-Headers"] == "Authorization"
    assert "Access-Control-Allow-Credentials" not in found
    assert cross_origin.preflight(None) == {}
