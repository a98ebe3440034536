"""A tenant with a few of everything that a page of the console can be about. All its texts hold its name.

world = build(engine, "bravo")
world.ids["account_id"]      what stands in an address for the part of that name
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from app.grouping import Grouping, GroupSpoken, Membership
from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import tenants
from app.store.engine import reading, writing
from app.sync import drafts
from app.sync.mapping_changes import Change
from app.sync.mappings import save
from benchmarks.console_filling import fill
from benchmarks.console_pages import PARTS, meant

PEOPLE: Final = 6


@dataclass(frozen=True, slots=True)
class World:
    """A tenant, and one id of each kind."""

    tenant_id: str
    name: str
    ids: Mapping[str, str] = field(repr=False)

    def part(self, rule: str, name: str) -> str | None:
        """What stands for this part of the rule; None for what is no id of a tenant's."""
        return self.ids.get(meant(rule, name))


def build(engine: sa.Engine, name: str, few: int = 2, many: int = 5) -> World:
    """A new tenant with `few` of each setting and `many` of each entry of a log. `name` is one word."""
    with writing(engine) as conn:
        tenant = tenants.create(conn, name)
        source = tenants.create_source(conn, tenant.id, f"{name}-idp", kind="idp", system="okta")
    records = _people(engine, tenant.id, source.id, name, max(PEOPLE, many))
    for number in range(few):
        _group(engine, tenant.id, source.id, f"{name} crew {number}", records)
    fill(engine, tenant.id, source.id, name, few=few, many=many, some=many)
    mapped = [
        Change("set", "attribute", f"{name} title {number}", "learner", attribute="title") for number in range(few)
    ]
    save(engine, tenant.id, [Change("set", "group", f"{name} crew 0", "learner", source=source.name)], actor=name)
    save(engine, tenant.id, mapped, actor=name)
    for _ in range(few):
        change = Change("set", "group", f"{name} crew {few - 1}", "instructor", source=source.name)
        drafts.begin(engine, tenant.id, [change], f"administrator {name}", f"note {name}")
    with writing(engine) as conn:
        conn.execute(sa.text(_TEST), {"tenant": tenant.id, "mark": name})
    return World(tenant.id, name, _ids(engine, tenant.id))


def _people(engine: sa.Engine, tenant_id: str, source_id: str, name: str, number: int) -> list[str]:
    writes = [_person(source_id, name, one) for one in range(number)]
    return [str(outcome.record_id) for outcome in provision(engine, tenant_id, writes, actor=f"scim:{name}")]


def _person(source_id: str, name: str, number: int) -> RecordWrite:
    login = f"p{number}@{name}.example"
    said: dict[str, Any] = {
        "userName": login,
        "emails.work": login,
        "displayName": f"P{number} {name}",
        "familyName": name,
        "givenName": f"P{number}",
        "title": f"{name} title {number % 2}",
        "employeeNumber": f"{name}-{number}",
    }
    return RecordWrite(source_id, Spoken(True, said), {"userName": login, "title": said["title"]}, user_name=login)


def _group(engine: sa.Engine, tenant_id: str, source_id: str, name: str, members: list[str]) -> None:
    grouping = Grouping(engine, tenant_id, source_id, f"scim:{name}")
    id = grouping.create(GroupSpoken({"displayName": name}, {}))
    grouping.write(id, None, Membership(add=dict.fromkeys(members)), None)


def _ids(engine: sa.Engine, tenant_id: str) -> dict[str, str]:
    found = {}
    with reading(engine) as conn:
        for part, statement in PARTS.items():
            value = conn.execute(sa.text(statement), {"tenant": tenant_id}).scalar()
            assert value is not None, f"the world has no {part}"
            found[part] = str(value)
    return found


_TEST: Final = """
    INSERT INTO sign_in_tests (tenant_id, id, connection_id, owner, report, expires_at)
    SELECT :tenant, gen_random_uuid(), id, '', jsonb_build_object('checks', '[]'::jsonb, 'of', CAST(:mark AS text)),
        now() + interval '10 minutes' FROM connections WHERE tenant_id = :tenant ORDER BY name LIMIT 1
"""
