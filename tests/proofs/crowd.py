"""Three unequal tenants, filled by the database itself with documents as the write door leaves them.

Every person has what identity providers send, mostly unique values; titles, departments and flags are shared by many.
One in `NEEDLES` has every attribute of the schemas, each with a value of its own (`needle-<place>-<n>`). The numbers,
names and external ids are the same in all tenants: whatever mixes tenants up is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg
import sqlalchemy as sa

from tests.proofs import definition as d

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:"
SOURCE: Final = "0190a000-0000-7000-8000-00000000aaaa"
NEEDLES: Final = 100
GROUP_OF: Final = 10  # people a group; the first group of a tenant has every second person


def tenant_id(place: int) -> str:
    return f"0190a000-0000-7000-8000-00000000000{place}"


def person_id(number: int) -> str:
    """The number orders: creation is the order of ids."""
    return f"0190b000-0000-7000-8000-{number:012x}"


def group_id(number: int) -> str:
    return f"0190c000-0000-7000-8000-{number:012x}"


def needle(place: str, number: int) -> str:
    return f"needle-{place}-{number}".lower()


def fill(engine: sa.Engine, sizes: Sequence[int]) -> None:
    """Tenants of these sizes, in this order; the GIN indexes are made last."""
    with engine.connect() as conn:
        cursor = conn.execution_options(isolation_level="AUTOCOMMIT").connection.driver_connection
        assert isinstance(cursor, psycopg.Connection)
        made = cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%USING gin%'").fetchall()
        for name, _ in made:
            cursor.execute(f"DROP INDEX {name}")
        for place, size in enumerate(sizes, 1):
            _settle(cursor, place, size)
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in made:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("VACUUM (ANALYZE)")
        # A DROP makes psycopg deallocate all that is prepared: others would find it gone within a transaction.
        conn.invalidate()


def _settle(cursor: psycopg.Connection, place: int, size: int) -> None:
    values = {
        "tenant": tenant_id(place),
        "name": f"t{place}",
        "source": SOURCE,
        "size": size,
        "groups": max(1, size // GROUP_OF),
        "needles": NEEDLES,
        "enterprise": d.ENTERPRISE.lower(),
    }
    for statement in (_TENANT, _SOURCE, _LEDGER, _PEOPLE % {"needle": _needles()}, *_AROUND):
        cursor.execute(statement, values)


def _needles() -> str:
    """SQL for the search document of a person who has everything. Places and numbers make the values."""

    def text(place: str) -> str:
        return f"'{needle(place, 0)[:-1]}' || n"

    def built(pairs: dict[str, str]) -> str:
        return "jsonb_build_object(" + ", ".join(f"'{key}', {value}" for key, value in pairs.items()) + ")"

    whole: dict[str, str] = {}
    for place, kind in d.USER.items():
        head, _, sub = place.rpartition(".")
        if kind == d.FLAG or place.startswith((d.LMS, "groups", "meta", "schemas", "id", d.ENTERPRISE)):
            continue
        if place not in ("userName", "externalId") and not (head and sub):
            whole[place.lower()] = text(place)
    for name in (*d.LISTS["User"][:-1], "name"):
        inner = {
            p.rpartition(".")[2].lower(): text(p) for p, k in d.USER.items() if p.startswith(name + ".") and k != d.FLAG
        }
        whole[name.lower()] = built(inner) if name == "name" else f"jsonb_build_array({built(inner)})"
    office = {
        p.rpartition(":")[2].lower(): text(p) for p in d.USER if p.startswith(d.ENTERPRISE) and "manager" not in p
    }
    manager = {p.rpartition(".")[2]: text(p) for p in d.USER if p.startswith(f"{d.ENTERPRISE}:manager")}
    whole[d.ENTERPRISE.lower()] = built(office | {"manager": built(manager)})
    return built(whole)


_TENANT = "INSERT INTO tenants (id, name) VALUES (%(tenant)s, %(name)s)"
_SOURCE = """INSERT INTO sources (tenant_id, id, name, kind, system)
    VALUES (%(tenant)s, %(source)s, 'okta', 'idp', 'okta')"""
_LEDGER = """
    INSERT INTO ledger (tenant_id, counts)
    VALUES (%(tenant)s,
        jsonb_build_object(%(source)s || '/User', %(size)s::int, %(source)s || '/Group', %(groups)s::int))
    ON CONFLICT (tenant_id) DO UPDATE SET counts = EXCLUDED.counts
