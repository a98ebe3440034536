"""`sso.keeping.Keeper` on our store and the write door.

    assertion ──▶ logins.log_in (locks the account, asks whether it may) ──▶ spent once, connection still on
                     └── one transaction ── old sessions end ── a session begins ── the attempt is written down

Refused attempts are written behind the refusal, in a transaction of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.adapters import login_voice, sign_in_masking, sign_in_refusals, sign_in_testing, signing_out
from app.adapters.audited import audited
from app.adapters.connections import Connections
from app.adapters.pace import Pace
from app.identity.writes import BusyError, Outcome
from app.logins import log_in
from app.proxies import neighbourhood
from app.store import connection_setups, connections, flows, sessions, sign_ins, tenants
from app.store.audit import Entry
from app.store.connection_setups import Setup
from app.store.engine import reading, writing
from sso.assertion import Assertion, ProviderSession
from sso.connections import Connection, Saml, SamlKey
from sso.demands import Demands
from sso.errors import SignInError
from sso.keeping import Aim, Arrived, Device, Request, Session, Tenant, Tester, Visitor
from sso.reports import Found, Report
from sso.trace import Trace

FAILURES_A_SECOND: Final = 2  # of one address that are written down, after as many as BURST at once
BURST: Final = 500
PERSON: Final = "person"  # who signs themselves out, in the audit


class SignInDesk:
    """The keeper of one process.

    `pace` bounds what refusals of one address may write; `ended` is called after sessions ended, to tell others of it.
    """

    def __init__(
        self,
        engine: sa.Engine,
        known: Connections,
        pace: Pace | None = None,
        ended: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine, self._connections, self._pace, self._clock = engine, known, pace or Pace(), clock
        self._ended = ended

    def tenant(self, name: str) -> Tenant | None:
        with reading(self._engine) as conn:
            try:
                found = tenants.find(conn, name)
            except tenants.NotFoundError:
                return None
        return Tenant(found.id, found.name)

    def connections(self, tenant_id: str) -> Sequence[Connection]:
        enabled = [each for each in self._connections.of_tenant(tenant_id) if each.enabled]
        return sorted(enabled, key=lambda each: (each.title.lower(), each.name))

    def named(self, tenant_id: str, name: str) -> Connection | None:
        try:
            return self._connections.named(tenant_id, name)
        except tenants.NotFoundError:
            return None

    def connection(self, connection_id: str) -> tuple[Tenant, Connection] | None:
        with reading(self._engine) as conn:
            stored = connections.find(conn, connection_id)
            setup = None if stored else connection_setups.anybodys(conn, connection_id)
        if setup is not None and setup.kind == "saml":
            return Tenant(setup.tenant_id, setup.tenant_name), _to_come(setup)
        found = self._connections.find(connection_id) if stored else None
        return (Tenant(stored.tenant_id, stored.tenant_name), found) if stored and found else None

    def saml_keys(self) -> Sequence[SamlKey]:
        return self._connections.saml_keys()

    def keep(self, tenant_id: str, aim: Aim) -> str:
        with writing(self._engine) as conn:
            return flows.keep(conn, tenant_id, aim.return_to, aim.demands.document())

    def aim(self, tenant_id: str, key: str) -> Aim | None:
        with reading(self._engine) as conn:
            found = flows.peek(conn, tenant_id, key)
        return Aim(found.return_to, Demands.of(found.demands)) if found else None

    def ask(self, connection: Connection, request: Request, browser: str) -> None:
        kept = request.aim.demands.document()
        kept |= {"replaces": request.replaces} if request.replaces else {}
        kept |= {"tester": asdict(request.tester)} if request.tester else {}
        new = flows.NewPending(
            connection.tenant_id,
            connection.id,
            request.key,
            browser,
            request.aim.return_to,
            request.purpose,
            kept,
            request.nonce,
            request.verifier,
        )
        with writing(self._engine) as conn:
            flows.ask(conn, new)

    def answered(self, connection: Connection, key: str, browser: str) -> Request | None:
        with writing(self._engine) as conn:
            found = flows.answer(conn, connection.tenant_id, connection.id, key, browser)
        if found is None:
            return None
        aim, said = Aim(found.return_to, Demands.of(found.demands)), found.demands
        tester = Tester(**said["tester"]) if found.purpose == "test" else None
        return Request(key, aim, found.purpose, found.nonce, found.verifier, said.get("replaces"), tester)

    def asked_elsewhere(self, connection: Connection, key: str) -> bool:
        with reading(self._engine) as conn:
            return flows.asked_elsewhere(conn, connection.tenant_id, connection.id, key)

    def waits(self, connection: Connection, browser: str) -> bool:
        with reading(self._engine) as conn:
            return flows.waits(conn, connection.tenant_id, connection.id, browser)

    def arrive(
        self, connection: Connection, assertion: Assertion, visitor: Visitor, trace: Trace, replaces: Sequence[str]
    ) -> Arrived:
        login = login_voice.login(connection, assertion)

        def finish(conn: sa.Connection, outcome: Outcome) -> Arrived:
            _demand_enabled(conn, connection)
            until = assertion.valid_until + timedelta(seconds=connection.skew)
            if not flows.spend(conn, connection.tenant_id, connection.id, assertion.id, until):
                raise SignInError("replayed", "an assertion of this id was accepted before")
            new = _new_session(connection, assertion, visitor, outcome)
            begun = sessions.renew(conn, replaces, new)
            over = [id for id in replaces if begun is None or id != begun.id]
            sessions.end(conn, connection.tenant_id, over, "replaced")
            begun = begun or sessions.begin(conn, new)
            steps = [*trace.steps, {"check": "account", "ok": True, "detail": f"found by: {outcome.rule}"}]
            attempt = _attempt(connection, "accepted", steps, visitor, account=outcome.after.id, session=begun.id)
            sign_ins.write(conn, attempt)
            return Arrived(begun.id, begun.expires_at, begun.secret)

        try:
            arrived = log_in(
                self._engine,
                connection.tenant_id,
                login,
                actor=_actor(connection),
                now=self._clock(),
                finish=finish,
            )
        except sign_in_refusals.KINDS as error:
            raise sign_in_refusals.of(error) from error
        if replaces:
            self._ended()
        return arrived

    def try_out(self, connection: Connection, assertion: Assertion) -> Found:
        return sign_in_testing.try_out(self._engine, connection, assertion, self._clock())

    def tested(self, connection: Connection, tester: Tester, report: Report, visitor: Visitor) -> None:
        code = report.error.code if report.error else None
        account = report.found.account_id if report.found else None
        attempt = _attempt(connection, "tested", report.trace.steps, visitor, reason=code, account=account)
        sign_in_testing.keep(self._engine, connection, tester, report, attempt)

    def refused(self, connection: Connection, error: SignInError, trace: Trace, visitor: Visitor) -> str | None:
        if self._pace.wait(neighbourhood(visitor.address), FAILURES_A_SECOND, BURST):
            return None
        with writing(self._engine) as conn:
            return sign_ins.write(conn, _attempt(connection, "refused", trace.steps, visitor, reason=error.code))

    def session(self, tenant_id: str, secret: str) -> Session | None:
        with reading(self._engine) as conn:
            found = sessions.find(conn, tenant_id, secret)
            if found is None:
                return None
            sessions.seen(conn, found)
        at_provider = ProviderSession(**found.at_provider)
        return Session(found.id, tenant_id, found.account_id, found.connection_id, found.display_name, at_provider)

    def devices(self, session: Session) -> Sequence[Device]:
        with reading(self._engine) as conn:
            found = sessions.listing(conn, session.tenant_id, session.account_id)
        return [Device(each.id, each.agent, each.address, each.created_at, each.seen_at) for each in found]

    def end(self, session: Session, ids: Sequence[str]) -> None:
        tenant = session.tenant_id
        with reading(self._engine) as conn:
            own = [id for id in ids if sessions.account_of(conn, tenant, id) == session.account_id]
        try:
            signing_out.end(self._engine, tenant, own, PERSON)
        except BusyError:  # signing out waits for nobody, if need be without an audit entry
            with writing(self._engine) as conn:
                sessions.end(conn, tenant, own, PERSON)
        self._ended()

    def end_everywhere(self, session: Session) -> None:
        try:
            signing_out.end_all(self._engine, session.tenant_id, session.account_id, PERSON)
        except BusyError:
            with writing(self._engine) as conn:
                sessions.end_all(conn, session.tenant_id, session.account_id, PERSON)
        self._ended()

    def end_by_provider(
        self,
        connection: Connection,
        message_id: str | None,
        valid_until: datetime,
        subject: str | None,
        provider_sessions: Sequence[str],
    ) -> int:
        tenant, actor = connection.tenant_id, _actor(connection)

        def act(conn: sa.Connection) -> tuple[int, list[Entry]]:
            until = valid_until + timedelta(seconds=connection.skew)
            if message_id and not flows.spend(conn, tenant, connection.id, message_id, until):
                raise SignInError("replayed", "a message of this id was accepted before")
            ids = sessions.of_subject(conn, tenant, connection.id, subject, tuple(provider_sessions))
            ended = sessions.end(conn, tenant, ids, "provider")
            return len(ended), [Entry(actor, "session.ended", one.account_id, {"session": one.id}) for one in ended]

        try:
            count = audited(self._engine, tenant, act)
        except BusyError:
            with writing(self._engine) as conn:
                count = act(conn)[0]
        self._ended()
        return count


def _to_come(setup: Setup) -> Connection:
    """A connection whose provider is not known yet: its own metadata can be read, and it trusts nobody."""
    settings = Saml(entity_id="", sso_url="", certificates=())
    return Connection(
        setup.connection_id, setup.tenant_id, setup.name, setup.title, source_id="", settings=settings, enabled=False
    )


def _demand_enabled(conn: sa.Connection, connection: Connection) -> None:
    """As it stands at this moment: it may have been switched off since the answer's checks began."""
    stored = connections.find(conn, connection.id)
    if stored is None or not stored.enabled or stored.source_state != "active":
        raise SignInError("disabled", "the connection was switched off meanwhile")


