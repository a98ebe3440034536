"""Single logout: our messages are signed, theirs count if their signatures hold, however the query was escaped."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from sso import saml_logout
from sso.assertion import ProviderSession
from sso.bindings import Form, Redirect
from sso.errors import SignInError
from tests.attacks import saml_logout as hostile
from tests.attacks.saml import Attack
from tests.sso.attacking import refused
from tests.sso.saml_idp import World, form, idp_of, sign
from tests.sso.saml_logouts import ECDSA_SHA256, logout_request, logout_response, query

SESSION = ProviderSession(
    "ada<&17", "_s&1", format="urn:f", name_qualifier="urn:idp", sp_name_qualifier="https://sp.example.org/saml/c1"
)


@pytest.fixture
def world() -> World:
    return World()


def _read(world: World, raw_query: bytes = b"", raw_form: bytes = b"") -> object:
    method = "GET" if raw_query else "POST"
    return saml_logout.read(world.connection, world.addresses, world.keys, method, raw_query, raw_form, world.now)


@pytest.mark.parametrize("lower", [False, True], ids=["upper-case escapes", "lower-case escapes"])
def test_a_request_by_redirect(world: World, lower: bool) -> None:
    found = _read(world, query(logout_request(world), world.idp, "a state/+", lower=lower))
    assert found == saml_logout.LogoutRequest(
        "_l1",
        "ada-17",
        ("_s1",),
        "a state/+",
        world.idp.entity_id,
        world.now + timedelta(seconds=300 + world.connection.skew),
    )


def test_a_request_by_form(world: World) -> None:
    found = _read(world, raw_form=form(sign(logout_request(world), "_l1", world.idp), "st", "SAMLRequest"))
    assert isinstance(found, saml_logout.LogoutRequest)
    assert (found.id, found.relay_state) == ("_l1", "st")


def test_an_elliptic_key_signs_a_query() -> None:
    world = World(idp=idp_of("ec"))
    assert _read(world, query(logout_request(world), world.idp, algorithm=ECDSA_SHA256))


def test_any_certificate_of_the_connection_will_do(world: World) -> None:
    both = replace(world, certificates=(world.stranger.body, world.idp.body))
    assert _read(both, query(logout_request(both), both.idp))


def test_a_request_without_session_and_end(world: World) -> None:
    found = _read(world, query(logout_request(world, attrs="", indexes=""), world.idp))
    assert isinstance(found, saml_logout.LogoutRequest)
    assert found.session_indexes == ()
    assert found.valid_until == world.now + timedelta(seconds=600 - 5 + world.connection.skew)


@pytest.mark.parametrize("success", [True, False])
def test_a_response(world: World, success: bool) -> None:
    said = {} if success else {"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}
    found = _read(world, query(logout_response(world, **said), world.idp, kind="SAMLResponse"))
    assert found == saml_logout.LogoutResponse(world.request_id or "", success, None)


@pytest.mark.parametrize("attack", hostile.ATTACKS, ids=lambda each: each.name)
def test_an_attack_is_refused(attack: Attack) -> None:
    refused(attack)


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_what_we_send_can_be_read(world: World, binding: str) -> None:
    """Our own messages, read by our own reading as if we were the provider."""
    sender = world.with_settings(slo_url=world.addresses.slo, slo_binding=binding)
    sent = saml_logout.request(
        sender.connection,
        sender.addresses,
        sender.keys,
        SESSION,
        request_id="_q1",
        relay_state="st",
        now=world.now,
    )
    found = _read_sent(sender, sent)
    assert isinstance(found, saml_logout.LogoutRequest)
    assert (found.id, found.subject, found.session_indexes) == ("_q1", "ada<&17", ("_s&1",))
    answer = saml_logout.response(sender.connection, sender.addresses, sender.keys, found, success=True, now=world.now)
    assert _read_sent(sender, answer) == saml_logout.LogoutResponse("_q1", True, "st")


def _read_sent(world: World, sent: Redirect | Form) -> object:
    ours = "".join(world.keys[0].certificate.splitlines()[1:-1])
    reader = replace(world, certificates=(ours,)).with_settings(entity_id=world.addresses.entity_id)
    if isinstance(sent, Redirect):
        return _read(reader, sent.url.partition("?")[2].encode())
    (field,) = set(sent.fields) - {"RelayState"}
    return _read(reader, raw_form=form(base64.b64decode(sent.fields[field]), sent.fields["RelayState"], field))


def test_a_provider_without_logout_is_sent_nothing(world: World) -> None:
    silent = world.with_settings(slo_url=None)
    with pytest.raises(SignInError):
        saml_logout.request(
            silent.connection,
            silent.addresses,
            silent.keys,
            SESSION,
            request_id="_q1",
            relay_state=None,
            now=silent.now,
        )
