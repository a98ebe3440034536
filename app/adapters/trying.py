"""Provision on demand: one person's document of one source, tried step by step, and taken in when it is right.

    document (pasted, or as it is stored) ─▶ read as its source's own door reads it ─▶ decided without locks ─▶ steps
                                      carry_out: through the write door, then the steps

Trying changes nothing. What is carried out is decided anew under the locks, so that its last step tells what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app import explaining
from app.adapters.registries import registry_of
from app.adapters.scim_store import LONGEST_USER_NAME
from app.adapters.scim_voice import spoken
from app.adapters.search_document import search_document
from app.identity.changes import diff
from app.identity.claims import claims
from app.identity.decide import Decision, Kept
from app.identity.events import events
from app.identity.explain import explain
from app.identity.folding import fold
from app.identity.model import Account, Rules, Source, SourceKind
from app.identity.walkthrough import Matched, Step, proposed, walkthrough
from app.identity.writes import Outcome, RecordWrite, RefusedError, UserNameTakenError, VersionConflictError
from app.provisioning import decided, provision
from app.sources import hr
from app.store import drift, people, schemas
from app.store import rules as rulebook
from app.store.engine import reading
from app.store.person import memberships
from scim.documents import normalise
from scim.errors import ScimError

_REFUSALS: Final = {
    UserNameTakenError: "Another living record of the source has this userName.",
    VersionConflictError: "The record was changed meanwhile: try again.",
}


class TryingError(ValueError):
    """The document cannot be taken in; the message says why, and the steps before it are not worth showing."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of the document, or did. `record_id` is that of a record that is there already.

    `version` is to be handed to `carry_out`, so that nobody else's change is overwritten unseen. `ignored` are paths
    that nobody understands. `document` is as it is kept.
    """

    source: Source
    document: Mapping[str, Any]
    record_id: str | None
    version: int | None
    account_id: str
    new: bool
    changed: bool
    steps: tuple[Step, ...]
    ignored: tuple[str, ...] = ()


def stored(conn: sa.Connection, tenant_id: str, record_id: str) -> tuple[str, Mapping[str, Any]]:
    """The source's id and the document of a record, to be tried as it is or changed.

    Raises:
        TryingError: the tenant has no such record.
    """
    found = people.existing(conn, tenant_id, [record_id], (), ())
    if not found:
        raise TryingError("The tenant has no such record.")
    return found[0].record.source_id, found[0].document


def attempt(
    engine: sa.Engine,
    tenant_id: str,
    source_id: str,
    document: Any,
    *,
    record_id: str | None = None,
    now: datetime | None = None,
) -> Tried:
    """What would become of the document. Nothing is changed.

    `record_id` None: the record with the same userName or id at the source, else a new one.

    Raises:
        TryingError: the source does not speak, or the document is wrong or would be refused.
    """
    moment = now or datetime.now(UTC)
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
        source = _speaker(rules, source_id)
        write, ignored = _write(conn, tenant_id, source, document, record_id, moment)
        try:
            decision = decided(conn, tenant_id, [write], rules, moment, lock=False)
        except RefusedError as error:
            raise _refused(error) from error
        return _told(conn, tenant_id, source, write, decision, rules, ignored)


def carry_out(
    engine: sa.Engine,
    tenant_id: str,
    source_id: str,
    document: Any,
    *,
    actor: str,
    record_id: str | None = None,
    version: int | None = None,
    now: datetime | None = None,
    accept: Callable[[Sequence[Outcome]], None] | None = None,
) -> Tried:
    """Take the document in, as if the source had sent it now. `accept` is the write door's.

    Raises:
        TryingError: as `attempt`; or the record is at another `version` than was tried.
        app.identity.writes.BusyError: others hold the person.
    """
    moment = now or datetime.now(UTC)
    before = attempt(engine, tenant_id, source_id, document, record_id=record_id, now=moment)
    with reading(engine) as conn:
        write, ignored = _write(conn, tenant_id, before.source, document, before.record_id, moment)
    try:
        write = replace(write, expected_version=version if write.record_id is not None else None)
        [outcome] = provision(engine, tenant_id, [write], actor=actor, now=moment, accept=accept)
    except (UserNameTakenError, VersionConflictError) as error:
        raise _refused(error) from error
    if ignored:
        drift.report(engine, tenant_id, source_id, ignored)
    with reading(engine) as conn:
        shown = explaining.page(conn, tenant_id, outcome.after.id)
    steps = (*before.steps[:3], *explaining.steps(shown)[3:5], _act(outcome, applied=True))
    return replace(
        before,
        record_id=outcome.record_id,
        version=outcome.version,
        account_id=outcome.after.id,
        new=outcome.before is None,
        changed=outcome.changed,
        steps=steps,
    )


def _speaker(rules: Rules, source_id: str) -> Source:
    source = rules.heard(source_id)
    if source is None:
        raise TryingError("The tenant has no such source, or it is retired: it speaks about nobody any more.")
    if source.kind == SourceKind.LOGIN:
        raise TryingError(f"{source.name} is a sign-in: only a sign-in itself says who somebody is there.")
    return source


def _write(
    conn: sa.Connection, tenant_id: str, source: Source, document: Any, record_id: str | None, now: datetime
) -> tuple[RecordWrite, tuple[str, ...]]:
    if not isinstance(document, Mapping):
        raise TryingError("The document is not a JSON object.")
    if source.kind == SourceKind.IDP:
        return _scim_write(conn, tenant_id, source, document, record_id)
    try:
        [write] = hr.load([document], source, now)
    except hr.Invalid as error:
        raise TryingError(str(error)) from error
    known = people.existing(conn, tenant_id, (), [(source.id, write.source_key or "")], ())
    found = known[0].record.id if known else None
    if record_id not in (None, found):
        raise TryingError("The document's id is another than that of the record.")
    return replace(write, record_id=found), tuple(hr.drift([document]))


def _scim_write(
    conn: sa.Connection, tenant_id: str, source: Source, document: Mapping[str, Any], record_id: str | None
) -> tuple[RecordWrite, tuple[str, ...]]:
    registry = registry_of(schemas.listing(conn, tenant_id))
    try:
        said = normalise("User", document, registry)
    except ScimError as error:
        raise TryingError(error.detail) from error
    name = said.document["userName"]
    if len(name) > LONGEST_USER_NAME:
        raise TryingError(f"userName has at most {LONGEST_USER_NAME} characters.")
    if record_id is None:
        named = people.existing(conn, tenant_id, (), (), [(source.id, fold(name))])
        record_id = named[0].record.id if named else None
    write = RecordWrite(
        source_id=source.id,
        spoken=spoken(said.document, source),
        document=said.document,
        search=search_document("User", said.document, tenant_id=tenant_id, source_id=source.id, registry=registry),
        record_id=record_id,
        user_name=name,
        request={"method": "POST" if record_id is None else "PUT"},
    )
    return write, said.ignored


def _told(
    conn: sa.Connection,
    tenant_id: str,
    source: Source,
    write: RecordWrite,
    decision: Decision,
    rules: Rules,
    ignored: tuple[str, ...],
) -> Tried:
    [outcome] = decision.outcomes
    _, derived = decision.accounts[outcome.after.id]
    records = _records(conn, tenant_id, outcome.after, decision)
    groups, _ = memberships(conn, tenant_id, [kept.record.id for kept in records])
    names = {one.group_id: one.name for one in groups}
    explained = explain(outcome.after, [kept.record for kept in records], rules, derived.standing, names)
    matched = [_matched(conn, tenant_id, kept, outcome, decision, rules) for kept in records if _is(kept, outcome)]
    act = _act(outcome, applied=False)
    mine = [kept for kept in records if _is(kept, outcome)]
    steps = walkthrough(records, matched, explaining.group_names(groups), explained, rules, act)
    known = write.record_id is not None
    return Tried(
        source=source,
        document=write.document,
        record_id=write.record_id,
        version=(outcome.version - bool(decision.records)) if known and mine else None,
        account_id=outcome.after.id,
        new=outcome.before is None,
        changed=outcome.changed,
        steps=steps,
        ignored=ignored,
    )


def _records(conn: sa.Connection, tenant_id: str, account: Account, decision: Decision) -> list[Kept]:
    """All records of the account, as they would be."""
    known = {kept.record.id: kept for kept in people.records_of(conn, tenant_id, [account.id])}
    known |= {id: kept for id, (_, kept) in decision.records.items() if kept.record.account_id == account.id}
    return [known[id] for id in sorted(known)]


def _is(kept: Kept, outcome: Outcome) -> bool:
    return kept.record.id == outcome.record_id


def _matched(
    conn: sa.Connection, tenant_id: str, kept: Kept, outcome: Outcome, decision: Decision, rules: Rules
) -> Matched:
    claimed = claims(kept.record, rules)
    held = people.identifiers(conn, tenant_id, {claim.key for claim in claimed}, lock=False)
    return Matched(
        kept.record.id,
        rules.sources[kept.record.source_id].name,
        outcome.rule,
        claimed,
        {key: len(holders) for key, holders in held.items()},
        tuple(doubt.reason for doubt in decision.doubts if doubt.record_id == kept.record.id),
    )


def _act(outcome: Outcome, *, applied: bool) -> Step:
    changes = diff(outcome.before, outcome.after)
    told = [event.type for event in events(outcome.before, outcome.after, changes)] if changes else []
    return proposed(changes, told, str(outcome.after.status), new=outcome.before is None, applied=applied)


def _refused(error: RefusedError) -> TryingError:
    return TryingError(_REFUSALS.get(type(error)) or str(error) or "The write door refuses it.")
