"""The protocols' way into our store: what `scim` asks of a keeper, on PostgreSQL.

scim.store ◀── scim_store ──▶ scim_voice (document → account terms), search_document, filter_sql, sort_sql
"""
