"""Authorizations: a code is exchanged once, a refresh token once, and whoever has a copy of either ends everything."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import authorizations as store
from app.store import provider_tables as t
from app.store import sessions, tenants
from app.store.authorizations import Authorization, NewAuthorization, NewToken
from app.store.engine import reading, writing
from tests.signed_in import CALLBACK, SignedIn, add_client, sign_in

SCOPES = ("openid", "email")


class World:
    """One person at one client."""

    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self.engine, self.tenant_id = engine, tenant_id
        self.ada: SignedIn = sign_in(engine, tenant_id)
        self.client_id = add_client(engine, tenant_id)[0].id

    def begin(self, *, offline: bool = False) -> str:
        ada = self.ada
        new = NewAuthorization(
            self.tenant_id, self.client_id, ada.session_id, ada.account_id, SCOPES, CALLBACK, "c" * 43, offline, "n"
        )
        with reading(self.engine) as conn:
            return store.begin(conn, new)

    def redeem(self, code: str, client_id: str | None = None) -> str | None:
        """The refresh token, if it works."""
        return self._exchange(store.redeem, code, client_id)

    def rotate(self, token: str, client_id: str | None = None) -> str | None:
        return self._exchange(store.rotate, token, client_id)

    def _exchange(self, how: Callable[..., bool], text: str, client_id: str | None) -> str | None:
        end = datetime.now(UTC) + timedelta(hours=1)
        refresh = secrets.token_urlsafe(32)
        access = NewToken(str(uuid4()), secrets.token_urlsafe(32), SCOPES, end)
        with writing(self.engine) as conn:
            done = how(
                conn,
                self.tenant_id,
                client_id or self.client_id,
                text,
                access,
                NewToken(str(uuid4()), refresh, SCOPES, end),
            )
        return refresh if done else None

    def behind(self, refresh: str) -> Authorization:
        with reading(self.engine) as conn:
            found = store.refreshable(conn, self.tenant_id, self.client_id, refresh)
        assert found is not None
        return found

    def later(self, seconds: int) -> None:
        """Move what happened into the past."""
        with writing(self.engine) as conn:
            for table, columns in {
                "codes": ("used_at", "expires_at"),
                "tokens": ("issued_at", "used_at", "expires_at"),
            }.items():
                moved = ", ".join(f"{column} = {column} - interval '{seconds} seconds'" for column in columns)
                conn.exec_driver_sql(f"UPDATE {table} SET {moved}")


@pytest.fixture
def world(engine: sa.Engine, tenant: tenants.Tenant) -> World:
    return World(engine, tenant.id)


def together(first: Callable[[], str | None], times: int = 2) -> list[str | None]:
    """The same at the same instant."""
    gate = Barrier(times)

    def one(_number: int) -> str | None:
        gate.wait()
        return first()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_a_code_says_what_it_was_given_for(world: World) -> None:
    code = world.begin()
    with reading(world.engine) as conn:
        found = store.code(conn, world.tenant_id, world.client_id, code)
    assert found is not None
    assert (found.redirect_uri, found.challenge, found.used) == (CALLBACK, "c" * 43, False)
    said = found.authorization
    assert (said.account_id, said.session_id) == (world.ada.account_id, world.ada.session_id)
    assert (said.scopes, said.nonce, said.living, said.context) == (SCOPES, "n", True, "urn:mfa")


def test_only_digests_are_kept(world: World) -> None:
    code = world.begin()
    refresh = world.redeem(code)
    assert refresh is not None
    with reading(world.engine) as conn:
        kept = conn.exec_driver_sql("SELECT c::text FROM codes c UNION SELECT t::text FROM tokens t").scalars().all()
    assert len(kept) == 3
    assert not [row for row in kept if code in row or refresh[6:] in row]


def test_a_second_use_of_a_code_ends_what_the_first_gave(world: World) -> None:
    code = world.begin()
    refresh = world.redeem(code)
    assert refresh is not None
    assert world.behind(refresh).living
    assert world.redeem(code) is None
    assert not world.behind(refresh).living


def test_of_two_exchanges_of_a_code_at_once_one_wins_and_all_ends(world: World) -> None:
    for _ in range(5):
        code = world.begin()
        won = [one for one in together(lambda: world.redeem(code), 4) if one]  # noqa: B023
        assert len(won) == 1
        assert not world.behind(won[0]).living


def test_a_code_is_its_clients_alone_and_lives_a_minute(world: World) -> None:
    other = add_client(world.engine, world.tenant_id)[0].id
    code = world.begin()
    with reading(world.engine) as conn:
        assert store.code(conn, world.tenant_id, other, code) is None
        assert store.code(conn, str(uuid4()), world.client_id, code) is None
    assert world.redeem(code, other) is None
    world.later(61)
    with reading(world.engine) as conn:
        assert store.code(conn, world.tenant_id, world.client_id, code) is None
    assert world.redeem(code) is None


def test_refresh_tokens_rotate(world: World) -> None:
    first = world.redeem(world.begin())
    assert first is not None
    second = world.rotate(first)
    assert second is not None
    third = world.rotate(second)
    assert third is not None
    assert world.behind(third).living


def test_a_lost_answer_is_given_again_for_a_moment(world: World) -> None:
    first = world.redeem(world.begin())
    assert first is not None
    lost, again = world.rotate(first), world.rotate(first)
    assert lost
    assert again
    assert world.behind(again).living
    world.later(11)
    assert world.rotate(first) is None
    assert not world.behind(again).living


def test_a_copy_that_comes_after_its_successor_was_used_ends_everything(world: World) -> None:
    first = world.redeem(world.begin())
    assert first is not None
    second = world.rotate(first)
    assert second is not None
    third = world.rotate(second)
    assert third is not None
    assert world.rotate(first) is None  # within the ten seconds
    assert not world.behind(third).living


@pytest.mark.parametrize("first_used", [0, 1])
def test_of_two_successors_one_goes_on(world: World, first_used: int) -> None:
    """The other is a copy's: whoever has it is found out however late he comes."""
    refresh = world.redeem(world.begin())
    assert refresh is not None
    both = [world.rotate(refresh), world.rotate(refresh)]
    world.later(300)
    third = world.rotate(str(both[first_used]))
    assert third is not None
    assert world.behind(third).living
    world.later(300)
    assert world.rotate(str(both[1 - first_used])) is None
    assert not world.behind(third).living
    assert world.rotate(third) is None or not world.behind(third).living


