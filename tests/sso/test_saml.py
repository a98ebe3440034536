"""Answers of real identity providers are accepted, whatever their style; what they say comes out as it went in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from sso import saml
from sso.assertion import Assertion
from sso.demands import Demands
from sso.errors import SignInError
from tests.sso.saml_genuine import GENUINE, Genuine
from tests.sso.saml_idp import (
    PASSWORD,
    World,
    answers,
    assertion,
    confirmation,
    form,
    response,
    sign,
    signed,
    statement,
    subject,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("genuine", GENUINE, ids=lambda each: each.name)
def test_a_genuine_answer_is_accepted(genuine: Genuine) -> None:
    world = genuine.world(World()).with_settings(**genuine.settings)
    raw = form(genuine.make(world), "state")
    assertion, relay_state = saml.accept(world.connection, world.addresses, world.keys, raw, world.expected, world.now)
    assert assertion.subject == "ada-17"
    assert assertion.request_id == world.request_id
    assert relay_state == "state"


def test_what_was_said_comes_out(world: World) -> None:
    said, _ = _accept(world, signed(world))
    assert (said.connection_id, said.protocol, said.issuer, said.id) == ("c1", "saml", world.idp.entity_id, "_a1")
    assert said.email == "ada@example.com"
    assert said.email_trusted
    assert said.groups == ("staff", "math")
    assert said.attributes == {"email": ("ada@example.com",), "groups": ("staff", "math")}
    assert said.provider_session.session == "_s1"
    assert said.authenticated_at == world.now - timedelta(seconds=5)
    assert said.valid_until == world.now + timedelta(seconds=600 - 5 + world.connection.skew)


def test_the_trace_names_what_passed(world: World) -> None:
    steps: list[str] = []
    saml.accept(world.connection, world.addresses, world.keys, form(signed(world)), world.expected, world.now, steps)
    assert steps[:4] == ["form", "XML", "shape and algorithms", "Assertion's signature"]


def test_peek_finds_the_request(world: World) -> None:
    peeked = saml.peek(form(signed(world), "state"))
    assert peeked == saml.Peeked(world.request_id, "state", world.idp.entity_id)


def test_peek_finds_the_request_inside_where_the_response_is_silent(world: World) -> None:
    document = signed(world, response(world, attrs=""))
    assert saml.peek(form(document)).in_response_to == world.request_id


def test_an_assertion_lasts_ten_minutes_whatever_it_says(world: World) -> None:
    far = confirmation(world, f'Recipient="{world.addresses.acs}" NotOnOrAfter="{world.time(9e7)}"{answers(world)}')
    said, _ = _accept(world, signed(world, response(world, assertion(world, subject=subject(world, None, far)))))
    assert said.valid_until == world.now + timedelta(seconds=600 - 5 + world.connection.skew)


def test_a_connection_that_is_off_accepts_nothing(world: World) -> None:
    off = replace(world.connection, enabled=False)
    with pytest.raises(SignInError) as refused:
        saml.accept(off, world.addresses, world.keys, form(signed(world)), world.expected, world.now)
    assert refused.value.code == "disabled"


@pytest.mark.parametrize(
    ("demands", "seconds", "refused"),
    [
        (Demands(force=True), 700, False),
        (Demands(force=True), 800, True),
        (Demands(max_age=60), 150, False),
        (Demands(max_age=60), 200, True),
        (Demands(), 86_400, False),
    ],
)
def test_how_long_ago_somebody_may_have_signed_in(world: World, demands: Demands, seconds: int, refused: bool) -> None:
    said = statement(world, f'AuthnInstant="{world.time(-seconds)}"')
    raw = form(signed(world, response(world, assertion(world, statement=said))))
    expected = saml.Expected(world.request_id or "", demands)
    with pytest.raises(SignInError) if refused else nullcontext():
        saml.accept(world.connection, world.addresses, world.keys, raw, expected, world.now)


def test_a_context_that_is_demanded_and_given(world: World) -> None:
    strict = world.with_settings(contexts=(PASSWORD,), demand_context=True)
    assert _accept(strict, signed(strict))[0].context == PASSWORD


def _accept(world: World, document: str) -> tuple[Assertion, str | None]:
    return saml.accept(world.connection, world.addresses, world.keys, form(document), world.expected, world.now)


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (lambda w: signed(w).replace("ada-17", "eve"), "Assertion: it was changed after it was signed"),
        (lambda w: sign(response(w), "_a1", w.stranger), "Assertion: its signature fits none of the connection's"),
    ],
)
def test_the_trace_tells_another_key_from_other_content(world: World, bend: Callable[[World], str], words: str) -> None:
    with pytest.raises(SignInError) as refused:
        _accept(world, bend(world))
    assert refused.value.code == "signature"
    assert refused.value.detail.startswith(words)
