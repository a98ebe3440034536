"""Discovery: the document of whom we asked, kept for an hour, and nothing that leads elsewhere."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from sso.discovery import LONGEST_ADDRESS, ProviderMetadata, Providers, document_address, fetch, read
from sso.errors import SignInError
from tests.attacks.oidc_answers import DOCUMENTS
from tests.sso.provider_at_hand import DOCUMENT, ISSUER, AtHand, connection

WELL_KNOWN = "/.well-known/openid-configuration"
MANY = "https://login.example/{tenantid}/v2.0"


@pytest.fixture
def idp() -> AtHand:
    return AtHand()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_taken(idp: AtHand) -> None:
    assert fetch(idp, ISSUER) == ProviderMetadata(
        ISSUER,
        f"{ISSUER}/authorize",
        f"{ISSUER}/token",
        f"{ISSUER}/keys",
        f"{ISSUER}/userinfo",
        f"{ISSUER}/end?x=1",
    )
    assert [url for _, url, _, _ in idp.asked] == [ISSUER + WELL_KNOWN]
    assert read({**DOCUMENT, "authorization_response_iss_parameter_supported": True}, ISSUER).answers_with_issuer
    assert not read({**DOCUMENT, "authorization_response_iss_parameter_supported": "true"}, ISSUER).answers_with_issuer


def test_the_least_that_is_needed_and_endpoints_elsewhere() -> None:
    needed = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    bare = {name: DOCUMENT[name] for name in needed}
    assert read(bare, ISSUER).userinfo_endpoint is None
    assert read({**bare, "token_endpoint": "https://oauth2.other.example/token"}, ISSUER)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_are_not_believed(name: str) -> None:
    changes, code = DOCUMENTS[name]
    with pytest.raises(SignInError) as caught:
        read({key: value for key, value in {**DOCUMENT, **changes}.items() if value is not ...}, ISSUER)
    assert caught.value.code == code, caught.value.detail


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"<html>", 200, "malformed"),
        (b"[]", 200, "malformed"),
        (b'{"issuer": "a", "issuer": "b"}', 200, "malformed"),
        (b"[" * 100_000, 200, "malformed"),
        (b" " * 10_000_000, 200, "malformed"),
        (b"", 302, "provider_unreachable"),
        (b"", 404, "provider_unreachable"),
        (b"", 500, "provider_unreachable"),
    ],
)
def test_answers_that_are_no_document(idp: AtHand, body: bytes, status: int, code: str) -> None:
    idp.say(WELL_KNOWN, body, status)
    with pytest.raises(SignInError) as caught:
        fetch(idp, ISSUER)
    assert caught.value.code == code


@pytest.mark.parametrize("issuer", ["http://idp.example", "file:///x", "https://u@idp.example", "x" * LONGEST_ADDRESS])
def test_issuers_that_are_never_asked(idp: AtHand, issuer: str) -> None:
    with pytest.raises(SignInError):
        fetch(idp, issuer)
    assert idp.asked == []


def test_plain_http_is_for_loopback() -> None:
    here = {name: str(url).replace(ISSUER, "http://localhost:9") for name, url in DOCUMENT.items()}
    assert read(here, "http://localhost:9").token_endpoint == "http://localhost:9/token"


@pytest.mark.parametrize(
    ("issuer", "address"),
    [
        ("https://a.example", "https://a.example/.well-known/openid-configuration"),
        ("https://a.example/", "https://a.example/.well-known/openid-configuration"),
        ("https://a.example/x/v2.0", "https://a.example/x/v2.0/.well-known/openid-configuration"),
        (MANY, "https://login.example/organizations/v2.0/.well-known/openid-configuration"),
    ],
)
def test_where_the_document_is(issuer: str, address: str) -> None:
    assert document_address(issuer) == address


@pytest.mark.parametrize("name", ["organizations", "common", "{tenantid}"])
def test_a_provider_of_many_directories(name: str) -> None:
    assert read({**DOCUMENT, "issuer": MANY}, f"https://login.example/{name}/v2.0").issuer == MANY


@pytest.mark.parametrize(
    ("said", "issuer"),
    [
        (MANY, "https://login.example/another/v2.0"),
        (MANY, "https://login.example/organizations/v2.0/"),
        ("https://{tenantid}.attacker.example/{tenantid}", "https://common.attacker.example/common"),
        ("https://login.attacker.example/{tenantid}/v2.0", "https://login.example/common/v2.0"),
        ("https://login.example/{tenant}/v2.0", "https://login.example/common/v2.0"),
    ],
)
def test_an_open_directory_is_in_the_one_place(said: str, issuer: str) -> None:
    with pytest.raises(SignInError, match="issuer"):
        read({**DOCUMENT, "issuer": said}, issuer)


def test_it_is_kept_for_an_hour(idp: AtHand) -> None:
    clock = Clock()
    providers = Providers(idp, clock)
    for clock.now in (0.0, 10.0, 3600.0):
        providers.of(connection())
    assert len(idp.asked) == 1
    clock.now = 3601.0
    providers.of(connection())
    assert len(idp.asked) == 2
    found = providers.of(replace(connection(), version=2))
    assert (len(idp.asked), found.epoch) == (3, 2)


def _refused(providers: Providers) -> str:
    with pytest.raises(SignInError) as caught:
        providers.of(connection())
    return caught.value.code


def test_a_provider_that_does_not_answer_is_not_pressed(idp: AtHand) -> None:
    clock = Clock()
    idp.answers[ISSUER + WELL_KNOWN] = None
    providers = Providers(idp, clock)
    assert [_refused(providers) for _ in range(5)] == ["provider_unreachable"] * 5
    assert len(idp.asked) == 1
    idp.say(WELL_KNOWN, DOCUMENT)
    clock.now = 10.0
    assert providers.of(connection()).issuer == ISSUER


def test_what_is_known_serves_while_it_does_not_answer(idp: AtHand) -> None:
    clock = Clock()
    providers = Providers(idp, clock)
    providers.of(connection())
    idp.answers[ISSUER + WELL_KNOWN] = None
    for clock.now in (3700.0, 3701.0, 4 * 3600.0):
        assert providers.of(connection()).issuer == ISSUER
    assert len(idp.asked) == 3
    clock.now = 4 * 3600.0 + 20
    assert _refused(providers) == "provider_unreachable"


def test_a_provider_that_became_another_is_refused_at_once(idp: AtHand) -> None:
    clock = Clock()
    providers = Providers(idp, clock)
    providers.of(connection())
    idp.say(WELL_KNOWN, {**DOCUMENT, "issuer": "https://attacker.example"})
    clock.now = 3700.0
    assert _refused(providers) == "issuer"


def test_nobody_waits_for_a_refresh_that_is_under_way(idp: AtHand) -> None:
    clock, begun, go_on = Clock(), threading.Event(), threading.Event()
    providers = Providers(idp, clock)
    providers.of(connection())
    clock.now = 3700.0
    get = idp.get

    def slow(*asked: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return get(*asked)

    idp.get = slow  # type: ignore[method-assign]
    first = threading.Thread(target=providers.of, args=(connection(),))
    first.start()
    assert begun.wait(20)
    assert providers.of(connection()).issuer == ISSUER
    go_on.set()
    first.join(20)
    assert len(idp.asked) == 2


def test_what_is_known_is_bounded(idp: AtHand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sso.discovery.MOST_ISSUERS", 2)
    providers = Providers(idp, Clock())
    for number in (1, 2, 3, 1):
        base = f"https://idp{number}.example"
        idp.say(WELL_KNOWN, {**DOCUMENT, "issuer": base}, base=base)
        providers.of(connection(issuer=base))
    assert len(idp.asked) == 4
