"""Every attack on sign-in by SAML is refused, for the right reason, within a quarter of a second."""

from __future__ import annotations

import resource
from dataclasses import replace
from random import Random

import pytest

from sso import saml
from sso.errors import SignInError
from tests.attacks import (
    saml_algorithms,
    saml_conditions,
    saml_encryption,
    saml_signatures,
    saml_wrapping,
    saml_xml,
)
from tests.attacks.saml import Attack, attack
from tests.sso.attacking import refused
from tests.sso.saml_idp import (
    Style,
    World,
    assertion,
    attribute,
    attributes,
    form,
    our_key,
    response,
    sign,
    signed,
)

GREEDY = ("endless", "bomb", "entities", "never ends", "1,000", "2,000", "500 Enc", "CipherReference", "cubic")

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


def _largest(world: World) -> str:
    """As many elements as may be, under as many namespaces and prefixes as may be."""
    inside = "".join(f'<n{n % 30}:a n{(n + 1) % 30}:b="1"/>' for n in range(3_900))
    said = "".join(f' xmlns:n{n}="urn:n{n}"' for n in range(30))
    document = response(world, assertion(world, attributes=attributes(attribute("x", inside))))
    return document.replace("<samlp:Response ", f"<samlp:Response{said} ", 1)


@pytest.mark.parametrize("signer", ["provider", "stranger"])
def test_the_largest_message_is_refused_in_time_whatever_the_number_of_certificates(signer: str) -> None:
    world = World()
    many = replace(
        world, certificates=("".join(our_key("new").certificate.splitlines()[1:-1]),) * 19 + (world.idp.body,)
    )
    by = world.idp if signer == "provider" else world.stranger
    style = Style(prefix_list=" ".join(f"n{n}" for n in range(10)))
    document = sign(sign(_largest(many), "_a1", by, style), "_r1", by, style)
    refused(attack("the largest", "attributes signature", lambda _: form(document)), many)


def test_bytes_that_are_bent_at_random_are_refused_and_nothing_else_is_raised() -> None:
    """What a bent message may still be is the genuine one: some bytes say nothing."""
    world, random = World(), Random(4)
    genuine = signed(world, which=["_a1", "_r1"]).encode()
    for _ in range(400):
        bent = bytearray(genuine)
        for _ in range(random.randint(1, 3)):
            start = random.randrange(len(bent))
            bent[start : start + random.choice((0, 1, 1, 40))] = random.randbytes(random.choice((0, 1, 1, 8)))
        raw = form(bytes(bent))
        try:
            saml.peek(raw)
            found, _state = saml.accept(world.connection, world.addresses, world.keys, raw, world.expected, world.now)
        except SignInError:
            continue
        assert (found.subject, found.groups) == ("ada-17", ("staff", "math"))


def test_memory_does_not_grow_under_attack() -> None:
    """The greediest of them, again and again: what one leaves behind would show."""
    world = World()
    greedy = [each.make(world) for each in ATTACKS if any(word in each.name for word in GREEDY)]
    assert len(greedy) > 5
    _play(world, greedy)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(5):
        _play(world, greedy)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB


def _play(world: World, messages: list[bytes]) -> None:
    for raw in messages:
        with pytest.raises(SignInError):
            saml.accept(world.connection, world.addresses, world.keys, raw, world.expected, world.now)
