"""`rollcall scim check`: how it is asked, how it ends, what it never prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.checking import suites
from app.cli import rollcall
from app.cli.context import Context

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    def _run(*words: str, answer: str = "", **environ: str) -> Result:
        return CliRunner().invoke(rollcall, ["scim", "check", *words], obj=Context(environ), input=answer)

    return _run


def test_it_passes_with_the_token_of_a_variable(run: Run, good: str) -> None:
    result = run(good, "--suite", "field", "--token-env", "T", "--yes", T="token")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "Result: passed"


def test_all_suites_as_json_with_the_token_of_standard_input(run: Run, good: str) -> None:
    result = run(good + "/", "--token-stdin", "--yes", "--json", answer="token\n")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["url"], told["result"]) == (good, "passed")
    assert {one["suite"] for one in told["findings"]} == set(suites.SUITES)


def test_it_fails_with_1(run: Run, serve: Any, scim_app: Any) -> None:
    def broken(environ: dict[str, Any], start: Any) -> Any:
        return scim_app(environ | {"QUERY_STRING": ""}, start)

    result = run(serve(broken) + "/scim/v2", "--suite", "field", "--token-env", "T", "--yes", T="token")
    assert result.exit_code == 1
    assert "Result: FAILED" in result.stdout


def test_it_asks_before_it_makes_anything(run: Run, good: str, store: Any) -> None:
    result = run(good, "--suite", "field", "--token-env", "T", answer="n\n", T="token")
    assert result.exit_code == 1
    assert "made, changed and deleted" in result.stderr
    assert "rollcall-check-" in result.stderr
    assert run(good, "--suite", "field", "--token-env", "T", answer="y\n", T="token").exit_code == 0


@pytest.mark.parametrize(
    ("words", "environ", "code", "sentence"),
    [
        (["ftp://x"], {}, 2, "give the SCIM base URL"),
        (["https://user:secret@x/scim"], {}, 2, "give the SCIM base URL"),
        (["https://x/scim", "--suite", "none"], {}, 2, "is not one of"),
        (["https://x/scim", "--token-env", "T"], {}, 2, "no token in the variable T"),
        (["https://x/scim", "--token-env", "T", "--token-stdin"], {"T": "t"}, 2, "exclude each other"),
        (["https://x/scim", "--token-stdin", "--yes"], {}, 2, "no token on standard input"),
        (["http://127.0.0.1:9/scim", "--yes"], {}, 1, "GET http://127.0.0.1:9/scim/Users"),
    ],
)
def test_what_goes_wrong_is_said(run: Run, words: list[str], environ: dict[str, str], code: int, sentence: str) -> None:
    result = run(*words, **environ)
    assert (result.exit_code, sentence in result.stderr) == (code, True), result.stderr


def test_a_token_from_standard_input_leaves_nothing_to_ask_with(run: Run, good: str) -> None:
    result = run(good, "--token-stdin", answer="token\n")
    assert (result.exit_code, "Say --yes" in result.stderr) == (2, True)


def test_a_missing_suite_is_named_with_the_way_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch, good: str) -> None:
    monkeypatch.setattr(suites, "find_spec", lambda name: None)
    result = run(good, "--token-env", "T", "--yes", T="token")
    assert result.exit_code == 2
    assert "not installed: scim2-tester, scim-sanity." in result.stderr
    assert "pip install scim2-tester scim-sanity" in result.stderr
    assert run(good, "--suite", "field", "--token-env", "T", "--yes", T="token").exit_code == 0


def test_a_refused_token_is_not_printed(run: Run, good: str) -> None:
    result = run(good, "--token-env", "T", "--yes", T="some-secret")
    assert (result.exit_code, "refuses the token (401)" in result.stderr) == (1, True)
    assert "some-secret" not in result.output


def test_plain_http_to_another_machine_is_warned_of(run: Run) -> None:
    result = run("http://192.0.2.1:9/scim", "--suite", "field", "--token-env", "T", answer="n\n", T="token")
    assert "without encryption" in result.stderr
