"""PostgreSQL: tables, writes, reads. No decisions and no Flask here.

engine      connections; one read is one statement, a write one transaction      driver   its hottest statements
tables      columns, the …_tables      migrate  to head
write door  people (rows, locked) ─▶ voices, rules ─▶ saving ─▶ audit;   groups, drift
runs        runs, imports, mappings
doors       tenants, tenant_settings, credentials, scim_clients, schemas
outwards    feeds (the LMS), finding, scim_requests (the provisioning log), receivers, async_requests,
            signing_keys, vault (secrets that are read again)
embedded    a PostgreSQL of our own, and embedded_user, who it runs as
"""
