"""What the world outside is told, one receiver at a time, each in its own order.

    a write commits ──▶ audit entries, numbered ──▶ notices (SCIM events) ──▶ signed ──▶ push ──▶ position
                              ▲ position                                                  └ no: the same again later

The write enqueues nothing: what there is to tell follows from the numbered entries and a receiver's position in them. A
worker that dies between push and position sends its last token again, with the same `jti`.

    issuing      the keys that sign, made and replaced
    notices      which SCIM events an audit entry is
    push         one token to one receiver (RFC 8935)
    delivery     claim, send in order, move on; back off from who does not answer
    receivers    registering one, and trying it
    logouts      clients are told that a session ended (OpenID Connect Back-Channel Logout)
"""
