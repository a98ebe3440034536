"""Which suites there are, what each makes on the server, and whether it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from app.checking import field, sanity, tester
from app.checking.declarations import PREFIX
from app.checking.report import Finding, Report
from app.checking.target import Target


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite. `makes` tells what it makes and deletes; `needs` are the modules that the extra `check` installs."""

    run: Callable[[Target], Iterator[Finding]]
    makes: str
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        return any(find_spec(module) is None for module in self.needs)


SUITES: Final = {
    field.NAME: Suite(field.run, f"about 90 users and 40 groups whose names begin with {PREFIX}"),
    tester.NAME: Suite(tester.run, "about 30 users and 20 groups with random names", ("scim2_tester", "scim2_client")),
    sanity.NAME: Suite(sanity.run, "a user and a group whose names begin with scim-sanity-test-", ("scim_sanity",)),
}


def run(target: Target, names: Sequence[str], started: Callable[[str], None]) -> Report:
    """Run the suites; `started` hears the name of each.

    Raises:
        UnreachableError: the server cannot be asked.
    """
    target.check_reachable()
    findings: list[Finding] = []
    for name in names:
        started(name)
        findings += _run(target, name)
    return Report(target.base_url, findings)


def _run(target: Target, name: str) -> Iterator[Finding]:
    try:
        yield from SUITES[name].run(target)
    except Exception as error:  # noqa: BLE001 - a suite of others that breaks off must not take the report with it
        said = target.masked(f"{type(error).__name__}: {error}")
        yield Finding(name, "suite", "The suite runs to its end", "failed", got=said[:300])
