"""SCIM servers to be checked, each on a port of its own: the memory store, and the same broken in one way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.store import Features, Limits

Wsgi = Callable[..., Any]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def listening(application: Wsgi) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Wsgi], str]]:
    """Serves an application; returns where."""
    with ExitStack() as stack:
        yield lambda application: stack.enter_context(listening(application))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Features(group_patch_answers_204=False))


@pytest.fixture
def scim_app(store: MemoryStore) -> Flask:
    """A whole SCIM service that knows the token `token`."""
    made = Flask("checked")
    made.register_blueprint(blueprint(MemoryDoorkeeper({"token": store}), Limits()))
    return made


@pytest.fixture
def good(scim_app: Flask, serve: Callable[[Wsgi], str]) -> str:
    """The base URL of a good server."""
    return serve(scim_app) + "/scim/v2"
