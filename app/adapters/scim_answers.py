"""A user right after it was written, from what the write door says: what a read would show, without the read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from app.identity.model import Account
from app.identity.writes import Outcome
from scim.schemas import LMS_USER
from scim.store import Resource


def created(outcome: Outcome, document: Mapping[str, Any], now: datetime, *, account: bool) -> Resource:
    """The new user, which is in no group yet. `account`: whether users show the account that they belong to."""
    assert outcome.record_id is not None
    moment = _text(now)
    computed = {LMS_USER: _account(outcome.after)} if account else {}
    shown = _shown(document, account)
    return Resource("User", outcome.record_id, outcome.version, moment, moment, shown, orjson.dumps(computed))


def changed(outcome: Outcome, past: Resource, document: Mapping[str, Any], now: datetime, *, account: bool) -> Resource:
    """The user that was `past` before the write; its groups are as they were then."""
    computed = past.computed
    if account:
        computed = orjson.dumps({**orjson.loads(computed), LMS_USER: _account(outcome.after)})
    return past._replace(
        version=outcome.version, modified=_text(now), document=_shown(document, account), computed=computed
    )


def _shown(document: Mapping[str, Any], account: bool) -> bytes:
    if account or LMS_USER not in document["schemas"]:
        return orjson.dumps(document)
    return orjson.dumps({**document, "schemas": [urn for urn in document["schemas"] if urn != LMS_USER]})


def _account(account: Account) -> dict[str, Any]:
    roles = {"roles": list(account.roles)} if account.roles else {}
    return {"accountId": account.id, "status": account.status, **roles}


def _text(now: datetime) -> str:
    return now.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
