"""Tests of connections on our store: who would it be, and what is kept of it.

    assertion ─▶ spent, so that it is good for nothing else ─▶ logins.preview (no lock, no save) ─▶ Found
    report ─▶ the sign-in log, masked ─▶ the tester's own page, whole, for minutes

Values of a person are in the report alone, which goes after a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app import logins
from app.adapters import login_voice, sign_in_refusals
from app.adapters.login_voice import LONGEST_VALUE, MOST_ATTRIBUTES, MOST_VALUES
from app.store import flows, sign_in_tests, sign_ins
from app.store.engine import writing
from sso.assertion import Assertion
from sso.connections import Connection
from sso.errors import SignInError
from sso.keeping import Tester
from sso.reports import Found, FoundRole, Report, Said


def try_out(engine: sa.Engine, connection: Connection, assertion: Assertion, now: datetime) -> Found:
    """Who that would be.

    Raises:
        SignInError: `replayed`, the assertion was used before.
    """
    until = assertion.valid_until + timedelta(seconds=connection.skew)
    with writing(engine) as conn:
        if not flows.spend(conn, connection.tenant_id, connection.id, assertion.id, until):
            raise SignInError("replayed", "an assertion of this id was accepted before")
    seen = logins.preview(engine, connection.tenant_id, login_voice.login(connection, assertion), now=now)
    refusal = None if seen.refusal is None else sign_in_refusals.of(seen.refusal)
    if seen.outcome is None:
        return Found("none", refusal=refusal)
    before, after = seen.outcome.before, seen.outcome.after
    return Found(
        rule=seen.outcome.rule,
        account_id=None if before is None else after.id,
        status=str(after.status),
        refusal=refusal,
        roles=tuple(FoundRole(each.role, each.scope, each.effective, each.why) for each in seen.roles),
        new_groups=seen.new_groups,
        waiting=seen.waiting,
    )


def keep(engine: sa.Engine, connection: Connection, tester: Tester, report: Report, attempt: sign_ins.Attempt) -> None:
    """Write the test down: `attempt`, which is masked, in the log; the report for the tester."""
    with writing(engine) as conn:
        code = sign_ins.write(conn, attempt)
        sign_in_tests.keep(
            conn, connection.tenant_id, tester.id, connection.id, tester.owner, {"code": code, **document(report)}
        )


def document(report: Report) -> dict[str, Any]:
    """The report as JSON, cut as what a record keeps is cut."""
    error, assertion, found = report.error, report.assertion, report.found
    return {
        "steps": report.trace.steps,
        "reason": error and error.code,
        "detail": error and error.detail,
        "remedy": report.remedy,
        "said": [_shown(each) for each in report.said[:MOST_ATTRIBUTES]],
        "more": max(0, len(report.said) - MOST_ATTRIBUTES),
        "person": None if assertion is None else _person(assertion),
        "found": None if found is None else _found(found),
    }


def _shown(said: Said) -> dict[str, Any]:
    values = tuple(value[:LONGEST_VALUE] for value in said.values[:MOST_VALUES])
    return {**asdict(replace(said, values=values)), "count": len(said.values)}


def _person(assertion: Assertion) -> Mapping[str, Any]:
    return {
        "subject": assertion.subject,
        "user_name": assertion.user_name,
        "email": assertion.email,
        "email_trusted": assertion.email_trusted,
        "given_name": assertion.given_name,
        "family_name": assertion.family_name,
        "display_name": assertion.display_name,
        "employee_number": assertion.employee_number,
        "groups": None if assertion.groups is None else assertion.groups[:MOST_VALUES],
        "issuer": assertion.issuer,
        "context": assertion.context,
    }


def _found(found: Found) -> Mapping[str, Any]:
    return {
        "rule": found.rule,
        "account_id": found.account_id,
        "status": found.status,
        "roles": [asdict(each) for each in found.roles],
        "new_groups": list(found.new_groups[:MOST_VALUES]),
        "waiting": found.waiting,
    }
