"""One row of the provisioning log: worked out of a request that is over, with nothing in it that is a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from app.adapters import masking, scim_effects
from app.adapters.scim_notes import Note
from app.identity.folding import fold
from scim.store import Exchange

LONGEST_NAME: Final = 512
MOST_REFUSALS: Final = 20


class Ended(NamedTuple):
    """A request that is over, as it waits in the queue."""

    note: Note
    exchange: Exchange
    at: datetime
    milliseconds: float
    id: str


def row(ended: Ended) -> dict[str, Any]:
    """Made with the eyes of the caller's tenant: what its schemas hide is masked."""
    hidden = ended.note.schemas.hidden
    if not hidden:
        return _row(ended)
    with masking.hiding(hidden):
        return _row(ended)


def _row(ended: Ended) -> dict[str, Any]:
    exchange, caller = ended.exchange, ended.note.caller
    assert caller is not None
    effect = scim_effects.data(ended.note)
    path, kind, id = _place(exchange.path)
    changes = effect.get("changes", ())
    if exchange.path == "/Bulk":
        effect["operations"] = _operations(exchange)
    elif id is None and len(changes) == 1:
        id = changes[0]["id"]
    scim_type, detail = _refusal(exchange)
    return {
        "tenant_id": caller.tenant_id,
        "id": ended.id,
        "at": ended.at,
        "source_id": caller.source_id,
        "credential": caller.name,
        "method": exchange.method,
        "path": path,
        "kind": kind,
        "resource_id": id,
        "resource_name": _name(exchange, kind),
        "status": exchange.status,
        "scim_type": scim_type,
        "detail": detail,
        "milliseconds": ended.milliseconds,
        "user_agent": masking.text(exchange.user_agent, 200) if exchange.user_agent else None,
        "payload": _fragment(masking.payload(exchange.body, refused=exchange.status == 400)),
        "effect": effect,
    }


def _place(path: str) -> tuple[str, str | None, str | None]:
    """The path as it may be kept, and the kind and id that it names."""
    _, _, rest = path.partition("/")
    endpoint, _, id = rest.partition("/")
    kind = {"users": "User", "groups": "Group"}.get(endpoint.lower())
    if kind is None or not id or id == ".search":
        return masking.text(path), kind, None
    shown = masking.text(id, 64)
    # No part of "/Users/" is part of a token: what its short id may say, the path may.
    return path if shown == id and len(id) < masking.SHORT else masking.text(path), kind, shown


def _name(exchange: Exchange, kind: str | None) -> str | None:
    """The folded userName of a POST, by which it is found although it made nothing, or nothing that still lives."""
    if exchange.method != "POST" or kind != "User" or len(exchange.body) > masking.LARGEST_PARSED:
        return None
    try:
        body = orjson.loads(exchange.body)
    except orjson.JSONDecodeError:
        return None
    named = next((one for key, one in body.items() if key.lower() == "username"), None) if isinstance(body, dict) else 0
    return fold(masking.text(named, LONGEST_NAME)) if isinstance(named, str) else None


def _refusal(exchange: Exchange) -> tuple[str | None, str | None]:
    if exchange.status < 400:
        return None, None
    try:
        said = orjson.loads(exchange.answer)
        return said.get("scimType"), masking.text(said.get("detail") or "")
    except (orjson.JSONDecodeError, AttributeError):
        return None, None


def _operations(exchange: Exchange) -> dict[str, Any]:
    """A Bulk request in numbers, and its first refusals."""
    try:
        results = orjson.loads(exchange.answer).get("Operations", ())
    except (orjson.JSONDecodeError, AttributeError):
        results = ()
    refused = [one for one in results if int(one["status"]) >= 400]
    shown = [{"status": one["status"], **_short(one.get("response") or {})} for one in refused[:MOST_REFUSALS]]
    return {"total": len(results), "failed": len(refused), "refusals": shown}


def _short(response: dict[str, Any]) -> dict[str, Any]:
    return {name: masking.text(str(response[name])) for name in ("scimType", "detail") if name in response}


def _fragment(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
