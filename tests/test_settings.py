"""The environment in one table."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import VARIABLES, Settings, SettingsError, load, local_url


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load({})
    assert settings.database_url is None
    assert settings.data_dir == Path.cwd() / "var"
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert settings.scim_base_url == "http://127.0.0.1:8080/scim/v2"
    assert not settings.data_dir_chosen


def test_an_empty_value_counts_as_absent() -> None:
    assert load({"DATABASE_URL": " ", "ROLLCALL_PORT": ""}) == load({})


def test_the_class_has_a_field_for_each_variable() -> None:
    assert {each.field for each in VARIABLES} == {each.name for each in fields(Settings)} - {"data_dir_chosen"}


def test_the_class_has_the_defaults_of_the_table() -> None:
    assert load({}) == Settings(data_dir=Path.cwd() / "var")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ROLLCALL_PORT", "80a", "a whole number from 1 to 65535, found '80a'"),
        ("ROLLCALL_PORT", "0", "a whole number from 1 to 65535"),
        ("ROLLCALL_PORT", "65536", "a whole number from 1 to 65535"),
        ("ROLLCALL_PORT", "٨٠", "a whole number"),
        ("ROLLCALL_WORKERS", "-1", "a whole number from 1"),
        ("ROLLCALL_LOG_LEVEL", "loud", "one of debug, info, warning, error, found 'loud'"),
        ("ROLLCALL_PUBLIC_URL", "rollcall.example.com", "begins with http:// or https://"),
        ("DATABASE_URL", "mysql://localhost/x", "begins with postgresql:// or postgres://"),
        ("ROLLCALL_COLOUR", "red", "there is no such setting"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        load({name: value})
    assert sentence in str(caught.value)


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"ROLLCALL_PORT": "x", "ROLLCALL_WORKERS": "y", "ROLLCALL_Z": "z", "PATH": "/bin"})
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "ROLLCALL_Z",
        "ROLLCALL_PORT",
        "ROLLCALL_WORKERS",
    ]


def test_a_password_is_not_repeated_in_the_error() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"DATABASE_URL": "mysql://me:hunter2@localhost/x"})
    assert "hunter2" not in str(caught.value)


def test_the_public_url_follows_host_and_port_unless_it_is_set() -> None:
    assert load({"ROLLCALL_HOST": "0.0.0.0", "ROLLCALL_PORT": "9000"}).public_url == "http://127.0.0.1:9000"
    assert load({"ROLLCALL_PUBLIC_URL": "https://id.example.com/"}).public_url == "https://id.example.com"
    assert local_url("::1", 80) == "http://[::1]:80"
