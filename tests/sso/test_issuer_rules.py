"""Directories, lasting names and vouched addresses: e-mail is not an identity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sso.discovery import read
from sso.errors import SignInError
from tests.attacks.jwts import SIGNER
from tests.sso.provider_at_hand import DOCUMENT, AtHand, connection, id_claims

MANY = "https://login.example/{tenantid}/v2.0"
TID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
OID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ONE = f"https://login.example/{TID}/v2.0"
PROVIDER = read({**DOCUMENT, "issuer": MANY}, MANY)


def of_directory(**changes: Any) -> dict[str, Any]:
    return id_claims(**{"iss": ONE, "tid": TID, "oid": OID, "email_verified": ..., **changes})


def accept(claims: dict[str, Any], many: bool = True, keys: list[dict[str, Any]] | None = None, **settings: Any) -> Any:
    idp = AtHand()
    idp.gives(SIGNER.sign(claims))
    idp.say("/keys", {"keys": keys or SIGNER.public})
    used = connection(**({"issuer": MANY, "tenants": (TID,)} if many else {"issuer": ONE}) | settings)
    return idp.accept(used, provider=PROVIDER if many else replace(PROVIDER, issuer=ONE))


def refused(code: str, claims: dict[str, Any], **more: Any) -> None:
    with pytest.raises(SignInError) as caught:
        accept(claims, **more)
    assert caught.value.code == code, caught.value.detail


@pytest.mark.parametrize("many", [True, False])
def test_a_person_of_a_directory_is_found_by_both_ids(many: bool) -> None:
    found = accept(of_directory(), many)
    assert (found.subject, found.issuer) == (f"{TID}/{OID}", ONE)
    assert found.provider_session.subject == "s-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"tid": OTHER, "iss": MANY.replace("{tenantid}", OTHER)},  # another organisation
        {"tid": OTHER},  # says one, is signed for another
        {"iss": MANY.replace("{tenantid}", OTHER)},
        {"tid": ...},
        {"tid": "{tenantid}", "iss": MANY},
        {"tid": "organizations", "iss": MANY.replace("{tenantid}", "organizations")},
        {"tid": [TID]},
        {"tid": f"{TID}/v2.0?x=", "iss": f"https://login.example/{TID}/v2.0?x=/v2.0"},
        {"tid": TID.upper().replace("1", "A")},
        {"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"},  # everybody's own accounts
    ],
)
def test_other_directories(changes: dict[str, Any]) -> None:
    refused("issuer", of_directory(**changes))


def test_without_a_list_nobody_of_many_directories_may_sign_in() -> None:
    refused("issuer", of_directory(), tenants=())


def test_a_list_counts_at_a_single_directory_too() -> None:
    refused("issuer", of_directory(), many=False, tenants=(OTHER,))


def test_a_key_of_one_directory_signs_for_no_other() -> None:
    key = SIGNER.public[0]
    assert accept(of_directory(), keys=[{**key, "issuer": MANY}])
    assert accept(of_directory(), keys=[{**key, "issuer": ONE}])
    refused("issuer", of_directory(), keys=[{**key, "issuer": MANY.replace("{tenantid}", OTHER)}])


@pytest.mark.parametrize("oid", [..., "", 7, "admin", f"{OID} ", [OID]])
def test_a_person_of_a_directory_has_an_oid(oid: Any) -> None:
    refused("subject", of_directory(oid=oid))


def test_ids_beside_another_issuer_mean_nothing() -> None:
    idp = AtHand()
    idp.gives(SIGNER.sign(id_claims(tid=TID, oid=OID)))
    assert idp.accept().subject == "s-1"


@pytest.mark.parametrize(
    ("changes", "trusted"),
    [
        ({}, False),
        ({"email_verified": True}, False),  # nOAuth: any administrator there can give any address
        ({"xms_edov": False}, False),
        ({"xms_edov": "0"}, False),
        ({"xms_edov": True}, True),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": True, "email": ...}, False),
    ],
)
def test_an_address_of_a_directory(changes: dict[str, Any], trusted: bool) -> None:
    assert accept(of_directory(**changes)).email_trusted is trusted


@pytest.mark.parametrize(
    ("changes", "trusted"),
    [
        ({}, True),
        ({"email_verified": "true"}, True),
        ({"email_verified": False}, False),
        ({"email_verified": "false"}, False),
        ({"email_verified": ...}, False),
        ({"email_verified": ["true"]}, False),
        ({"email_verified": ..., "xms_edov": True}, False),
        ({"email": ...}, False),
    ],
)
def test_an_address_elsewhere(changes: dict[str, Any], trusted: bool) -> None:
    idp = AtHand()
    idp.gives(SIGNER.sign(id_claims(**changes)))
    assert idp.accept().email_trusted is trusted


@pytest.mark.parametrize(("domain", "trusted"), [(None, False), ("acme.example", True)])
def test_a_provider_of_everybodys_addresses_speaks_for_a_hosted_domain(domain: str | None, trusted: bool) -> None:
    google = "https://accounts.google.com"
    idp = AtHand()
    idp.gives(SIGNER.sign(id_claims(iss=google, hd="acme.example")))
    found = idp.accept(
        connection(issuer=google, hosted_domain=domain), provider=read({**DOCUMENT, "issuer": google}, google)
    )
    assert found.email_trusted is trusted


@pytest.mark.parametrize(("trusted", "name"), [(True, "ada@acme.example"), (False, None)])
def test_an_address_is_a_user_name_only_when_vouched_for(trusted: bool, name: str | None) -> None:
    idp = AtHand()
    idp.gives(SIGNER.sign(id_claims(preferred_username=..., email_verified=trusted)))
    found = idp.accept()
    assert (found.user_name, found.email) == (name, "ada@acme.example")
