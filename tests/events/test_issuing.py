"""Keys in the database: sealed, made once, replaced with an overlap, shown at /.well-known/jwks.json."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.events import issuing
from app.events.issuing import Issuer
from app.store import outward_tables as t
from app.store import signing_keys
from app.store.engine import reading, writing
from app.store.vault import Vault, VaultError
from sso.keys import NoSigningKeyError
from tests.events.receiver import verified

PATH = "/.well-known/jwks.json"


def test_without_a_key_the_set_is_empty_and_not_kept(app: Flask) -> None:
    answer = app.test_client().get(PATH)
    assert (answer.get_json(), answer.headers["Cache-Control"]) == ({"keys": []}, "no-store")


def test_a_key_is_made_once(engine: sa.Engine, vault: Vault) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: issuing.ensure_key(engine, vault), range(4)))
    with reading(engine) as conn:
        assert sorted(key.algorithm for key in issuing.published_keys(conn)) == ["ES256", "RS256"]


def test_an_installation_gets_the_algorithm_that_it_lacks(engine: sa.Engine, vault: Vault) -> None:
    issuer = Issuer(engine, vault, "https://id.example.com")
    issuing.ensure_key(engine, vault)
    with writing(engine) as conn:
        conn.exec_driver_sql("DELETE FROM signing_keys WHERE public ->> 'alg' = 'RS256'")
    with pytest.raises(NoSigningKeyError):
        issuer.sign({}, type="x", algorithm="RS256")
    issuing.ensure_key(engine, vault)
    assert issuer.sign({}, type="x", algorithm="RS256").count(".") == 2
    with reading(engine) as conn:
        assert len(signing_keys.listing(conn)) == 2


def test_the_set_may_be_kept_and_asked_for_again(engine: sa.Engine, vault: Vault, app: Flask) -> None:
    issuing.ensure_key(engine, vault)
    client = app.test_client()
    answer = client.get(PATH)
    assert answer.mimetype == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == "public, max-age=900"
    assert client.get(PATH, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_private_part_is_sealed(engine: sa.Engine, vault: Vault, app: Flask) -> None:
    issuing.ensure_key(engine, vault)
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.signing_keys)).all()
    for row in rows:
        secret = signing_keys_private(engine, row.kid, vault)["d"]
        assert secret.encode() not in bytes(row.private)
        assert secret not in app.test_client().get(PATH).text
    with pytest.raises(VaultError):
        signing_keys_private(engine, row.kid, Vault([b"x" * 32]))


def test_a_rotation_is_published_before_it_signs(engine: sa.Engine, vault: Vault, app: Flask) -> None:
    issuer = Issuer(engine, vault, "https://id.example.com")
    with pytest.raises(NoSigningKeyError):
        issuer.sign({}, type="x")
    issuing.ensure_key(engine, vault)
    before = issuer.sign({"n": 1}, type="x")
    kid = next(key.kid for key in issuing.rotate(engine, vault, timedelta(hours=2)) if key.algorithm == "ES256")
    jwks = app.test_client().get(PATH).get_json()
    assert len(jwks["keys"]) == 4
    still, _ = verified(issuer.sign({"n": 2}, type="x"), jwks)
    assert still["kid"] != kid
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE signing_keys SET signs_from = signs_from - interval '61 minutes'")
    header, _ = verified(issuer.sign({"n": 3}, type="x"), jwks)
    assert header["kid"] == kid
    assert verified(before, app.test_client().get(PATH).get_json())[1] == {"n": 1}
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE signing_keys SET retires_at = retires_at - interval '4 hours'")
    assert [key["kid"] for key in app.test_client().get(PATH).get_json()["keys"] if key["alg"] == "ES256"] == [kid]
    issuing.rotate(engine, vault, timedelta(hours=2))
    with reading(engine) as conn:
        assert len(signing_keys.listing(conn)) == 4


def signing_keys_private(engine: sa.Engine, kid: str, vault: Vault) -> dict[str, str]:
    with reading(engine) as conn:
        return signing_keys.private(conn, kid, vault)
