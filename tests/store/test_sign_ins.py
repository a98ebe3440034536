"""The sign-in log: a code that can be read out finds the trace."""

from __future__ import annotations

import re
from unittest.mock import patch
from uuid import uuid4

import sqlalchemy as sa

from app.store import sign_ins, tenants
from app.store.engine import reading
from app.store.sign_ins import Attempt

STEPS = [{"check": "audience", "ok": False, "detail": "expected a, found b"}]


def test_a_code_finds_the_trace_however_it_is_typed(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    attempt = Attempt(tenant.id, "refused", reason="audience", steps=STEPS, agent="Firefox", address="192.0.2.1")
    with reading(engine) as conn:
        code = sign_ins.write(conn, attempt)
        assert re.fullmatch(r"[2-9A-HJ-NP-Z]{3}-[2-9A-HJ-NP-Z]{3}", code)
        found = sign_ins.find(conn, tenant.id, code)
        assert found is not None
        assert (found.outcome, found.reason, found.steps, found.address) == ("refused", "audience", STEPS, "192.0.2.1")
        for typed in (code.lower(), code.replace("-", ""), f" {code} "):
            assert sign_ins.find(conn, tenant.id, typed) == found
        assert sign_ins.find(conn, str(uuid4()), code) is None
        assert sign_ins.find(conn, tenant.id, "") is None


def test_a_code_is_not_given_twice(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    codes = iter(["AAA-AAA", "AAA-AAA", "BBB-BBB"])
    with patch.object(sign_ins, "new_code", lambda: next(codes)), reading(engine) as conn:
        written = [sign_ins.write(conn, Attempt(tenant.id, "accepted")) for _ in range(2)]
    assert written == ["AAA-AAA", "BBB-BBB"]


def test_the_list_begins_with_the_newest(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    ada = str(uuid4())
    with reading(engine) as conn:
        first = sign_ins.write(conn, Attempt(tenant.id, "accepted", account_id=ada))
        second = sign_ins.write(conn, Attempt(tenant.id, "refused", reason="expired"))
        third = sign_ins.write(conn, Attempt(tenant.id, "refused", reason="expired", account_id=ada))

        def listed(**asked: object) -> list[str]:
            return [one.code for one in sign_ins.listing(conn, tenant.id, **asked)]  # type: ignore[arg-type]

        assert listed() == [third, second, first]
        assert listed(limit=1) == [third]
        assert listed(refused=True) == [third, second]
        assert listed(account_id=ada) == [third, first]
        assert sign_ins.listing(conn, str(uuid4())) == []
