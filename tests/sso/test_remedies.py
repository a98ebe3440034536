"""What an administrator is told to change."""

from __future__ import annotations

import pytest

from sso import refusals, remedies
from sso.connections import Addresses
from tests.sso.desk import BASE, ENTRA, OKTA


@pytest.mark.parametrize("connection", [OKTA, ENTRA], ids=["saml", "oidc"])
def test_each_code_that_has_one_names_what_to_change(connection) -> None:  # type: ignore[no-untyped-def]
    addresses = Addresses(BASE, connection.id)
    said = {code: remedies.remedy(code, connection, addresses) for code in refusals.SENTENCES}
    assert said["replayed"] is None
    assert said["malformed"] is None
    told = [text for text in said.values() if text]
    assert len(told) > 10
    assert not any("{" in text for text in told)
    assert f"{BASE}/" in (said["audience" if connection is OKTA else "provider_refused"] or "")


def test_every_remedy_is_of_a_code_that_is_there() -> None:
    tables = (remedies._SAML, remedies._OIDC, remedies._BOTH)
    assert {code for table in tables for code in table} <= set(refusals.SENTENCES)
