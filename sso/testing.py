"""A test of a connection: the whole way of a sign-in, up to where somebody would be let in. Nobody is.

    begin ──▶ Side.ask ──▶ Keeper.ask (purpose test, this browser) ──▶ the browser goes to the provider
    answer ──▶ Side.accept, every check ──▶ Keeper.try_out (who would it be?) ──▶ Keeper.tested ──▶ the tester's page

What was asked as a test is answered as a test, and nothing else is: no session can come of it. It works while the
connection is switched off, so that it can be tried before anybody signs in by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sso import reports
from sso.connections import Addresses, Connection
from sso.demands import Demands
from sso.errors import SignInError
from sso.keeping import Aim, Keeper, Request, Tester, Visitor
from sso.remedies import remedy
from sso.reports import Report
from sso.sides import Begun, Received, Side
from sso.trace import Trace, received


@dataclass(frozen=True, slots=True)
class Tested:
    """A test is over, and its report is kept. The browser goes on to `return_to`, a path of ours."""

    return_to: str


class Tests:
    """The tests of one process. `sides` are by `Connection.kind`."""

    def __init__(
        self, keeper: Keeper, sides: Mapping[str, Side], public_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._keeper, self._sides, self._public_url, self._clock = keeper, sides, public_url, clock

    def begin(
        self, connection: Connection, tester: Tester, return_to: str, browser: str, visitor: Visitor
    ) -> Begun | None:
        """Ask the provider, for the browser of this pending cookie. None: it cannot be asked, and the report says why.

        `return_to` is where the browser goes when the test is over.
        """
        try:
            question = self._sides[connection.kind].ask(_switched_on(connection), Demands(), self._clock())
        except SignInError as error:
            trace = Trace()
            self._over(connection, tester, Report(trace, error=error), visitor)
            return None
        aim = Aim(return_to)
        request = Request(question.key, aim, "test", question.nonce, question.verifier, tester=tester)
        self._keeper.ask(connection, request, browser)
        return Begun(question.message, browser)

    def answer(self, connection: Connection, came: Received, asked: Request, visitor: Visitor) -> Tested:
        """Take a provider's answer to a test."""
        assert asked.purpose == "test"
        assert asked.tester is not None
        self._over(connection, asked.tester, self._tried(_switched_on(connection), came, asked), visitor)
        return Tested(asked.aim.return_to)

    def _tried(self, connection: Connection, came: Received, asked: Request) -> Report:
        trace, assertion, found = Trace(), None, None
        trace.passed("request", "asked by this browser, for a test")
        try:
            assertion = self._sides[connection.kind].accept(connection, came, asked, self._clock(), trace)
            trace.passed(
                "answer", f"issuer {assertion.issuer}, authenticated {assertion.authenticated_at:%Y-%m-%d %H:%M:%S}"
            )
            trace.passed("claims", received(assertion))
            found = self._keeper.try_out(connection, assertion)
            if found.refusal is not None:
                raise found.refusal
        except SignInError as error:
            values = assertion.attributes if assertion is not None else error.received
            said = reports.said(connection, values, assertion)
            return Report(trace, said, assertion, found, error)
        trace.passed("account", f"would be found by: {found.rule}")
        return Report(trace, reports.said(connection, assertion.attributes, assertion), assertion, found)

    def _over(self, connection: Connection, tester: Tester, report: Report, visitor: Visitor) -> None:
        if report.error is not None:
            what = remedy(report.error.code, connection, Addresses(self._public_url, connection.id))
            report.trace.failed(report.error, what)
            report = replace(report, remedy=what)
        self._keeper.tested(connection, tester, report, visitor)


def _switched_on(connection: Connection) -> Connection:
    """As if it were: a test is for finding out before it is."""
    return replace(connection, enabled=True)
