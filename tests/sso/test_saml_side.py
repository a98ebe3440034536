"""A signature that fits no key is told of, since the provider may have a new one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sso import saml
from sso.connections import Connection, Saml
from sso.errors import SignInError
from sso.saml_side import SamlSide
from sso.sides import Received
from sso.trace import Trace

IDP = Connection("c", "t", "idp", "IdP", "s", Saml("e", "https://idp.example/sso", ("x",)))


@pytest.mark.parametrize(("code", "told"), [("signature", ["c"]), ("audience", []), ("malformed", [])])
def test_only_a_signature_is_told_of(monkeypatch: pytest.MonkeyPatch, code: str, told: list[str]) -> None:
    def refuse(*_: object) -> None:
        raise SignInError(code, "no")

    monkeypatch.setattr(saml, "accept", refuse)
    heard: list[str] = []
    side = SamlSide("https://id.example", list, lambda connection: heard.append(connection.id))
    with pytest.raises(SignInError):
        side.accept(IDP, Received("POST", b"", b""), None, datetime.now(UTC), Trace())
    assert heard == told
