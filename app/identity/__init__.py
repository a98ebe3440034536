"""The core: who is who, what is true of them, and what follows. Values in, values out; no I/O and no clock.

    record ──claims──▶ identifiers ──matching──▶ account id
                                                    │
    records of the account, rules, `now` ──derive───┤
        ownership   which source's value each attribute takes, with its lineage
        lifecycle   active or not, and who says so
        managers    one primary among many, cycles refused
        roles       grants from groups, roles, entitlements, attributes and by hand
                                                    ▼
    account before, account after ──changes──▶ events;  guards hold what goes too far;  explain says why

`model` holds the nouns, `attributes` names what an account has, `writes` is what comes through the write door.
"""
