"""Nothing leads away from this host, whatever a browser would make of it."""

from __future__ import annotations

import pytest

from sso.paths import is_local


@pytest.mark.parametrize(
    "path", ["/", "/courses", "/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Flms", "/a.b/c"]
)
def test_paths_of_ours(path: str) -> None:
    assert is_local(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "courses",
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//[::1]/",
        " /courses",
        "\t/courses",
        "/\t/evil.example",
        "/cour\nses",
        "/a\r\nSet-Cookie: x",
        "/../evil",
        "/a/%2E%2e/b",
        "/./a",
        "/é",
        "/" + "a" * 20_000,
    ],
)
def test_everything_else(path: str) -> None:
    assert not is_local(path)
