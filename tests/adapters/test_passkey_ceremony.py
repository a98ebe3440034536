"""What counts as an answer of a passkey."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.adapters import passkey_ceremony as ceremony
from app.adapters.passkey_ceremony import BadAnswerError
from app.store.passkeys import Passkey
from tests.passkey_device import Device

URL = "https://rollcall.example"
PARTY = "rollcall.example"
ADA = "0198a000-0000-7000-8000-000000000001"


def register(device: Device) -> Passkey:
    asked = ceremony.to_register(PARTY, ADA, "ada@acme.example", "Ada", [])
    made = ceremony.registered(PARTY, URL, asked.challenge, device.register(asked.options))
    assert made.transports == ("internal",)
    now = datetime.now(UTC)
    return Passkey(
        "id", "t", ADA, made.credential_id, made.public_key, made.sign_count, made.transports, "mine", now, None
    )


def test_a_device_registers_and_signs() -> None:
    device = Device(URL)
    known = register(device)
    asked = ceremony.to_sign_in(PARTY)
    answer = device.sign(asked.options)
    assert ceremony.credential_of(answer) == known.credential_id
    assert ceremony.signed(PARTY, URL, asked.challenge, known, answer) == 1


def test_the_person_must_be_verified() -> None:
    device = Device(URL, verifies=False)
    with pytest.raises(BadAnswerError):
        register(device)
    known = register(device := Device(URL))
    device.verifies = False
    asked = ceremony.to_sign_in(PARTY)
    with pytest.raises(BadAnswerError):
        ceremony.signed(PARTY, URL, asked.challenge, known, device.sign(asked.options))


def test_another_page_another_challenge_and_another_key_are_refused() -> None:
    device = Device(URL)
    known = register(device)
    asked, other = ceremony.to_sign_in(PARTY), ceremony.to_sign_in(PARTY)
    elsewhere = replace(device, origin="https://rollcall.example.attacker.example")
    with pytest.raises(BadAnswerError):
        ceremony.signed(PARTY, URL, asked.challenge, known, elsewhere.sign(asked.options))
    with pytest.raises(BadAnswerError):
        ceremony.signed(PARTY, URL, asked.challenge, known, device.sign(other.options))
    stranger = replace(Device(URL), credential_id=device.credential_id, user_handle=device.user_handle)
    with pytest.raises(BadAnswerError):
        ceremony.signed(PARTY, URL, asked.challenge, known, stranger.sign(asked.options))
    of_somebody_else = replace(known, administrator_id="0198a000-0000-7000-8000-000000000002")
    with pytest.raises(BadAnswerError, match="somebody else"):
        ceremony.signed(PARTY, URL, asked.challenge, of_somebody_else, device.sign(asked.options))


def test_a_counter_that_went_back_is_refused() -> None:
    device = Device(URL)
    known = replace(register(device), sign_count=7)
    asked = ceremony.to_sign_in(PARTY)
    with pytest.raises(BadAnswerError):
        ceremony.signed(PARTY, URL, asked.challenge, known, device.sign(asked.options))


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"response": {}}', "x" * 30_000, '{"response": {"a": 1}}'])
def test_what_is_no_answer_is_refused(answer: str) -> None:
    known = register(Device(URL))
    asked = ceremony.to_sign_in(PARTY)
    with pytest.raises(BadAnswerError):
        ceremony.signed(PARTY, URL, asked.challenge, known, answer)
    with pytest.raises(BadAnswerError):
        ceremony.registered(PARTY, URL, asked.challenge, answer)
    with pytest.raises(BadAnswerError):
        ceremony.credential_of(answer)


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://rollcall.example", "rollcall.example"),
        ("https://rollcall.example:8443", "rollcall.example"),
        ("http://localhost:8080", "localhost"),
        ("http://127.0.0.1:8080", None),
        ("https://10.0.0.1", None),
        ("https://[::1]", None),
        ("http://rollcall.example", None),
    ],
)
def test_which_hosts_have_passkeys(url: str, party: str | None) -> None:
    assert ceremony.party_of(url) == party


def test_an_origin_is_without_the_usual_port() -> None:
    device = Device("https://rollcall.example")
    asked = ceremony.to_register(PARTY, ADA, "ada@acme.example", "Ada", [])
    answer = device.register(asked.options)
    assert ceremony.registered(PARTY, "https://rollcall.example:443", asked.challenge, answer).sign_count == 0
    with pytest.raises(BadAnswerError):
        ceremony.registered(PARTY, "https://rollcall.example:8443", asked.challenge, answer)


def test_a_device_that_has_a_passkey_is_told_so() -> None:
    known = register(Device(URL))
    options = ceremony.to_register(PARTY, ADA, "ada@acme.example", "Ada", [known]).options
    assert len(options["excludeCredentials"]) == 1
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    assert options["rp"]["id"] == PARTY