def _new_session(
    connection: Connection, assertion: Assertion, visitor: Visitor, outcome: Outcome
) -> sessions.NewSession:
    assert outcome.record_id is not None
    said = assertion.provider_session
    return sessions.NewSession(
        tenant_id=connection.tenant_id,
        account_id=outcome.after.id,
        connection_id=connection.id,
        record_id=outcome.record_id,
        subject=said.subject,
        authenticated_at=assertion.authenticated_at,
        provider_session=said.session,
        at_provider={name: value for name, value in asdict(said).items() if value is not None},
        context=assertion.context,
        methods=assertion.methods,
        ends_at=assertion.session_ends_at,
        agent=visitor.agent,
        address=visitor.address,
    )


def _attempt(
    connection: Connection,
    outcome: sign_ins.Outcome,
    steps: Sequence[dict[str, Any]],
    visitor: Visitor,
    *,
    reason: str | None = None,
    account: str | None = None,
    session: str | None = None,
) -> sign_ins.Attempt:
    return sign_ins.Attempt(
        tenant_id=connection.tenant_id,
        outcome=outcome,
        connection_id=connection.id,
        reason=reason,
        account_id=account,
        session_id=session,
        steps=sign_in_masking.steps(steps),
        agent=visitor.agent,
        address=visitor.address,
    )


def _actor(connection: Connection) -> str:
    return f"connection {connection.name}"
