"""RFC 7643 and 7644 line by line, over HTTP, each test on the memory store and on PostgreSQL.

A module a part of the protocol: what one of them holds is one row of the table in docs/scim.md.
"""
