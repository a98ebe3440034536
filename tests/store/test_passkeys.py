"""Passkeys and challenges as they are kept."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import passkeys
from app.store.engine import writing
from app.store.tenants import Tenant

ADA, BOB = "0198a000-0000-7000-8000-000000000001", "0198a000-0000-7000-8000-000000000002"


def test_a_challenge_is_answered_once_by_the_browser_that_asked(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        passkeys.ask(conn, "browser", "sign in", b"first", None)
        passkeys.ask(conn, "browser", "sign in", b"second", None)
        assert passkeys.answered(conn, "another", "sign in", None) is None
        assert passkeys.answered(conn, "browser", "register", None) is None
        assert passkeys.answered(conn, "browser", "sign in", None) == b"second"
        assert passkeys.answered(conn, "browser", "sign in", None) is None


def test_a_challenge_is_for_one_administrator_and_five_minutes(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        passkeys.ask(conn, "browser", "register", b"x", ADA)
        assert passkeys.answered(conn, "browser", "register", BOB) is None
        passkeys.ask(conn, "browser", "register", b"x", ADA)
        conn.execute(sa.text("UPDATE console_challenges SET expires_at = now()"))
        assert passkeys.answered(conn, "browser", "register", ADA) is None


def test_a_counter_only_grows_and_one_that_is_none_stays(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        passkeys.add(conn, tenant.id, ADA, b"counts", b"key", 3, ["usb"], "Key")
        passkeys.add(conn, tenant.id, ADA, b"counts not", b"key", 0, [], "Cloud")
        counts, cloud = passkeys.by_credential(conn, b"counts"), passkeys.by_credential(conn, b"counts not")
        assert counts is not None
        assert cloud is not None
        assert [passkeys.used(conn, counts, n) for n in (3, 4, 4, 5)] == [False, True, False, True]
        assert [passkeys.used(conn, cloud, 0) for _ in range(2)] == [True, True]


def test_a_passkey_is_of_one_administrator(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        id = passkeys.add(conn, tenant.id, ADA, b"c", b"key", 0, ["usb"], "Key")
        assert passkeys.remove(conn, tenant.id, BOB, id) is None
        assert [one.label for one in passkeys.of(conn, tenant.id, ADA)] == ["Key"]
        assert passkeys.remove(conn, tenant.id, ADA, id) == "Key"
        passkeys.add(conn, tenant.id, ADA, b"c", b"key", 0, [], "Key")
        with pytest.raises(passkeys.KnownPasskeyError):
            passkeys.add(conn, tenant.id, BOB, b"c", b"key", 0, [], "Key")
        assert passkeys.of(conn, tenant.id, BOB) == []


def test_nobody_has_more_than_twenty(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        for number in range(passkeys.MOST_OF_ONE):
            passkeys.add(conn, tenant.id, ADA, bytes([number]), b"key", 0, [], "Key")
        with pytest.raises(passkeys.TooManyPasskeysError):
            passkeys.add(conn, tenant.id, ADA, b"one more", b"key", 0, [], "Key")
        assert passkeys.remove_all(conn, tenant.id, ADA) == passkeys.MOST_OF_ONE
