"""The protocols' way into our store: what `scim` and `sso` ask of whoever keeps things, on PostgreSQL.

    doorkeeper ─▶ scim_store ─┬─▶ scim_voice (document → the account's terms), search_document ─▶ the write door
     │  pace                  │                          scim_answers (what it made) ◀────────────┘
     │  registries            └─▶ scim_reads ─▶ filter_sql (places, values, contain), sort_sql ─▶ the tables
     │                             ├ scim_cursor ─▶ keyset_sql      └ scim_root (several kinds, sorted)
     └▶ scim_notes ─▶ scim_log ─▶ scim_log_rows ─▶ scim_effects, masking      the provisioning log

    asynchronous     SCIM requests that were kept are carried out; deferred_log tells the provisioning log
    schemas          a tenant declares SCIM schemas; stored values follow
    oauth_clients    `sso`'s keepers of clients, tokens and assertions
    provider         `sso`'s keeper of authorizations; relying_parties reads a client as it is stored
    token_checks     whether a token is good, for `sso.forward_auth` and `sso.introspection`
    remembered       what was found good a moment ago

Nothing here decides about people: that is `app.identity`.
"""
