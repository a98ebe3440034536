"""The chain's end, walked by itself."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.adapters.audited import audited
from app.store import tables as t
from app.store.audit import Entry, Verified, verify, verify_newest
from app.store.engine import snapshot, writing
from app.store.tenants import Tenant


@pytest.fixture
def noted(engine: sa.Engine, tenant: Tenant) -> None:
    """Twelve entries, three a transaction."""
    for number in range(4):
        entries = [Entry("ada", "role.saved", "x", {"n": number}, {"secret": part}) for part in range(3)]
        audited(engine, tenant.id, lambda _conn, entries=entries: (None, entries))


def newest(engine: sa.Engine, tenant: Tenant, most: int) -> Verified:
    with snapshot(engine) as conn:
        return verify_newest(conn, tenant.id, most)


def test_a_chain_without_entries_holds(engine: sa.Engine, tenant: Tenant) -> None:
    assert newest(engine, tenant, 5) == Verified(1, 0)


@pytest.mark.usefixtures("noted")
def test_its_end_is_walked_from_the_transaction_before(engine: sa.Engine, tenant: Tenant) -> None:
    assert newest(engine, tenant, 3) == Verified(10, 3)
    assert newest(engine, tenant, 4) == Verified(7, 6)
    assert newest(engine, tenant, 100) == Verified(1, 12)


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET actor = 'ben' WHERE number = 11", "entry 11 was changed"),
        ("UPDATE audit SET personal = '{}' WHERE number = 11", "the personal values of entry 11 were changed"),
        ("DELETE FROM audit WHERE number = 11", "entry 11 is missing"),
        ("DELETE FROM audit WHERE number = 12", "the chain does not end where the ledger says"),
        ("UPDATE audit SET hash = digest WHERE number = 12", "the chain breaks at entry 12"),
        ("UPDATE ledger SET audit_hash = 'x'", "the chain does not end where the ledger says"),
    ],
)
def test_what_does_not_fit_is_found(engine: sa.Engine, tenant: Tenant, change: str, broken: str) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql(change)
        assert verify(conn, tenant.id)[1] == broken
    assert newest(engine, tenant, 3).broken == broken


@pytest.mark.usefixtures("noted")
def test_what_was_erased_breaks_nothing(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        conn.execute(sa.update(t.audit).values(personal=None, salt=None))
    assert newest(engine, tenant, 100).broken is None


def test_a_snapshot_is_of_one_moment_and_writes_nothing(engine: sa.Engine, tenant: Tenant) -> None:
    count = sa.select(sa.func.count()).select_from(t.audit)
    with snapshot(engine) as conn:
        assert conn.execute(count).scalar_one() == 0
        audited(engine, tenant.id, lambda _conn: (None, [Entry("ada", "role.saved", "x", {})]))
        assert conn.execute(count).scalar_one() == 0
    with pytest.raises(sa.exc.InternalError), snapshot(engine) as conn:
        conn.exec_driver_sql("DELETE FROM audit")
