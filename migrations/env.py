"""Alembic's entry: runs the scripts on the connection that `app.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from app.store import outward_tables  # noqa: F401 - its tables belong to the same metadata
from app.store.migrate import default_differs, is_ours
from app.store.tables import metadata


def main() -> None:
    """Runs each script in a transaction of its own, so that a failing one leaves the earlier ones done."""
    conn = context.config.attributes.get("connection")
    if conn is None:
        raise SystemExit("Migrations run through `rollcall db upgrade`, which holds the lock they need.")
    context.configure(
        connection=conn,
        target_metadata=metadata,
        include_name=is_ours,
        transaction_per_migration=True,
        compare_server_default=default_differs,
    )
    with context.begin_transaction():
        context.run_migrations()


main()
