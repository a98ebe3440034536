"""A large tenant out of a written one: each person again and again, in SQL, as the write door would have written them.

A million people through the write door take half an hour. Here each row of a person is read as JSON, the person's name
and ids in it are replaced by new ones wherever they stand, and the result is a row again; so a new column needs no word
here. Names continue those that are there (`roads.name`), and have the same length. Not made: events and audit entries.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import sqlalchemy as sa

from app.store.engine import writing
from benchmarks.roads import name


class _Table(NamedTuple):
    """`belongs` joins a row `t` to its person `p`; `set` are columns that are not copied."""

    name: str
    belongs: str
    set: str = "'{}'::jsonb"


_TIMES: Final = "'created_at', p.at, 'updated_at', p.at"
_TABLES: Final = (
    _Table("records", "t.id = p.record", f"jsonb_build_object({_TIMES})"),
    _Table("accounts", "t.id = p.account", f"jsonb_build_object({_TIMES}, 'version', p.version)"),
    _Table("identifiers", "t.holders = ARRAY[p.account]"),
    _Table("manager_keys", "t.account_id = p.account"),
    _Table("grants", "t.account_id = p.account"),
)

_COPY: Final = """
    INSERT INTO {name}
    SELECT made.* FROM people p JOIN {name} t ON t.tenant_id = :tenant AND {belongs}
    CROSS JOIN LATERAL json_populate_record(NULL::{name}, replace(replace(replace(to_json(t)::text,
        p.record::text, p.new_record::text), p.account::text, p.new_account::text), p.name, p.new_name)::json) AS copy
    CROSS JOIN LATERAL jsonb_populate_record(copy, {set}) AS made
    ORDER BY p.number
"""

# One millisecond a person, before those who are there: ids are UUIDv7 in the order of creation, and none is to come.
_PEOPLE: Final = """
    CREATE TEMPORARY TABLE people ON COMMIT DROP AS
    SELECT b.*, to_timestamp(milliseconds / 1000.0) AS at, :version + number AS version,
        (lpad(to_hex(milliseconds), 12, '0') || '7000a' || substr(md5('record ' || new_name), 1, 15))::uuid
            AS new_record,
        (lpad(to_hex(milliseconds), 12, '0') || '7001a' || substr(md5('account ' || new_name), 1, 15))::uuid
            AS new_account
    FROM (
        SELECT id AS record, account_id AS account, place AS number, name, :first + place AS milliseconds,
            left(name, 1) || lpad((:copied + place)::text, length(name) - 1, '0') AS new_name
        FROM (
            SELECT id, account_id, split_part(user_name, '@', 1) AS name,
                row_number() OVER (ORDER BY user_name) - 1 AS place
            FROM records WHERE tenant_id = :tenant AND deleted_at IS NULL
                AND split_part(user_name, '@', 1) < :end
        ) counted
    ) b
"""

_MEMBERS: Final = """
    INSERT INTO members (tenant_id, group_id, member_id, kind)
    SELECT :tenant, :group, new_record, 'User' FROM people ORDER BY number LIMIT :most
"""

_LEDGER: Final = """
    UPDATE ledger SET next_event = next_event + :more,
        counts = jsonb_set(counts, ARRAY[:key], to_jsonb((counts ->> :key)::bigint + :more)) WHERE tenant_id = :tenant
"""


def multiply(engine: sa.Engine, tenant: str, source: str, written: int, users: int, group: str, members: int) -> None:
    """From `written` people, who must be all that the tenant has, to `users`; the group gets more, up to `members`.

    `users` is a multiple of `written`. Each round of `written` people is one transaction.
    """
    if users % written:
        raise ValueError(f"{users} is no multiple of {written}")
    first = int(time.time() * 1000) - 2 * users - 3_600_000
    with writing(engine) as conn:
        version = conn.execute(
            sa.text("SELECT next_event FROM ledger WHERE tenant_id = :t"), {"t": tenant}
        ).scalar_one()
    for copied in range(written, users, written):
        facts = {"tenant": tenant, "copied": copied, "first": first + copied, "version": version + copied - written}
        with writing(engine) as conn:
            conn.execute(sa.text(_PEOPLE), facts | {"end": name("p", written)})
            conn.exec_driver_sql("ANALYZE people")
            for table in _TABLES:
                conn.execute(sa.text(_COPY.format(**table._asdict())), {"tenant": tenant})
            more = max(0, min(written, members - copied))
            conn.execute(sa.text(_MEMBERS), {"tenant": tenant, "group": group, "most": more})
            conn.execute(sa.text(_LEDGER), {"tenant": tenant, "more": written, "key": f"{source}/User"})
