"""Back-channel logout: whoever signed somebody in hears of the session's end, however it came, once and behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa
from flask import Flask

from app.events.issuing import Issuer, ReadyIssuer
from app.events.logouts import MOST_TRIES, LogoutDelivery
from app.outbound import LOOPBACK, Outbound
from app.store import clients, logouts, sessions, tenants
from app.store.engine import reading, writing
from app.store.vault import Vault
from tests.events.receiver import Receiver, listening
from tests.relying_party import ISSUER, Lms, make_app
from tests.signed_in import SignedIn, add_client, sign_in


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    return make_app(engine)


@pytest.fixture
def ears() -> Iterator[Receiver]:
    with listening(Receiver(answer=lambda _: (200, b"", {}))) as made:
        yield made


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> SignedIn:
    return sign_in(engine, tenant.id)


@pytest.fixture
def lms(engine: sa.Engine, app: Flask, ada: SignedIn, ears: Receiver) -> Lms:
    made = Lms(app, *add_client(engine, ada.tenant_id, back_channel_logout_uri=ears.url))
    made.take_cookie(ada)
    made.tokens()
    return made


@pytest.fixture
def delivery(engine: sa.Engine, vault: Vault) -> LogoutDelivery:
    return LogoutDelivery(engine, ReadyIssuer(Issuer(engine, vault, ISSUER)), Outbound(LOOPBACK))


def end(engine: sa.Engine, who: SignedIn) -> None:
    with reading(engine) as conn:
        sessions.end(conn, who.tenant_id, [who.session_id], "test")


def end_all(engine: sa.Engine, who: SignedIn) -> None:
    with reading(engine) as conn:
        sessions.end_all(conn, who.tenant_id, who.account_id, "test")


def deactivate(engine: sa.Engine, _who: SignedIn) -> None:
    """As the write door does when somebody leaves."""
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE accounts SET status = 'inactive', signed_out_at = clock_timestamp()")


def due_now(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE logouts SET next_at = now()")


@pytest.mark.parametrize("how", [end, end_all, deactivate])
def test_a_client_hears_of_the_end_once(
    lms: Lms,
    ada: SignedIn,
    ears: Receiver,
    engine: sa.Engine,
    delivery: LogoutDelivery,
    how: Callable[[sa.Engine, SignedIn], None],
) -> None:
    delivery.drain()
    assert ears.tried == []
    how(engine, ada)
    delivery.drain()
    delivery.drain()
    [told] = ears.tried
    assert told.headers["content-type"] == "application/x-www-form-urlencoded"
    [token] = parse_qs(told.body.decode())["logout_token"]
    header, claims = lms.verified(token)
    assert header["typ"] == "logout+jwt"
    assert (claims["iss"], claims["aud"]) == (ISSUER, lms.party.id)
    assert (claims["sub"], claims["sid"]) == (ada.account_id, ada.session_id)
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in claims
    assert claims["exp"] - claims["iat"] == 120


def test_who_had_no_part_in_it_hears_nothing(
    lms: Lms, engine: sa.Engine, ears: Receiver, delivery: LogoutDelivery
) -> None:
    add_client(engine, lms.party.tenant_id, back_channel_logout_uri=ears.url)
    end(engine, sign_in(engine, lms.party.tenant_id))
    delivery.drain()
    assert ears.tried == []


def test_what_is_not_taken_comes_again_as_the_same(
    lms: Lms, ada: SignedIn, ears: Receiver, engine: sa.Engine, delivery: LogoutDelivery
) -> None:
    ears.answer = lambda number: (500, b"", {}) if number < 3 else (204, b"", {})
    end(engine, ada)
    delivery.drain()
    delivery.drain()
    assert len(ears.tried) == 1  # it waits
    for _ in range(4):
        due_now(engine)
        delivery.drain()
    tokens = [parse_qs(one.body.decode())["logout_token"][0] for one in ears.tried]
    assert len(tokens) == 3
    assert len({lms.verified(token)[1]["jti"] for token in tokens}) == 1


def test_it_is_given_up(lms: Lms, ada: SignedIn, ears: Receiver, engine: sa.Engine, delivery: LogoutDelivery) -> None:
    ears.answer = lambda _: (503, b"", {})
    end(engine, ada)
    for _ in range(MOST_TRIES + 3):
        delivery.drain()
        due_now(engine)
    assert len(ears.tried) == MOST_TRIES
    with reading(engine) as conn:
        assert conn.exec_driver_sql("SELECT failure FROM logouts").scalar_one() == "status 503 instead of 200"


def test_a_refusal_is_final_and_a_removed_client_is_left_alone(
    lms: Lms, ada: SignedIn, ears: Receiver, engine: sa.Engine, delivery: LogoutDelivery
) -> None:
    ears.answer = lambda _: (400, b"", {})
    end(engine, ada)
    delivery.drain()
    due_now(engine)
    delivery.drain()
    assert len(ears.tried) == 1
    bob = sign_in(engine, ada.tenant_id)
    lms.take_cookie(bob)
    lms.tokens()
    end(engine, bob)
    with writing(engine) as conn:
        logouts.notice(conn)
        clients.remove(conn, ada.tenant_id, lms.party.id)
    delivery.drain()
    assert len(ears.tried) == 1


def test_what_is_done_is_forgotten_after_a_day(
    lms: Lms, ada: SignedIn, engine: sa.Engine, delivery: LogoutDelivery
) -> None:
    end(engine, ada)
    delivery.drain()
    with writing(engine) as conn:
        assert logouts.forget(conn) == 0
        conn.exec_driver_sql("UPDATE logouts SET done_at = done_at - interval '25 hours'")
        assert logouts.forget(conn) == 1
