"""Wrapping: a genuine, signed part hides in a forged message, so that one thing is verified and another read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from tests.attacks.saml import Attack, attack
from tests.attacks.saml_signatures import EITHER
from tests.sso.saml_idp import (
    PASSWORD,
    World,
    assertion,
    attribute,
    attributes,
    conditions,
    confirmation,
    form,
    response,
    sign,
    signed,
    statement,
    subject,
)

Where = Literal["forged", "original", "response"]

_ASSERTION: Final = re.compile(r"<saml:Assertion .*</saml:Assertion>", re.DOTALL)
_SIGNATURE: Final = re.compile(r"<ds:Signature .*?</ds:Signature>", re.DOTALL)
_REFUSALS: Final = "malformed signature encryption"
_SUCCESS: Final = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'


def _parts(document: str) -> tuple[str, str, str]:
    """The signed assertion of a message, without its signature, and the signature."""
    found = _ASSERTION.search(document)
    assert found is not None
    whole = found.group()
    signature = _SIGNATURE.search(whole)
    assert signature is not None
    return whole, whole.replace(signature.group(), "", 1), signature.group()


def _eve(w: World, **pieces: str) -> str:
    name = "<saml:NameID>eve</saml:NameID>"
    return assertion(w, **({"subject": subject(w, name)} | pieces))


def _into(signature: str, hidden: str, place: str) -> str:
    if place == "Object":
        return signature.replace("</ds:Signature>", f"<ds:Object>{hidden}</ds:Object></ds:Signature>")
    return signature.replace("<ds:KeyInfo>", f"<ds:KeyInfo>{hidden}")


def _forged(w: World, place: str, hidden: str, pieces: dict[str, str]) -> str:
    """The forged assertion, with the genuine one in one of its own parts if `place` says so."""
    end = "</saml:SubjectConfirmation>"
    data = confirmation(w).replace(f"/>{end}", f">{hidden}</saml:SubjectConfirmationData>{end}")
    inside = {
        "Advice": {"conditions": f"{conditions(w)}<saml:Advice>{hidden}</saml:Advice>"},
        "AttributeValue": {"attributes": attributes(attribute("x", hidden))},
        "SubjectConfirmationData": {"subject": subject(w, "<saml:NameID>eve</saml:NameID>", data)},
        "AuthnContextDecl": {
            "statement": statement(
                w,
                context=f"<saml:AuthnContextClassRef>{PASSWORD}</saml:AuthnContextClassRef>"
                f"<saml:AuthnContextDecl>{hidden}</saml:AuthnContextDecl>",
            )
        },
    }
    return _eve(w, **pieces, **inside.get(place, {}))


def _wrapped(place: str, where: Where, *, same_id: bool = False) -> Callable[[World], str]:
    def make(w: World) -> str:
        whole, without, signature = _parts(signed(w))
        hidden = whole if where == "original" else without
        if place in ("Object", "KeyInfo"):
            signature = _into(signature, hidden, place)
        pieces = {"id": "_a1" if same_id else "_evil"}
        if where == "forged" or (where == "original" and place in ("Object", "KeyInfo")):
            pieces["signature"] = signature
        forged = _forged(w, place, hidden, pieces)
        around = {"signature": signature} if where == "response" else {}
        return response(w, _siblings(w, place, forged, hidden), **around, **_outside(place, hidden))

    return make


def _siblings(w: World, place: str, forged: str, hidden: str) -> str:
    beside = {
        "before": hidden + forged,
        "after": forged + hidden,
        "EncryptedAssertion": f"{forged}<saml:EncryptedAssertion>{hidden}</saml:EncryptedAssertion>",
        "a nested Response": forged + response(w, hidden, id="_r2"),
    }
    return beside.get(place, forged)


def _outside(place: str, hidden: str) -> dict[str, str]:
    foreign = f'<x xmlns="urn:x">{hidden}</x>'
    detail = f"<samlp:Status>{_SUCCESS}<samlp:StatusDetail>{hidden}</samlp:StatusDetail></samlp:Status>"
    places = {
        "Extensions": {"extensions": f"<samlp:Extensions>{hidden}</samlp:Extensions>"},
        "an element in Extensions": {"extensions": f"<samlp:Extensions>{foreign}</samlp:Extensions>"},
        "StatusDetail": {"status": detail},
    }
    return places.get(place, {})


def _response_wrapped(place: str) -> Callable[[World], str]:
    """The signed Response hides in a forged one, whose signature or none is its own."""

    def make(w: World) -> str:
        genuine = signed(w, which=["_r1"])
        found = _SIGNATURE.search(genuine)
        assert found is not None
        without = genuine.replace(found.group(), "", 1)
        held: dict[str, str] = {"id": "_evil"}
        if place == "Object":
            held["signature"] = _into(found.group(), without, "Object")
        elif place == "before the Signature":
            return response(w, _eve(w), id="_evil", signature=without + found.group())
        elif place == "Extensions":
            held["extensions"] = f"<samlp:Extensions>{genuine}</samlp:Extensions>"
        elif place == "StatusDetail":
            held["status"] = (
                f"<samlp:Status>{_SUCCESS}<samlp:StatusDetail>{genuine}</samlp:StatusDetail></samlp:Status>"
            )
        return response(w, _eve(w), **held)

    return make


def _from_metadata(hidden: bool) -> Callable[[World], str]:
    """The signature of the provider's public metadata, which anybody can have."""

    def make(w: World) -> str:
        metadata = sign(
            '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_m1" entityID="x"/>',
            "_m1",
            w.idp,
        )
        found = _SIGNATURE.search(metadata)
        assert found is not None
        extensions = f"<samlp:Extensions>{metadata.replace(found.group(), '')}</samlp:Extensions>" if hidden else ""
        return response(w, _eve(w), signature=found.group(), extensions=extensions)

    return make


