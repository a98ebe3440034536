"""The protocols' way into our store: what `scim` asks of a keeper and a doorkeeper, on PostgreSQL.

    doorkeeper ─▶ scim_store ─┬─▶ scim_voice (document → the account's terms), search_document ─▶ the write door
                              └─▶ scim_reads ─▶ filter_sql (places, values, contain), sort_sql ─▶ the tables

Nothing here decides about people: that is `app.identity`.
"""
