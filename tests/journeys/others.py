"""The programs that are not ours: a SAML identity provider, an OpenID provider, a relying party, each a process.

They listen on 127.0.0.1 and are called `localhost`, we are called 127.0.0.1: cookies are divided by host, not by port.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.journeys.server import CHECKOUT, free_port

PROVIDERS: Final = CHECKOUT / "tests" / "providers"
SAML_PYTHON: Final = CHECKOUT / ".venv" / "saml-idp" / "bin" / "python"
NODE_MODULES: Final = PROVIDERS / "node" / "node_modules"
READY_SECONDS: Final = 60
SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Other:
    """A program that is told by JSON what to do. `url` has no slash at its end."""

    url: str
    lines: list[str]

    def ask(self, path: str, **told: Any) -> dict[str, Any]:
        """POST of JSON; the answer."""
        answer = requests.post(self.url + path, json=told, timeout=SECONDS)
        assert answer.ok, answer.text + self.log()
        found: dict[str, Any] = answer.json()
        return found

    def told(self, path: str = "/control") -> dict[str, Any]:
        """GET of JSON."""
        found: dict[str, Any] = requests.get(self.url + path, timeout=SECONDS).json()
        return found

    def control(self, **wanted: Any) -> dict[str, Any]:
        """Says what it does from now on."""
        return self.ask("/control", **wanted)

    def events(self, what: str) -> list[dict[str, Any]]:
        """What happened there, of one sort."""
        return [event for event in self.told()["events"] if event["what"] == what]

    def log(self) -> str:
        """What it wrote."""
        return "".join(self.lines[-100:])


@contextmanager
def saml_idp() -> Iterator[Other]:
    """pysaml2 as an identity provider: tests/providers/saml/idp.py."""
    needed("xmlsec1", shutil.which("xmlsec1"))
    needed("the environment of pysaml2 (make providers)", SAML_PYTHON.exists())
    with _started(
        lambda port: [str(SAML_PYTHON), "-W", "ignore", str(PROVIDERS / "saml" / "idp.py"), str(port)]
    ) as made:
        yield made


@contextmanager
def openid_provider() -> Iterator[Other]:
    """npm's oidc-provider: tests/providers/node/provider.mjs."""
    with _started(_of_node("provider.mjs")) as made:
        yield made


@contextmanager
def relying_party() -> Iterator[Other]:
    """npm's openid-client: tests/providers/node/relying_party.mjs."""
    with _started(_of_node("relying_party.mjs")) as made:
        yield made


def node(script: str) -> list[str]:
    """The command of a script in tests/providers/node, without its arguments."""
    program = shutil.which("node")
    needed("Node.js", program)
    needed("the packages in tests/providers/node (make providers)", NODE_MODULES.exists())
    return [str(program), str(PROVIDERS / "node" / script)]


def needed(what: str, found: object) -> None:
    """In CI nothing is left out quietly; elsewhere the reason is shown."""
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing: this journey needs it")


def _of_node(script: str) -> Callable[[int], list[str]]:
    command = node(script)
    return lambda port: [*command, str(port)]


@contextmanager
def _started(command: Callable[[int], list[str]]) -> Iterator[Other]:
    port = free_port()
    process = subprocess.Popen(
        command(port),
        cwd=Path(PROVIDERS),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    ready = threading.Event()
    lines: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line == "ready\n":
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert ready.wait(READY_SECONDS), "it did not become ready"
        assert process.poll() is None, "".join(lines)
        yield Other(f"http://localhost:{port}", lines)
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()
