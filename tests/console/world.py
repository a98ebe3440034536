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

# What stands for a part of an address, or a field of a form: a statement that yields the one value.
_NEWEST: Final = "ORDER BY created_at DESC, id DESC LIMIT 1"
PARTS: Final[Mapping[str, str]] = {
    "account_id": "SELECT account_id FROM records WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "other_id": "SELECT account_id FROM records WHERE tenant_id = :tenant ORDER BY id OFFSET 1 LIMIT 1",
    "record_id": "SELECT id FROM records WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "source_id": "SELECT id FROM sources WHERE tenant_id = :tenant AND kind = 'idp'",
    "hr_id": "SELECT id FROM sources WHERE tenant_id = :tenant AND kind = 'hris' ORDER BY name LIMIT 1",
    "group_id": "SELECT id FROM groups WHERE tenant_id = :tenant ORDER BY name DESC LIMIT 1",
    "line_id": "SELECT id FROM mappings WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "draft_id": "SELECT id FROM mapping_drafts WHERE tenant_id = :tenant LIMIT 1",
    "revision_id": "SELECT id FROM mapping_revisions WHERE tenant_id = :tenant AND revision > 1 ORDER BY id LIMIT 1",
    "connection_id": "SELECT id FROM connections WHERE tenant_id = :tenant ORDER BY name LIMIT 1",
    "setup_id": "SELECT connection_id FROM connection_setups WHERE tenant_id = :tenant AND made_at IS NULL LIMIT 1",
    "doubt_id": f"SELECT id FROM duplicates WHERE tenant_id = :tenant {_NEWEST}",
    "run_id": "SELECT id FROM runs WHERE tenant_id = :tenant AND state = 'planned' ORDER BY id DESC LIMIT 1",
    "request_id": "SELECT id FROM scim_requests WHERE tenant_id = :tenant ORDER BY id DESC LIMIT 1",
    "code": "SELECT code FROM sign_ins WHERE tenant_id = :tenant AND outcome = 'refused' ORDER BY at DESC LIMIT 1",
    "token_id": "SELECT id FROM credentials WHERE tenant_id = :tenant AND kind = 'scim_token' ORDER BY id LIMIT 1",
    "key_id": "SELECT id FROM credentials WHERE tenant_id = :tenant AND kind = 'api_key' ORDER BY id LIMIT 1",
    "scim_client_id": "SELECT id FROM credentials WHERE tenant_id = :tenant AND kind = 'client' ORDER BY id LIMIT 1",
    "secret_id": """SELECT s.id FROM credentials s JOIN credentials c
        ON c.tenant_id = s.tenant_id AND c.id = s.client_id
        WHERE s.tenant_id = :tenant AND s.kind = 'client_secret' ORDER BY c.id LIMIT 1""",
    "client_id": "SELECT id FROM clients WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "receiver_id": "SELECT id FROM receivers WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "administrator_id": "SELECT id FROM administrators WHERE tenant_id = :tenant ORDER BY email LIMIT 1",
    "passkey_id": "SELECT id FROM passkeys WHERE tenant_id = :tenant LIMIT 1",
    "visit_id": "SELECT id FROM console_sessions WHERE tenant_id = :tenant LIMIT 1",
    "link_id": "SELECT id FROM console_links WHERE tenant_id = :tenant AND purpose = 'scim' ORDER BY id LIMIT 1",
    "session_id": "SELECT id FROM sessions WHERE tenant_id = :tenant ORDER BY account_id, id LIMIT 1",
    "test_id": "SELECT id FROM sign_in_tests WHERE tenant_id = :tenant LIMIT 1",
    "tenant": "SELECT name FROM tenants WHERE id = :tenant",
    "role": "SELECT name FROM roles WHERE tenant_id = :tenant AND NOT administrator ORDER BY rank DESC LIMIT 1",
    "urn": "SELECT urn FROM schemas WHERE tenant_id = :tenant ORDER BY urn LIMIT 1",
    "domain": "SELECT domain FROM domains WHERE tenant_id = :tenant ORDER BY domain LIMIT 1",
}
PEOPLE: Final = 6
# Two rules have a part that is called `client_id`, and mean another kind; so with `id`: (rule's beginning, part).
MEANT: Final[Mapping[tuple[str, str], str]] = {
    ("/admin/provisioning/", "client_id"): "scim_client_id",
    ("/admin/access/passkeys/", "id"): "passkey_id",
    ("/admin/access/sessions/", "id"): "visit_id",
    ("/admin/administrators/", "id"): "administrator_id",
    ("/admin/set-up-links/", "id"): "link_id",
    ("/admin/groups/roles/", "name"): "role",
}


@dataclass(frozen=True, slots=True)
class World:
    """A tenant, and one id of each kind."""

    tenant_id: str
    name: str
    ids: Mapping[str, str] = field(repr=False)

    def part(self, rule: str, name: str) -> str | None:
        """What stands for this part of the rule; None for what is no id of a tenant's."""
        meant = next((to for (start, part), to in MEANT.items() if part == name and rule.startswith(start)), name)
        return self.ids.get(meant)


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
