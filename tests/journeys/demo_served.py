"""`rollcall demo serve` as a process of its own, after the story was told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from click.testing import CliRunner

from app.cli import rollcall
from app.cli.context import Context
from app.demo import site
from tests.journeys import server
from tests.journeys.server import Server
from tests.waiting import soon


@dataclass(frozen=True, slots=True)
class Demo:
    """Its addresses: Rollcall's without a slash at its end, the learning platform's with one."""

    rollcall: str
    academy: str
    server: Server


@contextmanager
def running() -> Iterator[Demo]:
    """The demo, until the block ends."""
    with server.data_dir() as folder:
        served = Server(folder, None, command=("demo", "serve"))
        environ = {"ROLLCALL_DATA_DIR": str(folder), "ROLLCALL_PORT": str(served.port)}
        played = CliRunner().invoke(rollcall, ["demo", "play", "--json"], obj=Context(environ))
        assert played.exit_code == 0, played.output
        address = json.loads(played.stdout)["academy"]
        assert address == f"{site.address(site.port_beside(served.port))}/"
        try:
            served.start()
            assert soon(lambda: any("Kestrel Academy" in line for line in served.lines))
            yield Demo(served.url, address, served)
        finally:
            served.stop()
