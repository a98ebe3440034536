"""A real HTTP server on the test's database."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from app.factory import create_app
from app.settings import Settings


@pytest.fixture
def url(engine: sa.Engine) -> Iterator[str]:
    """Where it listens, without a slash at its end."""
    server = make_server("127.0.0.1", 0, create_app(Settings(log_level="error"), engine=engine), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