"""
_PERSON = "('0190b000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_GROUP = "('0190c000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
_PEOPLE = f"""
    INSERT INTO records (tenant_id, id, source_id, user_name, account_id, active, document, search, created_at,
        updated_at)
    SELECT %(tenant)s::uuid, {_PERSON}, %(source)s::uuid, name, {_PERSON}, n %% 20 <> 0,
        jsonb_build_object('schemas', '["{CORE}User", "{d.LMS}"]'::jsonb, 'userName', name, 'active', n %% 20 <> 0),
        jsonb_build_object('$t', %(tenant)s::text, '$s', %(source)s::text, 'username', name, 'active', n %% 20 <> 0,
            'schemas', '["urn:ietf:params:scim:schemas:core:2.0:User"]'::jsonb,
            'externalid', 'ext-' || n, 'displayname', 'person ' || n,
            'title', CASE WHEN n %% 10 = 0 THEN 'trainer' ELSE 'title ' || n %% 97 END,
            'locale', 'en-us', 'preferredlanguage', 'en', 'timezone', 'europe/berlin',
            'name', jsonb_build_object('givenname', 'given ' || n %% 500, 'familyname', 'family ' || n %% 5000),
            'emails', jsonb_build_array(jsonb_build_object('type', 'work', 'value', name, 'primary', true)),
            'phonenumbers', jsonb_build_array(jsonb_build_object('type', 'work', 'value', '+49 30 ' || n)),
            %(enterprise)s::text, jsonb_build_object('employeenumber', 'e' || n, 'department', 'd' || n %% 40,
                'manager', jsonb_build_object('value', 'e' || n / 10)))
        || CASE WHEN n %% %(needles)s = 1 THEN NEEDLE ELSE '{{}}'::jsonb END,
        timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-02-01' + n * interval '1 second'
    FROM generate_series(1, %(size)s) n, LATERAL (SELECT 'p' || n || '@example.com' AS name) named
""".replace("%", "%%").replace("NEEDLE", "%(needle)s")
_ACCOUNTS = f"""
    INSERT INTO accounts (tenant_id, id, status, affiliation, name, family_name, attributes, roles, version, revision,
        created_at, updated_at)
    SELECT %(tenant)s::uuid, {_PERSON}, CASE WHEN n %% 20 = 0 THEN 'inactive' ELSE 'active' END, 'employee',
        'given ' || n %% 500 || ' family ' || n %% 5000, 'family ' || n %% 5000,
        jsonb_build_object('userName', 'p' || n || '@example.com', 'givenName', 'Given ' || n %% 500,
            'familyName', 'Family ' || n %% 5000),
        CASE WHEN n %% 1000 = 7 THEN ARRAY['instructor'] ELSE '{{}}'::text[] END, n, 1, now(), now()
    FROM generate_series(1, %(size)s) n
"""
_GROUPS = f"""
    INSERT INTO groups (tenant_id, id, source_id, display_name, name, external_id, document, search, created_at,
        updated_at)
    SELECT %(tenant)s::uuid, {_GROUP}, %(source)s::uuid, 'Crew ' || n, 'crew ' || n, 'g-' || n,
        jsonb_build_object('schemas', '["{CORE}Group"]'::jsonb, 'displayName', 'Crew ' || n, 'externalId', 'g-' || n),
        jsonb_build_object('$t', %(tenant)s::text, '$s', %(source)s::text, 'displayname', 'crew ' || n,
            'externalid', 'g-' || n), now(), now()
    FROM generate_series(1, %(groups)s) n
"""
_MEMBERS = f"""
    INSERT INTO members (tenant_id, group_id, member_id, kind, display)
    SELECT %(tenant)s::uuid, '{group_id(1)}'::uuid, {_PERSON}, 'User', 'shown ' || n
    FROM generate_series(2, %(size)s, 2) n
    UNION ALL
    SELECT %(tenant)s::uuid, ('0190c000-0000-7000-8000-' || lpad(to_hex(2 + n / {GROUP_OF}), 12, '0'))::uuid, {_PERSON},
        'User', NULL
    FROM generate_series(1, %(size)s) n WHERE 2 + n / {GROUP_OF} <= %(groups)s
"""
_IDENTIFIERS = f"""
    INSERT INTO identifiers (tenant_id, namespace, affiliation, value, holders)
    SELECT %(tenant)s::uuid, 'email', 'employee', 'p' || n || '@example.com', ARRAY[{_PERSON}]
    FROM generate_series(1, %(size)s) n
"""
_MANAGERS = f"""
    INSERT INTO manager_keys (tenant_id, namespace, value, account_id, resolved)
    SELECT %(tenant)s::uuid, 'employee_number', 'e' || n / 10, {_PERSON}, true FROM generate_series(1, %(size)s) n
"""
_GRANTS = f"""
    INSERT INTO grants (tenant_id, account_id, role, scope, rule, effective, since)
    SELECT %(tenant)s::uuid, {_PERSON}, 'instructor', 'tenant', 'mapping:1', true, now()
    FROM generate_series(7, %(size)s, 1000) n
"""
_AROUND: Final = (_ACCOUNTS, _GROUPS, _MEMBERS, _IDENTIFIERS, _MANAGERS, _GRANTS)
