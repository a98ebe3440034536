"""The tables of what is larger than one request: runs and their lines, drafts of the role table, its history.

mapping_drafts ── mapping_draft_people (whom they concern) ── mapping_draft_lines (who would gain and lose)
      └── saved ─▶ mapping_revisions,  runs ── run_changes
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.store.columns import NOW, Id, Time, json, metadata, people, tenant

runs = sa.Table(
    "runs",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # import, mapping, group, rules, retirement
    sa.Column("source_id", Id),
    # planning, planned, held, queued, running, complete, failed, rejected, expired
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    json("summary"),
    sa.Column("position", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("updated_at", Time, nullable=False, server_default=NOW),
    sa.Column("expires_at", Time),
    sa.Column("worker", sa.Text),
    sa.Index("ix_runs_state", "tenant_id", "state", "created_at"),
    sa.Index("ix_runs_created", "tenant_id", "created_at", "id"),
    sa.Index(
        "ix_runs_source", "tenant_id", "source_id", "created_at", postgresql_where=sa.text("source_id IS NOT NULL")
    ),
)

run_changes = sa.Table(
    "run_changes",
    metadata,
    tenant(),
    sa.Column("run_id", Id, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    json("payload"),
    sa.Column("effect", sa.Text),  # what was planned; null where nothing was
    sa.Column("outcome", sa.Text),
    sa.Index("ix_run_changes_effect", "tenant_id", "run_id", "effect", "number"),
)

# Changes of the role table that somebody is looking at before saving them. A worker works out whom they concern.
mapping_drafts = sa.Table(
    "mapping_drafts",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    json("changes", "[]"),
    json("plan"),  # the lines that they come to: `saved`, `removed`, and `before`, as those stood
    sa.Column("reverts", Id),  # the revision that it takes back
    sa.Column("state", sa.Text, nullable=False),  # waiting, working, ready, stopped, failed, stale, saved
    sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("counts", JSONB),  # gains, losses, kept, accounts; whether the last administrator would go
    sa.Column("hash", sa.Text),  # the preview's
    sa.Column("revision", sa.BigInteger),  # of the rules that it was worked out with
    sa.Column("as_of", sa.BigInteger),  # the audit's next number before anybody was read
    sa.Column("failure", sa.Text),
    sa.Column("run_id", Id),  # what derives, once it is saved
    sa.Column("worker", sa.Text),
    sa.Column("claimed_at", Time),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("updated_at", Time, nullable=False, server_default=NOW),
    sa.Index("ix_mapping_drafts_state", "tenant_id", "state", "created_at"),
)

# Everybody whom the changes concern, in the order of working out.
mapping_draft_people = sa.Table(
    "mapping_draft_people",
    metadata,
    people(),
    sa.Column("draft_id", Id, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("account_id", Id, nullable=False),
    sa.Column("standing", sa.Text),  # as an administrator: stays, loses, kept (loses, but nobody else is one)
)

mapping_draft_lines = sa.Table(
    "mapping_draft_lines",
    metadata,
    people(),
    sa.Column("draft_id", Id, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # gain, loss, kept
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("account_id", Id, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
)

# Each save of the role table: its lines before and after, so that it can be compared and taken back.
mapping_revisions = sa.Table(
    "mapping_revisions",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("at", Time, nullable=False, server_default=NOW),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    json("before", "[]"),  # the lines that were changed or removed, as they stood
    json("after", "[]"),  # the lines as they were saved
    json("counts"),
    sa.Column("run_id", Id),
    sa.Column("reverts", Id),
    sa.Index("ix_mapping_revisions_revision", "tenant_id", "revision"),
)
