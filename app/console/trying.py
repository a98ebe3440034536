"""Provision on demand: one document of one source, tried step by step without a change, then taken in.

a stored record, or what is pasted ─▶ try: six steps, nothing changed ─▶ take it in, by the write door
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson
from flask import Response

from app.adapters import trying
from app.adapters.trying import Tried, TryingError
from app.console.desk import Desk
from app.console.reach import within
from app.console.rendering import arg, field, id_arg, page, whole
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.model import SourceKind
from app.store import tenants
from app.store.engine import reading
from app.store.person import MASK, is_masked, without_secrets

HERE: Final = "/admin/try"
BLANK: Final = '{\n  "userName": "",\n  "name": {"givenName": "", "familyName": ""},\n  "active": true\n}'
LONGEST: Final = 200_000  # characters


def form(desk: Desk, visit: Visit) -> Response:
    """What to try: a record as it is stored, or a document of a source."""
    record_id, source_id, text, wrong = id_arg("record"), id_arg("source") or "", BLANK, ""
    if record_id:
        try:
            with reading(desk.engine) as conn:
                source_id, document = trying.stored(conn, visit.tenant_id, record_id)
            text = json.dumps(without_secrets(document), indent=2, ensure_ascii=False)
        except TryingError as error:
            wrong = str(error)
    return _page(desk, visit, source_id, text, record_id or "", wrong=wrong)


def attempt(desk: Desk, visit: Visit) -> Response:
    """Show what it would come to; with `carry_out`, take it in."""
    source_id, text, record_id = field("source"), field("document"), field("record")
    try:
        document = _read(text)
        tried = trying.attempt(desk.engine, visit.tenant_id, source_id, document, record_id=record_id or None)
        if field("carry_out"):
            tried = _carried_out(desk, visit, document, tried)
    except TryingError as error:
        return _page(desk, visit, source_id, text, record_id, wrong=str(error), status=422)
    return _page(desk, visit, source_id, text, record_id, tried=tried, done=bool(field("carry_out")))


def _carried_out(desk: Desk, visit: Visit, document: Any, tried: Tried) -> Tried:
    with reading(desk.engine) as conn:
        accept = within(conn, visit)
    version = whole(field("version"))
    return trying.carry_out(
        desk.engine,
        visit.tenant_id,
        tried.source.id,
        document,
        actor=visit.actor,
        record_id=tried.record_id,
        version=version,
        accept=accept,
    )


def _read(text: str) -> Any:
    if len(text) > LONGEST:
        raise TryingError("The document is too long to be one person's.")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise TryingError(f"This is no JSON: {error}.") from error
    if is_masked(document):
        raise TryingError(f"A secret was hidden as {MASK}: write its value, or take it out.")
    return document


def _page(
    desk: Desk,
    visit: Visit,
    source_id: str,
    text: str,
    record_id: str,
    *,
    tried: Tried | None = None,
    done: bool = False,
    wrong: str = "",
    status: int = 200,
) -> Response:
    with reading(desk.engine) as conn:
        sources = [one for one in tenants.sources(conn, visit.tenant_id) if one.kind != SourceKind.LOGIN]
    return page(
        "trying/form.html",
        status,
        title="Provision on demand",
        sources=[(one.id, f"{one.name} ({one.system})") for one in sources],
        source_id=source_id,
        document=text,
        record_id=record_id,
        tried=tried,
        done=done,
        wrong=wrong,
        asked=arg("record"),
    )


ROUTES: Final = (
    Route("GET", HERE, form, "help_desk"),
    Route("POST", HERE, attempt, "help_desk"),
)