def _error(w: World) -> str:
    status = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/></samlp:Status>'
    return sign(response(w, "", status=status), "_r1", w.idp)


def _from_error(w: World) -> str:
    """The signature of an error, for which nobody has to sign in, in a forged message."""
    found = _SIGNATURE.search(_error(w))
    assert found is not None
    return response(w, _eve(w), signature=found.group())


def _error_changed(w: World) -> str:
    document = _error(w).replace("status:Responder", "status:Success")
    return document.replace("</samlp:Response>", f"{_eve(w)}</samlp:Response>")


def _two_people(w: World) -> str:
    both = response(w, assertion(w) + _eve(w, id="_a2"))
    return signed(w, both, which=["_a1", "_a2"])


def _second(before: bool) -> Callable[[World], str]:
    def make(w: World) -> str:
        whole, _, _ = _parts(signed(w))
        other = _eve(w, id="_evil")
        return response(w, other + whole if before else whole + other)

    return make


def _foreign_id(w: World) -> str:
    return signed(w).replace("<samlp:Status>", '<samlp:Extensions><x ID="_a1"/></samlp:Extensions><samlp:Status>', 1)


def _grid() -> list[Attack]:
    places = ["before", "after", "Object", "KeyInfo", "Extensions", "an element in Extensions", "StatusDetail"]
    places += ["Advice", "AttributeValue", "SubjectConfirmationData", "AuthnContextDecl", "EncryptedAssertion"]
    places.append("a nested Response")
    wheres: tuple[Where, ...] = ("forged", "original", "response")
    return [
        _attack(
            f"the original in {place}, its signature {where}{', the same ID' if same else ''}",
            _wrapped(place, where, same_id=same),
            _REFUSALS,
        )
        for place in places
        for where in wheres
        for same in (False, True)
    ]


def _attack(name: str, make: Callable[[World], str], codes: str = _REFUSALS) -> Attack:
    return attack(f"wrapping: {name}", codes, lambda w: form(make(w)), settings=EITHER)


# The classics by their usual numbers; some of the grid's are the same, but these are asked for by name.
_CLASSIC: Final = (
    _attack("1, the Response in its own Signature", _response_wrapped("Object")),
    _attack("2, the Response before the Signature", _response_wrapped("before the Signature")),
    _attack("3, a forged assertion before the signed one", _second(before=True)),
    _attack("4, the signed assertion inside the forged one", _wrapped("Advice", "original")),
    _attack("5, the Signature in the forged one, the original after it", _wrapped("after", "forged")),
    _attack("6, the original inside the Signature of the forged one", _wrapped("Object", "forged")),
    _attack(
        "7, a forged one of the same ID, the original in Extensions", _wrapped("Extensions", "original", same_id=True)
    ),
    _attack("8, the original in an Object of the forged one's Signature", _wrapped("Object", "original")),
)

ATTACKS: tuple[Attack, ...] = (
    *_CLASSIC,
    *_grid(),
    _attack("a signed Response in Extensions", _response_wrapped("Extensions")),
    _attack("a signed Response in StatusDetail", _response_wrapped("StatusDetail")),
    _attack("a signature from metadata", _from_metadata(False)),
    _attack("a signature from metadata, which hides in Extensions", _from_metadata(True)),
    _attack("a signature from an error", _from_error),
    _attack("a signed error turned into a success", _error_changed),
    _attack("a second assertion after the signed one", _second(before=False)),
    _attack("two signed assertions of two people", _two_people),
    _attack("a foreign element with the assertion's ID", _foreign_id),
)