def test_of_two_successors_at_once_one_goes_on(world: World) -> None:
    for _ in range(10):
        refresh = world.redeem(world.begin())
        assert refresh is not None
        both = [str(world.rotate(refresh)) for _ in range(2)]
        turns = iter(both)
        won = [one for one in together(lambda: world.rotate(next(turns))) if one]  # noqa: B023
        assert len(won) == 1
        assert not world.behind(won[0]).living


def test_of_refreshes_at_once_one_wins_without_grace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Never:
        def rows(self, *_: object) -> list[object]:
            return []

    monkeypatch.setattr(store, "_ROTATE_AGAIN", Never())
    for _ in range(5):
        refresh = world.redeem(world.begin())
        assert refresh is not None
        won = [one for one in together(lambda: world.rotate(refresh), 4) if one]  # noqa: B023
        assert len(won) == 1
        assert not world.behind(won[0]).living


def test_refreshes_at_once_are_lost_answers(world: World) -> None:
    refresh = world.redeem(world.begin())
    assert refresh is not None
    won = together(lambda: world.rotate(refresh))
    assert all(won)
    assert world.behind(str(won[0])).living


def test_another_client_neither_refreshes_nor_revokes(world: World) -> None:
    other = add_client(world.engine, world.tenant_id)[0].id
    refresh = world.redeem(world.begin())
    assert refresh is not None
    assert world.rotate(refresh, other) is None
    with reading(world.engine) as conn:
        assert store.refreshable(conn, world.tenant_id, other, refresh) is None
        store.revoke_token(conn, world.tenant_id, other, refresh)
        store.revoke_token(conn, str(uuid4()), world.client_id, refresh)
    assert world.behind(refresh).living
    with reading(world.engine) as conn:
        store.revoke_token(conn, world.tenant_id, world.client_id, refresh)
    assert not world.behind(refresh).living


@pytest.mark.parametrize("offline", [False, True])
def test_it_ends_with_the_session_and_the_person(world: World, offline: bool) -> None:
    refresh = world.redeem(world.begin(offline=offline))
    assert refresh is not None
    with writing(world.engine) as conn:
        conn.exec_driver_sql("UPDATE sessions SET expires_at = expires_at - interval '2 days'")
    assert world.behind(refresh).living == offline
    with writing(world.engine) as conn:
        conn.exec_driver_sql("UPDATE sessions SET expires_at = expires_at + interval '2 days'")
        conn.exec_driver_sql("UPDATE accounts SET status = 'inactive'")
    assert not world.behind(refresh).living
    with writing(world.engine) as conn:
        conn.exec_driver_sql("UPDATE accounts SET status = 'active'")
    assert world.behind(refresh).living
    with reading(world.engine) as conn:
        sessions.end(conn, world.tenant_id, [world.ada.session_id], "test")
    assert not world.behind(refresh).living


def test_signing_out_everywhere_ends_it(world: World) -> None:
    refresh = world.redeem(world.begin(offline=True))
    assert refresh is not None
    with reading(world.engine) as conn:
        sessions.end_all(conn, world.tenant_id, world.ada.account_id, "test")
    assert not world.behind(refresh).living


def test_what_is_over_is_forgotten_with_its_authorization(world: World) -> None:
    unused, refresh = world.begin(), world.redeem(world.begin())
    assert refresh is not None
    assert unused
    world.later(1800)
    with reading(world.engine) as conn:
        assert store.forget(conn) == 0
    world.later(1801 + 60)
    with reading(world.engine) as conn:
        assert store.forget(conn) == 4
        assert conn.execute(sa.select(sa.func.count()).select_from(t.authorizations)).scalar_one() == 0
