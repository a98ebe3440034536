"""Another tenant's ids lead nowhere: each route of the table is asked with them in its address, its query and its form.

    alpha's owner ─▶ every route ─▶ bravo's ids      nothing of bravo in an answer, nothing of bravo changed,
                                                     nothing of bravo in alpha's rows

A part of an address or a field that the tables below do not know fails the test: say there what it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from app import console as rooms
from app.console.routing import Route
from app.store import tables as t
from app.store.engine import reading, writing
from tests.console.conftest import Console, Seen
from tests.console.world import World, build

# Fields of forms and queries that hold an id: what of another tenant's is sent.
FIELDS: Final = {
    "account": "account_id",
    "connection": "connection_id",
    "group": "group_id",
    "idp": "connection_id",
    "keep": "other_id",
    "line": "line_id",
    "one": "account_id",
    "other": "other_id",
    "paired": "source_id",
    "record": "record_id",
    "resource": "record_id",
    "session": "session_id",
    "source": "source_id",
    "subject": "account_id",
    "target": "source_id",
}
TYPED: Final = {"subject"}  # in forms: what a claim or a token's subject is called, in the administrator's own words
# Fields that name nothing of a tenant by an id, with what is sent so that the handler goes on to those that do.
PLAIN: Final = {
    **dict.fromkeys(("accept", "administrator", "carry_out", "drop", "everywhere", "remove", "suspended"), "yes"),
    **dict.fromkeys(("after", "before", "move", "reset", "start_over", "take_back", "certificate", "label"), ""),
    **dict.fromkeys(("since", "until", "auth_method", "entity_id", "hand_entity_id", "sso_url", "version"), ""),
    **dict.fromkeys(("client_secret", "answer", "proof", "sealed", "ticket", "back_channel_logout_uri"), "x"),
    **dict.fromkeys(("action", "actor", "code", "effect", "outcome", "state", "status", "organisation"), "none"),
    **dict.fromkeys(("attribute", "empty", "family"), "title"),
    **dict.fromkeys(("client_id", "description", "external_id", "name", "note", "q", "title", "value"), "Alpha"),
    **dict.fromkeys(("reason", "match"), "Alpha"),
    "arrival": "link",
    "audience": "https://alpha.example",
    "days": "1",
    "document": "{}",
    "domain": "alpha.example",
    "domains": "alpha.example",
    "email": "alpha@alpha.example",
    "events": "*",
    "for": "scim",
    "issuer": "https://alpha.example",
    "keeps": "id",
    "kind": "hris",
    "lives": "30",
    "console": "",
    "native": "",
    "overlap": "1",
    "owner": "",
    "rank": "7",
    "role": "learner",
    "scope": "tenant",
    "scopes": "accounts:read",
    "sessions": "",
    "system": "okta",
    "take": "",
    "theme": "dark",
    "to": "/admin",
    "type": "work",
    "url": "https://127.0.0.1:9/none",
    "urn": "urn:alpha:none",
    "vendor": "okta",
    "way": "document",
    "wins": "highest",
    "hash": "0",
}
# Parts of addresses that are no id of a tenant's, and why.
NO_IDS: Final = {
    "attribute": "title",  # an attribute that every tenant has
    "token": "x" * 43,  # the secret of a link: whoever has it may come in by it
}
OPEN: Final = {  # it names the tenant: before somebody is in, nothing else can
    "/admin/sign-in/<tenant>",
    "/admin/arrive/<tenant>",
    "/admin/sign-in/<tenant>/connection",
    "/admin/sign-in/<tenant>/password",
    "/admin/sign-in/<tenant>/passkey",
}
_PART: Final = re.compile(r"<(?:\w+:)?(\w+)>")
_FIELD: Final = re.compile(r"\b(?:field|fields|arg|id_arg)\(\"([a-z_]+)\"")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TABLES: Final = [one for one in t.metadata.sorted_tables if "tenant_id" in one.c]
_ROWS: Final = "CAST(to_jsonb(x) AS text)"
_DIGEST: Final = sa.text(
    " UNION ALL ".join(
        f"SELECT '{one.name}', md5(string_agg({_ROWS}, ',' ORDER BY {_ROWS})) "
        f"FROM {one.name} x WHERE tenant_id = :tenant"
        for one in _TABLES
    )
    + f" UNION ALL SELECT 'tenants', md5({_ROWS}) FROM tenants x WHERE id = :tenant"
)
_HOLDS: Final = f"SELECT {_ROWS} FROM {{}} x WHERE tenant_id = :tenant AND {_ROWS} ~* :theirs"

Enter = Callable[..., Console]


def _name(route: Route) -> str:
    return f"{route.method} {route.rule}"


class Guard:
    """Alpha's owner, who knows bravo's ids. `wrong` collects what should not have been."""

    def __init__(self, engine: sa.Engine, console: Enter) -> None:
        self.engine, self._console = engine, console
        self.alpha, self.bravo = build(engine, "alpha"), build(engine, "bravo")
        _keep(engine, self.alpha)
        self._mine, self._rows = self._digest(self.alpha), self._digest(self.bravo)
        self.wrong: dict[str, str] = {}

    def ask(self, route: Route, parts: Mapping[str, str], sent: Mapping[str, str]) -> Seen:
        """The answer to the route, which must show nothing of bravo's; and nothing may have become of bravo's rows."""
        owner = self._console("owner", tenant_id=self.alpha.tenant_id)
        path = _PART.sub(lambda found: parts[found[1]], route.rule)
        seen = owner.get(path, query_string=dict(sent)) if route.method == "GET" else owner.post(path, **sent)
        given = {one for one in (*parts.values(), *sent.values(), *sent.get("target", "").split()) if one}
        self._look(f"{_name(route)} with {sorted(sent)}", seen, given)
        return seen

    def _look(self, asked: str, seen: Seen, given: set[str]) -> None:
        leaked = set(_UUID.findall(seen.html)) & set(self.bravo.ids.values()) - given
        said = seen.html.lower()
        for one in given:  # an address or a form may be repeated
            said = said.replace(one.lower(), "")
        if "bravo" in said or leaked:
            self.wrong[asked] = f"{seen.status}: it shows {sorted(leaked) or 'a text'} of bravo's"
        if seen.status >= 500:
            self.wrong[asked] = f"{seen.status}: {seen.text[-120:]}"
        if (rows := self._digest(self.bravo)) != self._rows:
            self.wrong[asked] = f"{seen.status}: it changed {sorted(n for n in rows if rows[n] != self._rows[n])}"
            self._rows = rows

    def restore(self, asked: str, given: set[str]) -> None:
        """Give alpha its rows back, in which no id of bravo's may have come to stand."""
        known = {"tenant": self.alpha.tenant_id, "theirs": "|".join(("bravo", *given))}
        rows = self._digest(self.alpha)
        changed = [one for one in _TABLES if rows[one.name] != self._mine[one.name]]
        with writing(self.engine) as conn:
            for table in changed:
                found = conn.execute(sa.text(_HOLDS.format(table.name)), known).scalars().all()
                if found:
                    self.wrong[asked] = f"{table.name} of alpha holds {found[0][:300]}"
                conn.execute(sa.delete(table).where(table.c.tenant_id == self.alpha.tenant_id))
                conn.exec_driver_sql(f"INSERT INTO {table.name} SELECT * FROM kept.{table.name}")

    def _digest(self, world: World) -> dict[str, str]:
        """Of every row of this tenant's, by table."""
        with reading(self.engine) as conn:
            return {str(row[0]): str(row[1]) for row in conn.execute(_DIGEST, {"tenant": world.tenant_id})}


