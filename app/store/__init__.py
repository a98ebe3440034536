"""PostgreSQL: tables, writes, reads. No decisions and no Flask here."""
