"""A tenant as large as the console's pages are timed with: people, groups, a mapped group, audit entries.

    5,000 people through the write door ─▶ multiplied to 100,000 (`multiplying`) ─▶ groups and members in SQL ─▶ audit

What comes out is what the write door would have left: whoever is derived again stays as they are.

    python -m benchmarks.console_seeding [TENANT [PEOPLE]]     into the database of DATABASE_URL
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import JSONB

from app.adapters.search_document import search_document
from app.identity.naming import group_sorted_by
from app.provisioning import CHUNK
from app.store import tenants
from app.store.audit import Entry
from app.store.engine import make_engine, reading, writing
from app.store.saving import Telling, save_ledger
from app.sync.mappings import Change, save
from benchmarks.multiplying import multiply
from benchmarks.roads import name
from benchmarks.seeding import ACTOR, settle, write_group, write_people
from scim.documents import normalise

PEOPLE: Final = 100_000
WRITTEN: Final = 5_000
LARGE: Final = 20_000  # members of the group that no mapping names yet
GROUPS: Final = 5_000  # small groups: everybody is in one
DIVISIONS: Final = 100  # groups of small groups
TEACHING: Final = 50  # one in so many is in the group that a mapping names
ENTRIES: Final = 50_000  # audit entries

_NUMBER: Final = "CAST(substr(split_part(r.user_name, '@', 1), 2) AS bigint)"
_GROUPS: Final = sa.text("""
    INSERT INTO groups (tenant_id, id, source_id, display_name, name, external_id, document, search, created_at,
        updated_at)
    SELECT :tenant, g.*, now(), now() FROM jsonb_to_recordset(:groups) AS g(id uuid, source_id uuid, display_name text,
        name text, external_id text, document json, search jsonb)
""").bindparams(sa.bindparam("groups", type_=JSONB))
_SMALL: Final = sa.text(f"""
    INSERT INTO members (tenant_id, group_id, member_id, kind)
    SELECT :tenant, g.id, r.id, 'User' FROM records r
    JOIN unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS g(id, place) ON g.place = {_NUMBER} % :groups + 1
    WHERE r.tenant_id = :tenant AND r.user_name LIKE 'p%'
""")
_NESTED: Final = sa.text("""
    INSERT INTO members (tenant_id, group_id, member_id, kind)
    SELECT :tenant, d.id, g.id, 'Group' FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS g(id, place)
    JOIN unnest(CAST(:divisions AS uuid[])) WITH ORDINALITY AS d(id, place) ON d.place = (g.place - 1) % :many + 1
""")
_TEACHING: Final = sa.text(f"""
    INSERT INTO members (tenant_id, group_id, member_id, kind)
    SELECT :tenant, :group, r.id, 'User' FROM records r
    WHERE r.tenant_id = :tenant AND r.user_name LIKE 'p%' AND {_NUMBER} % {TEACHING} = 0
    ON CONFLICT DO NOTHING
""")
_COUNTED: Final = sa.text("""
    UPDATE ledger SET counts = jsonb_set(counts, ARRAY[:key], to_jsonb((counts ->> :key)::bigint + :more))
    WHERE tenant_id = :tenant
""")


@dataclass(frozen=True, slots=True)
class Seeded:
    """The tenant, its identity provider, the group of 20,000 that nothing is mapped to, and the mapped group."""

    tenant_id: str
    source_id: str
    large_group: str
    mapped_group: str
    small_groups: tuple[str, ...]


def seed(
    engine: sa.Engine,
    tenant_name: str = "console",
    people: int = PEOPLE,
    *,
    written: int = WRITTEN,
    large: int = LARGE,
    groups: int = GROUPS,
    entries: int = ENTRIES,
) -> Seeded:
    """`people` is a multiple of `written`, and that of 50. Everybody is a learner by the title, one in 50 teaches."""
    with writing(engine) as conn:
        tenant = tenants.create(conn, tenant_name)
        source = tenants.create_source(conn, tenant.id, "idp", kind="idp", system="okta")
    titled = Change("set", "attribute", "Lock keeper", "learner", attribute="title")
    teaching = Change("set", "group", "Instructors", "instructor", source="idp")
    save(engine, tenant.id, [titled, teaching], actor=ACTOR)
    ids = write_people(engine, source, [name("p", number) for number in range(min(people, written))])
    large_group = write_group(engine, source, "Everyone at the locks", ids[:large])
    mapped = write_group(engine, source, "Instructors", ids[::TEACHING])
    if people > len(ids):
        multiply(engine, tenant.id, source.id, len(ids), people, large_group, large)
    with writing(engine) as conn:
        conn.execute(_TEACHING, {"tenant": tenant.id, "group": mapped})
        small = _groups(conn, source, [f"Crew {number:05}" for number in range(groups)])
        divisions = _groups(conn, source, [f"Division {number:03}" for number in range(DIVISIONS)])
        conn.execute(_SMALL, {"tenant": tenant.id, "ids": small, "groups": groups})
        conn.execute(_NESTED, {"tenant": tenant.id, "ids": small, "divisions": divisions, "many": DIVISIONS})
        key = f"{source.id}/Group"
        conn.execute(_COUNTED, {"tenant": tenant.id, "key": key, "more": len(small) + len(divisions)})
    _tell(engine, tenant.id, entries)
    return Seeded(tenant.id, source.id, large_group, mapped, tuple(small))


def _groups(conn: sa.Connection, source: tenants.SourceRow, names: list[str]) -> list[str]:
    rows: list[dict[str, Any]] = []
    for one in names:
        document = normalise("Group", {"displayName": one, "externalId": f"00g-{one}"}).document
        rows.append(
            {
                "id": str(uuid_utils.uuid7()),
                "source_id": source.id,
                "display_name": one,
                "name": group_sorted_by(one),
                "external_id": document["externalId"],
                "document": document,
                "search": search_document("Group", document, tenant_id=source.tenant_id, source_id=source.id),
            }
        )
    conn.execute(_GROUPS, {"tenant": source.tenant_id, "groups": rows})
    return [row["id"] for row in rows]


def _tell(engine: sa.Engine, tenant_id: str, entries: int) -> None:
    """Audit entries about people all over the tenant, in a chain that holds."""
    chosen = "SELECT CAST(id AS text) FROM accounts WHERE tenant_id = :tenant ORDER BY md5(id::text) LIMIT :most"
    with reading(engine) as conn:
        subjects = conn.execute(sa.text(chosen), {"tenant": tenant_id, "most": entries}).scalars().all()
    facts = {"attributes": ["title"]}
    for start in range(0, len(subjects), CHUNK):
        some = [
            Entry(ACTOR, "account.changed", one, facts, {"title": ["Rigger", "Lock keeper"]})
            for one in subjects[start : start + CHUNK]
        ]
        with writing(engine) as conn:
            save_ledger(conn, tenant_id, [], Telling([], some, {}), 1, datetime.now(UTC))


def main() -> None:
    """Seed the database of DATABASE_URL."""
    engine = make_engine(os.environ["DATABASE_URL"])
    tenant_name = sys.argv[1] if len(sys.argv) > 1 else "console"
    begun = datetime.now(UTC)
    seeded = seed(engine, tenant_name, int(sys.argv[2]) if len(sys.argv) > 2 else PEOPLE)
    settle(engine)
    print(f"{tenant_name}: {seeded.tenant_id} in {(datetime.now(UTC) - begun).total_seconds():.0f} s")
    print(f"group of {LARGE:,}: {seeded.large_group}; mapped group: {seeded.mapped_group}")


if __name__ == "__main__":
    main()
