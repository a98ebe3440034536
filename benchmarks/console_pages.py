"""The pages of the console with addresses in a tenant: each GET route of the table, deep pages, searches, filters.

route ─▶ each part (`<source_id>`) by its name ─▶ an address ─▶ with each query of QUERIES
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

import psycopg
import sqlalchemy as sa

from app import console
from app.console.visit import cookie_name
from app.store import console_sessions, driver
from app.store.console_sessions import NewConsoleSession
from app.store.engine import reading, writing

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
# Two rules have a part that is called `client_id`, and mean another kind; so with `id`: (rule's beginning, part).
MEANT: Final[Mapping[tuple[str, str], str]] = {
    ("/admin/provisioning/", "client_id"): "scim_client_id",
    ("/admin/access/passkeys/", "id"): "passkey_id",
    ("/admin/access/sessions/", "id"): "visit_id",
    ("/admin/administrators/", "id"): "administrator_id",
    ("/admin/set-up-links/", "id"): "link_id",
    ("/admin/groups/roles/", "name"): "role",
}


# Parts that are no id of a tenant's.
SAME: Final = {"attribute": "title"}
# Pages of one session and of minutes, those that only lead on, and files as long as the audit: whoever leaves one keeps
# the server writing it.
WITHOUT: Final = {
    "/admin/sign-in-connections/<connection_id>/tests/<test_id>",
    "/admin/sources/ownership/type",
    "/admin/audit/export.csv",
    "/admin/audit/export.jsonl",
}
_DEEP: Final = {  # a page from the middle, by the links that the pages before it have
    "/admin/people",
    "/admin/audit",
    "/admin/duplicates",
    "/admin/runs",
    "/admin/provisioning/requests",
    "/admin/sign-in-connections/log",
    "/admin/groups/unmapped",
}
_SEARCHES: Final = ("q=p", "q=pe", "q=Lock", "q=p0001234", "q=p0001234%40quay.example", "q=zzyzx")
QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "/admin/people": (
        *_SEARCHES,
        "status=active",
        "status=inactive",
        "role=learner",
        "role=instructor",
        "status=active&role=learner&source=:source_id&group=:group_id",
        "role=instructor&q=p",
    ),
    "/admin/find": _SEARCHES,
    "/admin/groups": ("q=crew", "q=zzyzx"),
    "/admin/groups/unmapped": ("q=c", "q=Crew", "q=crew+04321", "q=zzyzx"),
    "/admin/audit": ("action=account.", "actor=nobody", "subject=:account_id", "since=2020-01-01&until=2030-01-01"),
    "/admin/provisioning/requests": ("q=p0001234", "q=zzyzx", "status=refused", "method=PATCH", "source=:source_id"),
    "/admin/sign-in-connections/log": ("outcome=refused", "reason=not_provisioned", "connection=:connection_id"),
    "/admin/runs": ("state=held", "source=:source_id"),
    "/admin/duplicates": ("state=merged", "state=apart"),
    "/admin/sources/<source_id>/values": ("q=code", "q=zzyzx"),
}
_PART: Final = re.compile(r"<(?:\w+:)?(\w+)>")
_QUERIED: Final = re.compile(r":(\w+)")
STEPS: Final = 20  # links followed to a deep page


@dataclass(frozen=True, slots=True)
class Visitor:
    """An owner of the tenant in the console, by the browser's cookie."""

    tenant_id: str
    name: str
    cookie: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """A page by a name that is the same in each tenant. `deep`: to be reached by following its links."""

    name: str
    address: str
    deep: bool = False


def meant(rule: str, name: str) -> str:
    """Which of PARTS this part of the rule is."""
    return next((to for (start, part), to in MEANT.items() if part == name and rule.startswith(start)), name)


def enter(engine: sa.Engine, tenant_id: str, name: str, public_url: str) -> Visitor:
    """A session of a new owner."""
    administrator, email = console_sessions.new_id(), "owner@bench.example"
    with writing(engine) as conn:
        conn.execute(_OWNER, {"tenant": tenant_id, "id": administrator, "email": email + administrator})
        new = NewConsoleSession(tenant_id, "password", administrator_id=administrator, proven=True)
        begun = console_sessions.begin(conn, new)
    return Visitor(tenant_id, name, (cookie_name(public_url), begun.secret))


def pages(engine: sa.Engine, visitor: Visitor) -> Iterator[Page]:
    """Every page, in the order of the table."""
    with reading(engine) as conn:
        ids = {
            name: conn.execute(sa.text(text), {"tenant": visitor.tenant_id}).scalar() for name, text in PARTS.items()
        }
    known = SAME | {name: str(value) for name, value in ids.items() if value is not None}
    for route in console.routes():
        if route.method != "GET" or route.needs == "open" or route.rule in WITHOUT:
            continue
        rule = route.rule
        address = _PART.sub(lambda found, rule=rule: known[meant(rule, found[1])], rule)  # type: ignore[misc]
        yield Page(rule, address)
        for query in QUERIES.get(rule, ()):
            yield Page(f"{rule}?{query}", f"{address}?{_QUERIED.sub(lambda found: known[found[1]], query)}")
        if rule in _DEEP:
            yield Page(f"{rule}, {STEPS} pages on", address, deep=True)


def next_of(html: str, address: str) -> str | None:
    """The address of the page behind this one."""
    found = re.search(r'<a\b[^>]*href="([^"]*\b(?:after|before)=[^"]*)"[^>]*>\s*(?:Next|Older|More)', html)
    if found is None:
        return None
    href = found[1].replace("&amp;", "&")
    return address.partition("?")[0] + href if href.startswith("?") else href


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many statements this process sends meanwhile; transactions' beginnings and ends aside."""
    sent = [0]
    real, real_run = psycopg.Cursor.execute, driver.run

    def execute(self: Any, *rest: Any, **options: Any) -> Any:
        sent[0] += 1
        return real(self, *rest, **options)

    def run(*rest: Any) -> Any:
        sent[0] += 1
        return real_run(*rest)

    with patch.object(psycopg.Cursor, "execute", execute), patch.object(driver, "run", run):
        yield sent


_OWNER: Final = sa.text("""
    INSERT INTO administrators (tenant_id, id, email, name, role, created_by)
    VALUES (:tenant, :id, :email, 'Olga Owner', 'owner', 'benchmark')
""")
