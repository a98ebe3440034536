"""Playing an attack against the functions: the right refusal, and soon."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from sso import saml, saml_logout
from sso.connections import ClaimMap
from sso.errors import SignInError
from tests.attacks.saml import LONGEST, Attack
from tests.sso.saml_idp import World


def refused(attack: Attack, world: World | None = None) -> SignInError:
    """The refusal, after its code and its time are checked.

    Its time is the thread's own: other work on the machine does not count, and what waits for ever never ends.
    """
    here = (world or World()).with_settings(**attack.settings)
    if not attack.pending:
        here = replace(here, request_id=None)
    raw = attack.make(here)
    error, seconds = _play(attack, here, raw)
    if seconds > LONGEST:
        error, seconds = _play(attack, here, raw)
    assert seconds <= LONGEST
    assert error.code in attack.codes, str(error)
    return error


def _play(attack: Attack, world: World, raw: bytes) -> tuple[SignInError, float]:
    started = time.thread_time()
    with pytest.raises(SignInError) as found:
        (_sign_in if attack.where == "acs" else _sign_out)(attack, world, raw)
    return found.value, time.thread_time() - started


def _sign_in(attack: Attack, world: World, raw: bytes) -> None:
    connection = replace(world.connection, claims=ClaimMap(**attack.claims))
    saml.accept(connection, world.addresses, world.keys, raw, world.expected, world.now)


def _sign_out(attack: Attack, world: World, raw: bytes) -> None:
    query, form = (raw, b"") if attack.method == "GET" else (b"", raw)
    saml_logout.read(world.connection, world.addresses, world.keys, attack.method, query, form, world.now)
