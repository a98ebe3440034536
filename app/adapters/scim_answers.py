"""A user as it is right after it was made, from what the write door says: what a read would show, without the read."""

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
    shown, computed = dict(document), {}
    if account:
        computed[LMS_USER] = _account(outcome.after)
    else:
        shown["schemas"] = [urn for urn in document["schemas"] if urn != LMS_USER]
    moment = now.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    return Resource(
        "User", outcome.record_id, outcome.version, moment, moment, orjson.dumps(shown), orjson.dumps(computed)
    )


def _account(account: Account) -> dict[str, Any]:
    roles = {"roles": list(account.roles)} if account.roles else {}
    return {"accountId": account.id, "status": account.status, **roles}
