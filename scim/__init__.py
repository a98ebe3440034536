"""SCIM 2.0 as the RFCs say it (7643, 7644): people and groups over HTTP. No SQL and no application in here.

    request ─▶ routes ─▶ bodies, query ─▶ resources ─▶ documents | patch ─▶ store (a Protocol)
                  │                           │                                   │
                  ├─▶ discovery               └─────── rendering ◀────────────────┘
                  └─▶ bulk ─▶ resources

- `definitions` says what a schema is, `schemas` which ones all tenants have; `paths` and `filters` (on `grammar`, the
  only user of scim2-filter-parser) resolve names against them; `matching` evaluates a filter on a document.
- `documents` checks and normalises what arrives, `patch` applies operations to a stored document, `members` reads
  what a request says about a group; `dialects` holds what vendors do differently.
- `cursors` seals places in an order (RFC 9865), `ordering` knows the order; `roles` shows the platform's roles.
- `rendering` writes stored bytes out; `etags` and `errors` speak HTTP.
- `memory` keeps everything in a dict, for tests and conformance runs.
"""
