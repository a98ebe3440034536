"""Through which connection somebody signs in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sso import choosing
from sso.choosing import choose, choose_by_email
from tests.sso.desk import ENTRA, OKTA

ACME = replace(OKTA, domains=("acme.example",))
BOTH = replace(ENTRA, domains=("acme.example", "corp.example"))


def test_the_only_one_is_not_asked_for() -> None:
    assert choose([OKTA]).only == OKTA
    assert choose([ACME], "ada@elsewhere.example").only == ACME
    assert choose([]).connections == ()


def test_of_several_a_person_chooses() -> None:
    choice = choose([OKTA, ENTRA])
    assert (choice.only, choice.connections, choice.by_email) == (None, (OKTA, ENTRA), False)
    assert choose([ACME, ENTRA]).by_email


def test_whom_the_learning_platform_expects_tells_it_too() -> None:
    assert choose([ACME, ENTRA], "ada@acme.example").only == ACME
    assert choose([ACME, BOTH], "ada@acme.example").connections == (ACME, BOTH)
    assert choose([ACME, BOTH], "ada@else.example").connections == (ACME, BOTH)


def test_a_domain_leads_on() -> None:
    assert choose_by_email([ACME, BOTH], " Ada@CORP.example ").only == BOTH
    several = choose_by_email([ACME, BOTH, OKTA], "ada@acme.example")
    assert (several.only, several.connections, several.notice) == (None, (ACME, BOTH), choosing.SEVERAL_FIT)


@pytest.mark.parametrize("email", ["ada@sub.acme.example", "ada@notacme.example", "nobody@else.example"])
def test_a_domain_that_nobody_has_offers_all(email: str) -> None:
    choice = choose_by_email([ACME, BOTH], email)
    assert (choice.only, choice.connections, choice.notice) == (None, (ACME, BOTH), choosing.NONE_FITS)
    assert choose_by_email([ACME], email).only is None


@pytest.mark.parametrize("text", ["", "ada", "@acme.example", "ada@", "ada@acme", "a@" + "b" * 260 + ".example"])
def test_what_is_no_address_is_said_to_be_none(text: str) -> None:
    assert choose_by_email([ACME, BOTH], text).notice == choosing.NO_ADDRESS
