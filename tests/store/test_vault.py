"""Stored secrets: sealed, opened again, and the key that is made for the embedded database."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from app.settings import SettingsError, load
from app.store.vault import KEY_FILE, Vault, VaultError, kept_keys

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_is_sealed_opens_again() -> None:
    sealed = Vault([OLD]).seal("s3cret")
    assert b"s3cret" not in sealed
    assert Vault([OLD]).open(sealed) == "s3cret"


def test_a_key_is_replaced_by_setting_both() -> None:
    sealed = Vault([OLD]).seal("s3cret")
    both = Vault([NEW, OLD])
    again = both.seal(both.open(sealed))
    assert Vault([NEW]).open(again) == "s3cret"
    with pytest.raises(VaultError):
        Vault([NEW]).open(sealed)


def test_a_changed_secret_does_not_open() -> None:
    sealed = bytearray(Vault([OLD]).seal("s3cret"))
    sealed[-1] ^= 1
    with pytest.raises(VaultError):
        Vault([OLD]).open(bytes(sealed))


def test_the_key_beside_the_embedded_database_is_the_owners(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    keys = kept_keys(folder)
    assert kept_keys(folder) == keys
    assert [len(key) for key in keys] == [32]
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert kept_keys(tmp_path / "other") != keys


def test_two_processes_make_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.map(kept_keys, [tmp_path] * 4, chunksize=1)
    assert len(set(made)) == 1


@pytest.mark.parametrize("text", ["secret", "A" * 43, "A" * 44 + ",", "ä" * 44, "", "AAAA"])
def test_a_setting_that_is_no_key_is_refused(text: str) -> None:
    if not text:
        assert load({"ROLLCALL_SECRET_KEY": text}).secret_key is None
        return
    with pytest.raises(SettingsError, match="ROLLCALL_SECRET_KEY: expected 32 random bytes") as caught:
        load({"ROLLCALL_SECRET_KEY": text})
    assert text not in str(caught.value)


def test_several_keys_of_either_alphabet() -> None:
    first, second = "_-" + "A" * 41 + "=", "/+" + "A" * 41 + "="
    one, other = load({"ROLLCALL_SECRET_KEY": f"{first}, {second}"}).secret_key or ()
    assert one == b"\xff\xe0" + bytes(30)
    assert one == other[:0] + one
    assert len(other) == 32
    assert "secret_key" not in repr(load({"ROLLCALL_SECRET_KEY": first}))
