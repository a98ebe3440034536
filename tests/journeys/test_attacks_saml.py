"""Every SAML attack known to us, over HTTP: refused for the right reason, soon, and leaving nothing in memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import sqlalchemy as sa

from app.store import tenants
from app.store.engine import reading, writing
from app.store.saml_keys import current
from sso import cookies
from sso.connections import Addresses, SamlKey
from tests.attacks import (
    saml_algorithms,
    saml_conditions,
    saml_encryption,
    saml_logout,
    saml_signatures,
    saml_wrapping,
    saml_xml,
)
from tests.attacks.saml import Attack
from tests.journeys import agreement, attacking, server
from tests.journeys.attacking import Answer, send
from tests.journeys.server import Server
from tests.sso.saml_idp import World, assertion, form, idp_of, response, signed
from tests.sso.saml_logouts import logout_request, query

pytestmark = pytest.mark.journey

FAMILIES: Final = {
    "XML": saml_xml.ATTACKS,
    "signatures": saml_signatures.ATTACKS,
    "algorithms": saml_algorithms.ATTACKS,
    "wrapping": saml_wrapping.ATTACKS,
    "encryption": saml_encryption.ATTACKS,
    "conditions": saml_conditions.ATTACKS,
    "logout": saml_logout.ATTACKS,
}
WARM: Final = 40  # attacks after which all that is loaded once is loaded


@dataclass
class Target:
    """A tenant of a server of its own, and a connection for each way in which attacks want one set up."""

    server: Server
    engine: sa.Engine
    tenant: tenants.Tenant
    folder: Path
    keys: tuple[SamlKey, ...] = ()
    held: int = 0  # bytes, once all is loaded that is loaded once
    connections: dict[bytes, str] = field(default_factory=dict)

    def connection(self, attack: Attack) -> str:
        """The id of the one that the attack wants, made when it is first wanted."""
        wanted = orjson.dumps([attack.settings, attack.claims])
        if wanted not in self.connections:
            self.connections[wanted] = self._make(attack)
        return self.connections[wanted]

    def world(self, attack: Attack, request_id: str | None) -> World:
        return World(Addresses(self.server.url, self.connection(attack)), keys=self.keys, request_id=request_id)

    def ask(self, attack: Attack) -> tuple[str, dict[str, str]]:
        """A browser asks to sign in: the request's id, and the browser's cookies."""
        name = self.name(attack)
        begun = send(f"{self.server.url}/sign-in/{self.tenant.name}/{name}")
        assert begun.status in (302, 303), begun.body
        [request_id] = parse_qs(urlsplit(begun.headers["location"]).query)["RelayState"]
        return request_id, dict(begun.cookies)

    def name(self, attack: Attack) -> str:
        return f"idp-{list(self.connections).index(orjson.dumps([attack.settings, attack.claims]))}"

    def play(self, attack: Attack) -> Answer:
        """One try: a request of its own, if the attack wants one pending, and the hostile answer to it."""
        self.connection(attack)
        request_id, jar = self.ask(attack) if attack.pending else (None, {})
        world = self.world(attack, request_id)
        raw = attack.make(world)
        url = world.addresses.slo if attack.where == "slo" else world.addresses.acs
        if attack.method == "GET":
            return send(url, query=raw, cookies=jar)
        return send(url, "POST", body=raw, cookies=jar)

    @property
    def tenant_cookie(self) -> str:
        return cookies.session(self.server.url, self.tenant.id)

    def sign_in(self) -> Answer:
        """A genuine answer."""
        id = f"_a{secrets.token_hex(16)}"
        make = partial(_genuine, id=id)
        return self.play(Attack("genuine", make, frozenset()))

    def is_signed_in(self, came: Answer) -> bool:
        url = f"{self.server.url}/signed-in/{self.tenant.name}"
        return "You are signed in" in send(url, cookies=came.cookies).body

    def _make(self, attack: Attack) -> str:
        idp = idp_of("rsa")
        settings: dict[str, Any] = dict(attack.settings)
        known = idp_of("rsa", "https://stranger.example.net") if settings.pop("certificates", None) == () else idp
        certificate = self.folder / f"{len(self.connections)}.pem"
        certificate.write_text(known.certificate)
        addresses = ("--sso-url", "https://idp.example.com/sso", "--slo-url", "https://idp.example.com/slo")
        made = self.server.rollcall(
            *("connection", "create", "--tenant", self.tenant.name, "--type", "saml", "--arrival", "create"),
            *("--name", f"idp-{len(self.connections)}", "--entity-id", idp.entity_id, *addresses),
            *("--certificate", str(certificate)),
            *(
                part
                for name, value in settings.items()
                for part in ("--setting", f"{name}={orjson.dumps(value).decode()}")
            ),
            *(part for name, (value,) in attack.claims.items() for part in ("--claim", f"{name}={value}")),
        )
        return str(made["id"])


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with server.running() as started, started.engine() as engine:
        with writing(engine) as conn:
            tenant = tenants.create(conn, "attacked")
        made = Target(started, engine, tenant, tmp_path_factory.mktemp("certificates"))
        made.sign_in()
        with reading(engine) as conn:
            rows = current(conn)
        vault = started.vault()
        keys = tuple(SamlKey(row.certificate, vault.open(row.private)) for row in rows)
        made.keys = (keys * 2)[:2]
        attacks = [attack for family in FAMILIES.values() for attack in family]
        for attack in attacks[:: len(attacks) // WARM]:
            made.play(attack)
        made.held = attacking.memory(started)
        yield made


@pytest.mark.parametrize("family", FAMILIES)
def test_attacks_are_refused_for_the_right_reason_and_soon(target: Target, family: str) -> None:
    wrong, came = [], target.sign_in()
    for attack in FAMILIES[family]:
        try:
            answer, found = attacking.judged(target.engine, target.tenant.id, partial(target.play, attack))
        except AssertionError as error:
            wrong.append(f"{attack.name}: {error}")
            continue
        if found not in _right(attack) or target.tenant_cookie in answer.cookies:
            wrong.append(f"{attack.name}: expected {_right(attack)}, found {found} ({answer.status})")
    assert not wrong, attacking.told(wrong)
    assert target.is_signed_in(came), "what is right is accepted beside them, and no logout took effect"


def test_a_genuine_logout_beside_them(target: Target) -> None:
    came = target.sign_in()
    target.play(Attack("genuine", lambda w: query(logout_request(w), w.idp), frozenset(), where="slo", method="GET"))
    assert not target.is_signed_in(came)


def test_nobody_came_in_but_who_may(target: Target) -> None:
    assert agreement.count_accounts(target.engine, target.tenant.id) == 1


def test_attacks_leave_nothing_in_memory(target: Target) -> None:
    grown = attacking.memory(target.server) - target.held
    assert grown < attacking.MOST_GROWTH, f"{grown / 2**20:.1f} MiB"


def _genuine(w: World, id: str) -> bytes:
    return form(signed(w, response(w, assertion(w, id=id)), [id]))


def _right(attack: Attack) -> set[str]:
    """Whoever answers what nobody asked is told so, be it that another browser asked or none."""
    return set(attack.codes) | ({"unknown_request"} if "other_browser" in attack.codes else set())
