"""The console's files: their addresses, how long they are kept, how they are packed, and how large a first page is."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

from flask import Flask

from app.console import assets
from tests.console.conftest import Console

FIRST_PAGE_BYTES = 200_000  # transferred


def test_a_file_is_kept_for_ever_under_its_builds_address(application: Flask) -> None:
    answer = application.test_client().get(assets.address("console/console.css"))
    assert answer.status_code == 200
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.data == (assets.STATIC / "console/console.css").read_bytes()
    again = application.test_client().get(
        assets.address("console/console.css"), headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_it_is_packed_for_whoever_unpacks(application: Flask) -> None:
    path = "vendor/tabler/tabler.min.css"
    answer = application.test_client().get(assets.address(path), headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.data) == (assets.STATIC / path).read_bytes()
    assert "Content-Encoding" not in application.test_client().get(assets.address(path)).headers


def test_a_build_that_is_gone_is_not_kept(application: Flask) -> None:
    answer = application.test_client().get("/admin/assets/000000000000/console/console.js")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_nothing_else_is_served(application: Flask) -> None:
    for path in ("vendor/package.json", "vendor/files.json", "../settings.py", "console/", "console/../../settings.py"):
        assert application.test_client().get(f"{assets.PREFIX}/{assets.BUILD}/{path}").status_code in (303, 404), path


def test_a_script_imports_only_what_is_there() -> None:
    for name, file in assets.PATHS.items():
        if name.startswith("console/") and file.suffix == ".js":
            for imported in re.findall(r"(?:from|import) '(\./[^']+)'", file.read_text(encoding="utf-8")):
                assert f"console/{imported[2:]}" in assets.PATHS, f"{name} imports {imported}"


def test_a_first_page_is_small(console: Callable[..., Console]) -> None:
    html = console("owner").get("/admin/nothing-here").html
    linked = set(re.findall(r'(?:src|href)="(/admin/assets/[^"#]+)', html))
    paths = {address.removeprefix(f"{assets.PREFIX}/{assets.BUILD}/") for address in linked}
    scripts = {name for name in assets.PATHS if name.startswith("console/") and name.endswith(".js")}
    sent = {name: len(assets.asset(name).packed) for name in paths | scripts}
    assert {"console/console.css", "vendor/tabler/tabler.min.css", "vendor/htmx/htmx.min.js"} <= paths
    assert sum(sent.values()) + len(gzip.compress(html.encode())) < FIRST_PAGE_BYTES, sent