def _keep(engine: sa.Engine, world: World) -> None:
    """A copy of all its rows."""
    with writing(engine) as conn:
        conn.exec_driver_sql("DROP SCHEMA IF EXISTS kept CASCADE")
        conn.exec_driver_sql("CREATE SCHEMA kept")
        for table in _TABLES:
            chosen = f"SELECT * FROM {table.name} WHERE tenant_id = '{world.tenant_id}'"
            conn.exec_driver_sql(f"CREATE TABLE kept.{table.name} AS {chosen}")


@pytest.fixture
def guard(engine: sa.Engine, console: Enter) -> Iterator[Guard]:
    yield Guard(engine, console)
    with writing(engine) as conn:
        conn.exec_driver_sql("DROP SCHEMA IF EXISTS kept CASCADE")


def parts_of(route: Route, world: World) -> dict[str, str]:
    """What of this world stands in the route's address."""
    names = _PART.findall(route.rule)
    found = {name: world.part(route.rule, name) or NO_IDS.get(name) for name in names}
    missing = [name for name, value in found.items() if value is None]
    assert not missing, f"{_name(route)}: say in tests/console/world.py or in NO_IDS what {missing} names"
    return {name: str(value) for name, value in found.items()}


def test_another_tenants_ids_in_an_address_are_not_found(guard: Guard) -> None:
    for route in rooms.routes():
        if route.rule in OPEN:
            continue
        mine, theirs = parts_of(route, guard.alpha), parts_of(route, guard.bravo)
        named = [name for name in theirs if name not in NO_IDS]
        tried = [theirs, *({**mine, name: theirs[name]} for name in named if len(named) > 1)]
        for parts in tried if named else ():
            seen = guard.ask(route, parts, PLAIN if route.method == "POST" else {})
            if seen.status not in (400, 404, 422):
                guard.wrong[_name(route)] = f"{seen.status} at {seen.at}: {seen.text[-200:]}"
    assert guard.wrong == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_tenants_ids_in_a_query_or_a_form_find_nothing(guard: Guard, method: str) -> None:
    mine, theirs = _fields(guard.alpha, method), _fields(guard.bravo, method)
    for route in (one for one in rooms.routes() if one.method == method):
        parts = parts_of(route, guard.alpha)
        read = _read_by(route) & set(theirs)
        rest = PLAIN if method == "POST" else {}
        for sent in (theirs, *({**(mine if method == "POST" else {}), name: theirs[name]} for name in read)):
            guard.ask(route, parts, {**rest, **sent})
            if method == "POST":
                guard.restore(f"{_name(route)} with {sorted(sent)}", set(guard.bravo.ids.values()))
    assert guard.wrong == {}


def _fields(world: World, method: str) -> dict[str, str]:
    found = {name: world.ids[kind] for name, kind in FIELDS.items()}
    found["target"] = f"scim {world.ids['source_id']}"
    return found if method == "GET" else {name: value for name, value in found.items() if name not in TYPED}


def _read_by(route: Route) -> set[str]:
    """The fields that the module of its handler reads."""
    return set(_FIELD.findall(Path(str(route.handler.__code__.co_filename)).read_text(encoding="utf-8")))


def test_every_field_that_a_handler_reads_is_known_here() -> None:
    root = Path(str(rooms.__file__)).parent
    read: dict[str, Any] = {}
    for path in sorted(root.rglob("*.py")):
        for name in _FIELD.findall(path.read_text(encoding="utf-8")):
            read.setdefault(name, path.relative_to(root))
    assert {name: str(where) for name, where in read.items() if name not in FIELDS and name not in PLAIN} == {}
