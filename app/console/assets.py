"""The console's stylesheets, scripts and icons, ours and other people's, under addresses that never change content.

    /admin/assets/<build>/<path> ─▶ held in memory, also packed ─▶ kept by browsers for a year

`<build>` is a digest of all the files, so that one changed file gives all of them new addresses, and a script may
import another by a relative one. No session is asked: nothing here is anybody's.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, request

STATIC: Final = Path(__file__).resolve().parents[1] / "static"
FOLDERS: Final = ("console", "vendor")
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PREFIX: Final = "/admin/assets"
KEPT: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. `packed` is its gzip form."""

    type: str
    content: bytes
    packed: bytes


def address(path: str) -> str:
    """Where a page finds the file: ``address("console/console.css")``."""
    return f"{PREFIX}/{BUILD}/{path}"


def add(blueprint: Blueprint) -> None:
    """Serve them, and give the templates `asset(path)`."""
    blueprint.add_url_rule(f"{PREFIX}/<build>/<path:path>", "asset", serve, methods=["GET"])
    blueprint.add_app_template_global(address, "asset")


def serve(build: str, path: str) -> Response:
    """One file. A page of an older process may ask for a build that is gone: it gets what is there now, not kept."""
    found = asset(path) if path in PATHS else None
    if found is None:
        return Response("There is no such file.\n", 404, mimetype="text/plain", headers={"Cache-Control": "no-store"})
    packed = "gzip" in request.accept_encodings
    answer = Response(found.packed if packed else found.content, content_type=found.type)
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["Cache-Control"] = KEPT if build == BUILD else "no-store"
    answer.set_etag(f"{BUILD}-{'gzip' if packed else 'plain'}")
    answer.make_conditional(request)
    return answer


@cache
def asset(path: str) -> Asset:
    """The file, read and packed when it is first asked for."""
    content = PATHS[path].read_bytes()
    return Asset(TYPES[PATHS[path].suffix], content, gzip.compress(content, mtime=0))


def _found() -> dict[str, Path]:
    files = (file for folder in FOLDERS for file in sorted((STATIC / folder).rglob("*")))
    return {file.relative_to(STATIC).as_posix(): file for file in files if file.suffix in TYPES and file.is_file()}


def _digest(paths: dict[str, Path]) -> str:
    digest = hashlib.blake2s(digest_size=6)
    for name, file in paths.items():
        digest.update(name.encode() + b"\0" + hashlib.blake2s(file.read_bytes()).digest())
    return digest.hexdigest()


PATHS: Final = _found()
BUILD: Final = _digest(PATHS)
