"""The people of a draft that is to be saved: what was shown of some, and all of them as a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import JSONB

from app.store.tables import Id

KEPT_DAYS: Final = 7

_SHOWN = sa.text("""
    SELECT p.account_id, p.standing, l.kind, l.scope, l.role
    FROM unnest(:ids) AS i(id)
    JOIN mapping_draft_people p ON p.tenant_id = :tenant AND p.draft_id = :draft AND p.account_id = i.id
    LEFT JOIN mapping_draft_lines l ON l.tenant_id = :tenant AND l.draft_id = :draft AND l.account_id = p.account_id
        AND l.kind IN ('gain', 'loss')
    ORDER BY p.account_id, l.kind, l.scope, l.role
""").bindparams(sa.bindparam("ids", type_=sa.ARRAY(Id)))
_OTHERS = sa.text("""
    SELECT EXISTS (
        SELECT FROM grants g JOIN roles r ON r.tenant_id = g.tenant_id AND r.name = g.role AND r.administrator
        WHERE g.tenant_id = :tenant AND g.effective AND NOT g.account_id IN (
            SELECT account_id FROM mapping_draft_people WHERE tenant_id = :tenant AND draft_id = :draft)
    )
""")
_STANDINGS = sa.text("""
    SELECT DISTINCT standing FROM mapping_draft_people
    WHERE tenant_id = :tenant AND draft_id = :draft AND standing IS NOT NULL
""")
_STANDING = sa.text("""
    SELECT account_id FROM mapping_draft_people WHERE tenant_id = :tenant AND draft_id = :draft AND standing = :standing
    ORDER BY number
""")
_RUN = sa.text("""
    WITH run AS (
        INSERT INTO runs (tenant_id, id, kind, state, actor, summary, total)
        SELECT :tenant, :run, 'mapping', :state, :actor, :summary, count(*)
        FROM mapping_draft_people WHERE tenant_id = :tenant AND draft_id = :draft
    )
    INSERT INTO run_changes (tenant_id, run_id, number, payload)
    SELECT :tenant, :run, row_number() OVER (ORDER BY standing IS DISTINCT FROM 'stays', number),
        jsonb_build_object('account', account_id)
    FROM mapping_draft_people WHERE tenant_id = :tenant AND draft_id = :draft
""").bindparams(sa.bindparam("summary", type_=JSONB))
_FORGET = """
    DELETE FROM {table} l USING mapping_drafts d
    WHERE d.created_at < now() - :days * interval '1 day' AND l.tenant_id = d.tenant_id AND l.draft_id = d.id
"""

Shown = tuple[tuple[tuple[str, str, str], ...], str | None]


def shown(conn: sa.Connection, tenant_id: str, draft_id: str, account_ids: Collection[str]) -> dict[str, Shown]:
    """Of those of these accounts whom the draft concerns: gains and losses (kind, scope, role), and the standing."""
    found: dict[str, tuple[list[tuple[str, str, str]], str | None]] = {}
    parameters = {"tenant": tenant_id, "draft": draft_id, "ids": sorted(account_ids)}
    for row in conn.execute(_SHOWN, parameters):
        lines, _ = found.setdefault(str(row.account_id), ([], row.standing))
        if row.kind is not None:
            lines.append((row.kind, row.scope, row.role))
    return {account_id: (tuple(lines), standing) for account_id, (lines, standing) in found.items()}


def other_administrators(conn: sa.Connection, tenant_id: str, draft_id: str) -> bool:
    """Whether somebody whom the draft does not concern holds an administrator role."""
    return bool(conn.execute(_OTHERS, {"tenant": tenant_id, "draft": draft_id}).scalar())


def standings(conn: sa.Connection, tenant_id: str, draft_id: str) -> set[str]:
    """Which standings as administrators there are."""
    return set(conn.execute(_STANDINGS, {"tenant": tenant_id, "draft": draft_id}).scalars())


def of_standing(conn: sa.Connection, tenant_id: str, draft_id: str, standing: str) -> list[str]:
    """The accounts of this standing."""
    parameters = {"tenant": tenant_id, "draft": draft_id, "standing": standing}
    return [str(one) for one in conn.execute(_STANDING, parameters).scalars()]


def queue(
    conn: sa.Connection, tenant_id: str, draft_id: str, *, state: str, actor: str, summary: dict[str, Any]
) -> str:
    """A run that derives everybody, administrators to be first. Returns its id."""
    run_id = str(uuid_utils.uuid7())
    parameters = {"tenant": tenant_id, "draft": draft_id, "run": run_id, "state": state, "actor": actor}
    conn.execute(_RUN, parameters | {"summary": summary})
    return run_id


def forget(conn: sa.Connection) -> None:
    """Drafts that are a week old, saved or not."""
    for table in ("mapping_draft_lines", "mapping_draft_people"):
        conn.execute(sa.text(_FORGET.format(table=table)), {"days": KEPT_DAYS})
    conn.execute(
        sa.text("DELETE FROM mapping_drafts WHERE created_at < now() - :days * interval '1 day'"), {"days": KEPT_DAYS}
    )
