"""Signing in without a database or an identity provider: a keeper in dicts, a side that says what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask

import app as application
from sso import cookies
from sso.arriving import Arrivals
from sso.assertion import Assertion, ProviderSession
from sso.bindings import Form, Redirect
from sso.browser import Pace, unpaced
from sso.connections import Connection, Oidc, Saml, SamlKey
from sso.demands import Demands
from sso.departing import Departures, Logouts
from sso.errors import SignInError
from sso.keeping import Aim, Arrived, Device, Request, Session, Tenant, Tester, Visitor
from sso.reports import Found, FoundRole, Report
from sso.routes import SignIn, blueprint
from sso.sides import Answered, Leaving, Ordered, Peeked, Question, Received
from sso.trace import Trace

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
BASE = "https://hub.example.com"
ACME = Tenant("0190d3a4-0000-7000-8000-00000000000a", "acme")
OKTA = Connection(
    "0190d3a4-0000-7000-8000-000000000001",
    ACME.id,
    "okta",
    "Okta",
    "0190d3a4-0000-7000-8000-0000000000f1",
    Saml("https://okta.example/id", "https://okta.example/sso", ("x",), relay_states=("/courses",)),
)
ENTRA = Connection(
    "0190d3a4-0000-7000-8000-000000000002",
    ACME.id,
    "entra",
    "Entra",
    "0190d3a4-0000-7000-8000-0000000000f2",
    Oidc("https://entra.example", "client"),
)


@dataclass
class Kept:
    account: str
    connection: str
    subject: str
    provider_session: str | None
    id: str
    secret: str
    agent: str = ""


@dataclass
class Desk:
    """`sso.keeping.Keeper`. `people` are the subjects who may sign in, with their accounts."""

    all: dict[str, Connection] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=lambda: {"ada": "account-ada"})
    aims: dict[str, Aim] = field(default_factory=dict)
    pending: dict[tuple[str, str], tuple[Request, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    sessions: dict[str, Kept] = field(default_factory=dict)
    traces: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    reports: dict[str, tuple[str, Report]] = field(default_factory=dict)

    def tenant(self, name: str) -> Tenant | None:
        return ACME if name == "acme" else None

    def connections(self, tenant_id: str) -> Sequence[Connection]:
        return [each for each in self.all.values() if each.enabled and each.tenant_id == tenant_id]

    def named(self, tenant_id: str, name: str) -> Connection | None:
        return next((each for each in self.all.values() if each.name == name), None)

    def connection(self, connection_id: str) -> tuple[Tenant, Connection] | None:
        found = self.all.get(connection_id)
        return (ACME, found) if found else None

    def saml_keys(self) -> Sequence[SamlKey]:
        return ()

    def keep(self, tenant_id: str, aim: Aim) -> str:
        self.aims[key := f"flow-{len(self.aims)}"] = aim
        return key

    def aim(self, tenant_id: str, key: str) -> Aim | None:
        return self.aims.get(key)

    def ask(self, connection: Connection, request: Request, browser: str) -> None:
        self.pending[connection.id, request.key] = (request, browser)

    def answered(self, connection: Connection, key: str, browser: str) -> Request | None:
        found = self.pending.get((connection.id, key))
        if found is None or found[1] != browser:
            return None
        del self.pending[connection.id, key]
        return found[0]

    def asked_elsewhere(self, connection: Connection, key: str) -> bool:
        return (connection.id, key) in self.pending

    def waits(self, connection: Connection, browser: str) -> bool:
        return any(
            id == connection.id and known == browser and request.purpose == "login"
            for (id, _), (request, known) in self.pending.items()
        )

    def arrive(
        self, connection: Connection, assertion: Assertion, visitor: Visitor, trace: Trace, replaces: Sequence[str]
    ) -> Arrived:
        if not self.all[connection.id].enabled:
            raise SignInError("disabled", "switched off meanwhile")
        if assertion.id in self.used:
            raise SignInError("replayed", "seen before")
        if assertion.subject not in self.people:
            raise SignInError("not_provisioned", "nobody of that name")
        self.used.add(assertion.id)
        for id in replaces:
            self.sessions.pop(id, None)
        kept = Kept(
            self.people[assertion.subject],
            connection.id,
            assertion.provider_session.subject,
            assertion.provider_session.session,
            f"0190d3a4-0000-7000-8000-1{len(self.used):011d}",
            cookies.new_value(),
            visitor.agent,
        )
        self.sessions[kept.id] = kept
        return Arrived(kept.id, NOW + timedelta(hours=8), kept.secret)

    def try_out(self, connection: Connection, assertion: Assertion) -> Found:
        if assertion.id in self.used:
            raise SignInError("replayed", "seen before")
        self.used.add(assertion.id)
        account = self.people.get(assertion.subject)
        if account is None:
            return Found("new", refusal=SignInError("not_provisioned", "nobody of that name"))
        return Found("paired userName", account, "active", roles=(FoundRole("learner", "tenant", True, "By hand."),))

    def tested(self, connection: Connection, tester: Tester, report: Report, visitor: Visitor) -> None:
        self.reports[tester.id] = (tester.owner, report)

    def refused(self, connection: Connection, error: SignInError, trace: Trace, visitor: Visitor) -> str | None:
        self.traces.append((error.code, trace.steps))
        return f"K7F-{len(self.traces):04d}"

    def session(self, tenant_id: str, secret: str) -> Session | None:
        found = next((each for each in self.sessions.values() if each.secret == secret), None)
        if found is None:
            return None
        said = ProviderSession(found.subject, found.provider_session)
        return Session(found.id, tenant_id, found.account, found.connection, "Ada Lovelace", said)

    def devices(self, session: Session) -> Sequence[Device]:
        mine = [each for each in self.sessions.values() if each.account == session.account_id]
        return [Device(each.id, each.agent, "192.0.2.7", NOW, NOW) for each in mine]

    def end(self, session: Session, ids: Sequence[str]) -> None:
        for id in ids:
            if id in self.sessions and self.sessions[id].account == session.account_id:
                del self.sessions[id]

    def end_everywhere(self, session: Session) -> None:
        self.end(session, [each.id for each in self.devices(session)])

    def end_by_provider(
        self,
        connection: Connection,
        message_id: str | None,
        valid_until: datetime,
        subject: str | None,
        provider_sessions: Sequence[str],
    ) -> int:
        if message_id in self.used:
            raise SignInError("replayed", "seen before")
        self.used |= {message_id} if message_id else set()
        meant = [
            each.id
            for each in self.sessions.values()
            if each.connection == connection.id
            and (subject is None or each.subject == subject)
            and (not provider_sessions or each.provider_session in provider_sessions)
        ]
        for id in meant:
            del self.sessions[id]
        return len(meant)


@dataclass
class Told:
    """`sso.sides.Side` and both logouts: a message is a form or query in plain words, and always believed.

    key, id, subject, session, relay: of a sign-in; kind=answered: of a sign-out; bad: the code to refuse it with.
    """

    posts: bool = False
    takes_sign_out: bool = True
    unreachable: bool = False
    asked: list[Demands] = field(default_factory=list)
    expected: list[Request | None] = field(default_factory=list)

    def ask(self, connection: Connection, demands: Demands, now: datetime) -> Question:
        if self.unreachable:
            raise SignInError("provider_unreachable", "no answer within 5 s")
        self.asked.append(demands)
        return self._question("https://idp.example/sso", f"key-{len(self.asked)}")

    def peek(self, connection: Connection, received: Received) -> Peeked:
        said = self._said(received)
        return Peeked(said.get("key"), said.get("relay"))

    def accept(
        self, connection: Connection, received: Received, asked: Request | None, now: datetime, trace: Trace
    ) -> Assertion:
        said = self._said(received)
        self.expected.append(asked)
        return Assertion(
            connection.id,
            connection.kind,
            "https://idp.example",
            said["subject"],
            said["id"],
            NOW + timedelta(minutes=5),
            NOW,
            ProviderSession(said["subject"], said.get("session")),
            user_name=said["subject"],
            email=f"{said['subject']}@acme.example",
            attributes={"mail": (f"{said['subject']}@acme.example",)},
        )

    def leave(self, connection: Connection, session: ProviderSession, now: datetime) -> Question | None:
        if self.unreachable:
            raise SignInError("provider_unreachable", "no answer within 5 s")
        return self._question("https://idp.example/slo", "out-1") if self.takes_sign_out else None

    def read(self, connection: Connection, received: Received, now: datetime) -> Ordered | Answered:
        said = self._said(received)
        return Answered(said["key"]) if said.get("kind") == "answered" else self._ordered(said)

    def reply(self, connection: Connection, ordered: Ordered, success: bool, now: datetime) -> Leaving:
        return Redirect(f"https://idp.example/slo?success={success}")

    def back_channel(self, connection: Connection, received: Received, now: datetime) -> Ordered:
        return self._ordered(self._said(received))

    def front_channel(self, connection: Connection, received: Received, now: datetime) -> Ordered:
        return self._ordered(self._said(received))

    def _ordered(self, said: Mapping[str, str]) -> Ordered:
        sessions = tuple(filter(None, [said.get("session")]))
        return Ordered(said.get("id", "o1"), NOW + timedelta(minutes=5), said.get("subject"), sessions)

    def _question(self, url: str, key: str) -> Question:
        return Question(Form(url, {"SAMLRequest": "x"}) if self.posts else Redirect(f"{url}?key={key}"), key)

    def _said(self, received: Received) -> dict[str, str]:
        said = dict(parse_qsl((received.query + b"&" + received.form).decode()))
        if "bad" in said:
            raise SignInError(said["bad"], "as told")
        return said


def web(desk: Desk, side: Told, pace: Pace = unpaced) -> Flask:
    """The blueprint over them, with the application's pages."""
    sides = {"saml": side, "oidc": side}
    arrivals = Arrivals(desk, sides, BASE, lambda: NOW)
    departures = Departures(desk, sides, Logouts(side, side), arrivals, lambda: NOW)
    made = Flask(application.__name__, static_folder="static", template_folder="templates")
    made.register_blueprint(blueprint(SignIn(desk, arrivals, departures, BASE, lambda each: each.id.encode(), pace)))
    return made


def desk_of(*connections: Connection, **changes: Any) -> Desk:
    """A desk with these connections, each changed alike."""
    return Desk({each.id: replace(each, **changes) for each in connections})
