"""SCIM 2.0 as the RFCs say it (7643, 7644, 9865, 9967): people and groups over HTTP. No SQL and no application in here.

    request ─▶ routes ─▶ bodies, query ─▶ resources ─▶ documents | patch ─▶ store (a Protocol)
                  │                           │                                   │
                  ├─▶ discovery               └─────── rendering ◀────────────────┘
                  └─▶ bulk ─▶ resources

- `definitions` says what a schema is, `schemas` which ones all tenants have, `extensions` reads those that a tenant
  declares; `paths` and `filters` (on `grammar`, the only user of scim2-filter-parser) resolve names against them;
  `matching` evaluates a filter on a document.
- `documents` checks and normalises what arrives, `patch` applies operations to a stored document (`values` makes each
  change, `immutable` refuses some), `members` reads what a request says about a group; `dialects` holds what vendors do
  differently.
- `cursors` seals places in an order (RFC 9865), `ordering` knows the order; `roles` shows the platform's roles.
- `rendering` writes stored bytes out, without what `returned` hides; `etags` and `errors` speak HTTP.
- `events` says what a change is called where it is told (RFC 9967), `asynchronous` which requests are answered later.
- `memory` keeps everything in a dict, for tests and conformance runs.
"""
