"""A real browser: Chromium, driven by tests/providers/node/chromium.mjs, with and without JavaScript.

At every step the console must be empty for our pages: no broken policy, nothing that could not be loaded. `inspect`
looks at a page in light and dark, on a telephone and on a screen.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.journeys import others

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_numbers: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Sight:
    """What the browser shows. `text` is what a person can read; `status` that of the page's answer."""

    url: str
    status: int | None
    title: str
    text: str


class Chromium:
    """The program; it opens tabs, each a browser of its own with no cookies."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextmanager
    def tab(self, *ours: str, scripts: bool, still: bool = False) -> Iterator[Tab]:
        """A new browser. `ours` are the beginnings of the addresses whose pages must be faultless.

        With `still` the pages' own scripts do nothing, so that a page which would go on can be looked at.
        """
        made = Tab(self, f"tab-{next(_numbers)}", ours)
        made.act("open", scripts=scripts, still=still)
        try:
            yield made
        finally:
            self.ask(do="close", tab=made.name)

    def ask(self, **command: Any) -> dict[str, Any]:
        """One command to the driver; its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "Chromium's driver ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(slots=True)
class Tab:
    """One person's browser."""

    chromium: Chromium
    name: str
    ours: tuple[str, ...]

    def go(self, url: str, see: str = "") -> Sight:
        """Opens an address, and waits until the text is to be seen."""
        return self.act("go", url=url, see=see)

    def click(self, on: str, see: str = "") -> Sight:
        """Presses the button or link of that name, and waits until the text is to be seen."""
        return self.act("click", on=on, see=see)

    def press(self, css: str, see: str = "") -> Sight:
        """The same by a CSS selector."""
        return self.act("click", on={"css": css}, see=see)

    def see(self, text: str) -> Sight:
        """Waits until the text is to be seen."""
        return self.act("see", see=text)

    def find(self, css: str) -> Sight:
        """Waits until there is such an element."""
        return self.act("find", on=css)

    def type(self, css: str, text: str) -> Sight:
        """Fills in a field."""
        return self.act("type", on=css, text=text)

    def attach(self, css: str, name: str, text: str) -> Sight:
        """Gives a field a file of that name and text."""
        return self.act("attach", on=css, file={"name": name, "text": text})

    def choose(self, css: str, value: str) -> Sight:
        """Chooses an option of a list."""
        return self.act("choose", on=css, value=value)

    def cookie(self, url: str, name: str, value: str) -> None:
        """Gives the browser a cookie of that address."""
        self.act("cookie", url=url, name=name, value=value)

    def device(self) -> None:
        """Gives the browser a device with passkeys, whose owner always agrees."""
        self.act("device")

    def keys(self, *keys: str, see: str = "") -> Sight:
        """Presses keys one after the other, and waits until the text is to be seen."""
        return self.act("keys", keys=keys, see=see)

    def focus(self, css: str) -> Sight:
        """Leads the keyboard to an element."""
        return self.act("focus", on=css)

    def drag(self, css: str, to: str) -> Sight:
        """Drags an element onto another."""
        return self.act("drag", on=css, to=to)

    def inspect(self, name: str) -> Sight:
        """Looks closely: nothing wider than the window, nothing that axe finds (with JavaScript alone)."""
        return self.act("inspect", name=name)

    def act(self, what: str, **more: Any) -> Sight:
        """A command, after which nothing may be wrong.

        Raises:
            AssertionError: it cannot be done, the console says something about a page of ours, or a page is bad to use.
        """
        answer = self.chromium.ask(do=what, tab=self.name, **more)
        assert "error" not in answer, f"{what} {more}: {answer}"
        wrong = [
            each
            for each in answer["complaints"]
            if each["page"].startswith(self.ours) or each["at"].startswith(self.ours)
        ]
        assert not wrong, f"{what} {more} at {answer['url']}: {wrong}"
        found = answer.get("found", [])
        assert not found, "\n".join([answer["url"], *found])
        return Sight(answer["url"], answer["status"], answer["title"], answer["text"])


@contextmanager
def running() -> Iterator[Chromium]:
    """Chromium, until the block ends."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    others.needed("Chromium (Debian: apt-get install chromium)", program)
    command = others.node("chromium.mjs")
    process = subprocess.Popen(
        [*command, str(program)],
        cwd=others.PROVIDERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n", "Chromium did not start"
        yield Chromium(process)
    finally:
        process.stdin.close()
        try:
            process.wait(others.SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
