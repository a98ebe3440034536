"""Who is calling or at the browser, and is this token good? No SQL, nothing of the application.

Machines prove who they are and get tokens; what a person's sign-in yields is in `assertion`, by whom in `connections`.

    client ──POST /oauth/token──▶ provider ─┬▶ Clients.authenticate ──────────┬▶ Tokens.issue ─▶ access token (1 h, 2 h)
                                            └▶ assertions.check ◀ issuer_keys ┘
    client ──Authorization: Bearer──▶ tokens.bearer ──▶ whoever keeps the tokens

    client ──GET /oauth/authorize──▶ provider_routes ─▶ authorize ─▶ signs in first, or a code
    client ──code, refresh token──▶ provider ─▶ client_authentication ─▶ grants ─▶ minting ─▶ tokens

    provider   the OAuth 2.0 authorization server (authlib), towards LMSs and integrations; provider_routes its doors,
               provider_metadata what it says of itself, end_session the way out, logout_tokens what clients hear
    authorizations  what it needs of whoever keeps sessions, codes and tokens; person_claims what is told of people
    relying_parties, redirect_uris   who may ask, and where it is answered
    assertions clients that prove themselves by a signed JWT (RFC 7523); issuer_keys fetches public keys
    tokens     what it needs of whoever keeps clients and tokens; how a request carries its token
    keys       the keys that sign our own tokens: made, published, replaced
    checking   whether a token is good: introspection (RFC 7662), forward_auth for proxies
    jwts       tokens that others signed: shape, header, one key, signature; then `jwt_claims`. jwks, issuer_keys: keys
    oidc       sign-in at an OpenID provider, by discovery, code_exchange, id_tokens, issuer_rules; oidc_logout
    claims     what attributes and claims say of a person, by a connection's map and the usual names (claim_names)
    errors     the closed list of refusals
    saml       sign-in by SAML 2.0: our request, and the answer behind the guard (`guard`, `xml`); saml_logout
    metadata   identity providers' SAML metadata, read; ours, signed
    routes     the doors of a sign-in; arriving is the way in, departing the way out, sides what a protocol brings,
               keeping what they need of whoever keeps connections, requests and sessions; choosing which connection
"""
