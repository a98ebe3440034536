"""Tenants with people and groups: through the write door, 500 at a time; of a large one the rest is multiplied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy as sa

from app.adapters.scim_voice import spoken
from app.adapters.search_document import search_document
from app.grouping import Grouping, GroupSpoken, Membership
from app.identity.writes import RecordWrite
from app.provisioning import CHUNK, provision
from app.store import credentials, tenants
from app.store.engine import reading, writing
from app.store.rules import current
from benchmarks.multiplying import multiply
from benchmarks.roads import Sample, name, person
from scim.documents import normalise
from scim.store import Document, Kind

ACTOR: Final = "benchmark"
SMALL_GROUPS: Final = 100
SMALL: Final = 10
LARGE: Final = 100_000
WRITTEN: Final = 10_000  # so many go through the write door, the rest of a tenant is multiplied from them
ASKED_FOR: Final = 20_000  # so many people, all over the tenant, are known to the load generator

_SOME: Final = """
    SELECT id, document ->> 'userName' AS name FROM records
    WHERE tenant_id = :tenant AND deleted_at IS NULL AND user_name LIKE 'p%' ORDER BY md5(user_name) LIMIT :most
"""


def seed(
    engine: sa.Engine, users: int, newcomers: int, *, written: int = WRITTEN, small_groups: int = SMALL_GROUPS
) -> Sample:
    """A tenant of so many users, of whom up to 100,000 are in one large group; `newcomers` more are in no group."""
    with writing(engine) as conn:
        tenant = tenants.create(conn, f"users-{users}")
        source = tenants.create_source(conn, tenant.id, "idp", kind="idp", system="okta")
        token = credentials.issue(conn, tenant.id, "scim_token", ACTOR, source_id=source.id).secret
    ids = write_people(engine, source, [name("p", number) for number in range(min(users, written))])
    small = [write_group(engine, source, f"small {n}", _some(ids, n * SMALL, SMALL)) for n in range(small_groups)]
    large = write_group(engine, source, "large", ids[:LARGE])
    if users > len(ids):
        multiply(engine, tenant.id, source.id, len(ids), users, large, LARGE)
    fresh = write_people(engine, source, [name("n", number) for number in range(newcomers)])
    with reading(engine) as conn:
        known = conn.execute(sa.text(_SOME), {"tenant": tenant.id, "most": ASKED_FOR}).all()
    return Sample(
        token=token,
        total=users + newcomers,
        users=[str(one.id) for one in known],
        names=[one.name for one in known],
        newcomers=fresh,
        small_groups=small,
        large_group=large,
    )


def settle(engine: sa.Engine) -> None:
    """What PostgreSQL does by itself in the hours after a large load."""
    with engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


def write_people(engine: sa.Engine, source: tenants.SourceRow, names: Sequence[str]) -> list[str]:
    """People called so, through the write door; returns their record ids."""
    with reading(engine) as conn:
        known = current(conn, source.tenant_id).sources[source.id]
    ids: list[str] = []
    for some in _chunks(names):
        documents = [normalise("User", person(name)).document for name in some]
        writes = [
            RecordWrite(
                source_id=source.id,
                spoken=spoken(document, known),
                document=document,
                search=_search("User", document, source),
                user_name=document["userName"],
            )
            for document in documents
        ]
        ids += [str(outcome.record_id) for outcome in provision(engine, source.tenant_id, writes, actor=ACTOR)]
    return ids


def write_group(engine: sa.Engine, source: tenants.SourceRow, name: str, members: Sequence[str]) -> str:
    """A group of these records, through the write door; returns its id."""
    grouping = Grouping(engine, source.tenant_id, source.id, ACTOR)
    document = normalise("Group", {"displayName": name}).document
    id = grouping.create(GroupSpoken(document, _search("Group", document, source)))
    for some in _chunks(members):
        grouping.write(id, None, Membership(add=dict.fromkeys(some)), None)
    return id


def _search(kind: Kind, document: Document, source: tenants.SourceRow) -> Document:
    return search_document(kind, document, tenant_id=source.tenant_id, source_id=source.id)


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _some(items: Sequence[str], start: int, number: int) -> list[str]:
    return [items[(start + n) % len(items)] for n in range(number)]
