"""The tables of merging and splitting: what may be one person, what is one by now, and what is not.

duplicates ── a person decides ──▶ merged: aliases      two people: apart
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.store.columns import NOW, Id, Time, json, metadata, people

# What the matcher was in doubt about: a record was given `account_id`, and may belong to one of `candidates`.
duplicates = sa.Table(
    "duplicates",
    metadata,
    people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("record_id", Id, nullable=False),
    sa.Column("account_id", Id, nullable=False),
    json("candidates", "[]"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),  # open, merged, apart, gone
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("decided_at", Time),
    sa.Column("decided_by", sa.Text),
    sa.Index("ix_duplicates_state", "tenant_id", "state", "created_at", "id"),
    sa.Index("ix_duplicates_account", "tenant_id", "account_id"),
    sa.Index(
        "ix_duplicates_candidates",
        "candidates",
        postgresql_using="gin",
        postgresql_ops={"candidates": "jsonb_path_ops"},
        postgresql_where=sa.text("state = 'open'"),
    ),
)

# Accounts that were merged away: their ids go on meaning somebody, for ever. `number` is that of the event that told
# it, `records` came with it and are what a split takes back.
aliases = sa.Table(
    "aliases",
    metadata,
    people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("account_id", Id, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("records", ARRAY(Id), nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Index("ix_aliases_account", "tenant_id", "account_id"),
    sa.Index("ix_aliases_number", "tenant_id", "number"),
)

# Pairs of accounts of which a person said that they are two people; `low` < `high`.
apart = sa.Table(
    "apart",
    metadata,
    people(),
    sa.Column("low", Id, primary_key=True),
    sa.Column("high", Id, primary_key=True),
    sa.Column("at", Time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Index("ix_apart_high", "tenant_id", "high"),
)
