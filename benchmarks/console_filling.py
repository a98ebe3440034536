"""Everything beside people and groups that a page of the console can be about, in SQL: so many of each as are wanted.

    tenant with people, groups and a source ─▶ settings (sources, connections, keys, …: `few` of each)
                                            └▶ what grows by the day (sign-ins, requests, sessions, …: `many` of each)

Rows are what the doors would have written, as far as pages read them. Each text of theirs holds `mark`, and their ids
are never twice the same.
"""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa

from app.store.engine import writing

_TYPED: Final = re.compile(r"(?<!:):(tenant|source|mark|salt|few|many|some|people)\b")
PEOPLE: Final = 20_000  # so many of the tenant's have been active lately
_COUNTED: Final = """SELECT LEAST(count(DISTINCT account_id), :most) FROM records
    WHERE tenant_id = :tenant AND account_id IS NOT NULL AND deleted_at IS NULL"""
_FEW: Final = "generate_series(1, :few) AS n"
_MANY: Final = "generate_series(1, :many) AS n"
_SOME: Final = "generate_series(1, :some) AS n"
_TYPES: Final = {
    "tenant": "uuid",
    "source": "uuid",
    "mark": "text",
    "salt": "text",
    "few": "int",
    "many": "int",
    "some": "int",
    "people": "int",
}
_AT: Final = "now() - interval '10 days' + n * interval '5 seconds'"
# A UUIDv7 of this row's moment: the logs are read in the order of their ids.
_ID: Final = f"""CAST(lpad(to_hex(CAST(extract(epoch FROM {_AT}) * 1000 AS bigint)), 12, '0')
    || '7' || substr(md5(:salt || n), 1, 3) || '8' || substr(md5(:salt || n), 4, 15) AS uuid)"""
# Somebody of the tenant, with a record: row n is about person n modulo their number.
_PEOPLE: Final = f"""(SELECT a.*, (row_number() OVER (ORDER BY a.account)) - 1 AS place
    FROM (SELECT DISTINCT ON (account_id) account_id AS account, id AS record, user_name
        FROM records WHERE tenant_id = :tenant AND account_id IS NOT NULL AND deleted_at IS NULL
        ORDER BY account_id, id LIMIT {PEOPLE}) a) p ON p.place = n % :people"""
_OTHER: Final = _PEOPLE.replace("p ON p.place", "o ON o.place").replace("n % :people", "(n + 1) % :people")
_CONNECTIONS: Final = """(SELECT id AS connection, row_number() OVER (ORDER BY id) - 1 AS place
    FROM connections WHERE tenant_id = :tenant) c ON c.place = n % :few"""
_AGENT: Final = "'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0 ' || :mark"

# table, columns, values, what it is made from
_SETTINGS: Final = (
    (
        "sources",
        "id, name, kind, system, settings",
        """gen_random_uuid(), :mark || '-hr-' || n, 'hris', 'workday',
            jsonb_build_object('value_maps', jsonb_build_object('title',
                (SELECT jsonb_object_agg('code ' || :mark || m, 'name ' || m) FROM generate_series(1, 200) m)))""",
        _FEW,
    ),
    (
        "sources",
        "id, name, kind, system",
        "gen_random_uuid(), :mark || '-door-' || n, 'login', 'oidc'",
        _FEW,
    ),
    (
        "domains",
        "domain, source_id",
        ":mark || n || '.example', :source",
        _FEW,
    ),
    (
        "connections",
        "id, name, title, kind, source_id, settings, domains",
        """gen_random_uuid(), s.name, 'Sign in ' || :mark || n, 'oidc', s.id, jsonb_build_object('issuer',
            'https://' || :mark || n || '.example', 'client_id', :mark || n), ARRAY[:mark || n || '.example']""",
        f"{_FEW} JOIN sources s ON s.tenant_id = :tenant AND s.name = :mark || '-door-' || n",
    ),
    (
        "connection_setups",
        "connection_id, name, title, kind, vendor, created_by, made_at",
        "id, name, title, kind, 'okta', 'administrator ' || :mark, now()",
        "(SELECT * FROM connections WHERE tenant_id = :tenant) made",
    ),
    (
        "connection_setups",
        "connection_id, name, title, kind, vendor, created_by",
        "gen_random_uuid(), :mark || '-setup-' || n, 'Set up ' || :mark, 'saml', 'okta', 'admin ' || :mark",
        _FEW,
    ),
    *(
        (
            "credentials",
            "id, kind, name, source_id, hash, hint, scopes, expires_at, last_used_at",
            f"""gen_random_uuid(), '{kind}', '{kind} ' || :mark || n, {source},
                sha256(CAST('{kind}' || :salt || n AS bytea)), '{hint}' || :mark, CAST('{scopes}' AS text[]),
                now() + n * interval '1 day', now() - n * interval '1 minute'""",
            _FEW,
        )
        for kind, source, hint, scopes in (
            ("scim_token", ":source", "rc_st_", "{}"),
            ("api_key", "NULL", "rc_ak_", "{accounts:read,events:read}"),
            ("client", ":source", "rc_cl_", "{scim}"),
        )
    ),
    (
        "credentials",
        "id, kind, name, source_id, client_id, hash, hint, scopes",
        """gen_random_uuid(), 'client_secret', name, source_id, id, sha256(CAST('secret' || id AS bytea)),
            'rc_cs_' || :mark, scopes""",
        "(SELECT * FROM credentials WHERE tenant_id = :tenant AND kind = 'client') owner",
    ),
    (
        "clients",
        "id, name, redirect_uris",
        "gen_random_uuid(), 'platform ' || :mark || n, ARRAY['https://lms.' || :mark || '.example/callback']",
        _FEW,
    ),
    (
        "credentials",
        "id, kind, name, client_id, hash, hint",
        "gen_random_uuid(), 'client_secret', name, id, sha256(CAST('lms' || id AS bytea)), 'rc_cs_' || :mark",
        "(SELECT * FROM clients WHERE tenant_id = :tenant) owner",
    ),
    (
        "receivers",
        "id, source_id, url, audience, events, position, failures, failure",
        """gen_random_uuid(), :source, 'https://' || :mark || '.example/' || n, :mark, ARRAY['*'],
            0, n % 3, CASE WHEN n % 3 > 0 THEN 'it answered 500 ' || :mark END""",
        _FEW,
    ),
    (
        "administrators",
        "id, email, name, role, password, created_by",
        "gen_random_uuid(), :mark || n || '@' || :mark || '.example', 'Ad ' || :mark || n, 'admin', 'none', :mark",
        _FEW,
    ),
    (
        "passkeys",
        "id, administrator_id, credential_id, public_key, sign_count, name",
        "gen_random_uuid(), id, sha256(CAST('passkey' || id AS bytea)), '', 0, 'Key ' || :mark",
        "(SELECT * FROM administrators WHERE tenant_id = :tenant) owner",
    ),
    (
        "console_sessions",
        "id, hash, administrator_id, method, expires_at, agent",
        f"gen_random_uuid(), sha256(CAST('visit' || id AS bytea)), id, 'password', now() + interval '1 hour', {_AGENT}",
        "(SELECT * FROM administrators WHERE tenant_id = :tenant) owner",
    ),
    (
        "console_links",
        "id, hash, purpose, administrator_id, note, created_by, expires_at",
        """gen_random_uuid(), sha256(CAST('invitation' || id AS bytea)), 'invitation', id, 'note ' || :mark, :mark,
            now() + interval '1 day'""",
        "(SELECT * FROM administrators WHERE tenant_id = :tenant) owner",
    ),
    (
        "console_links",
        "id, hash, purpose, source_id, note, created_by, expires_at",
        """gen_random_uuid(), sha256(CAST('link' || :salt || n AS bytea)), 'scim', :source,
            'note ' || :mark, :mark, now() + interval '1 day'""",
        _FEW,
    ),
    (
        "schemas",
        "urn, kind, document",
        """'urn:' || :mark || '-schemas-' || n, 'User', jsonb_build_object('id', 'urn:' || :mark || '-schemas-' || n,
            'name', 'Schema ' || :mark, 'attributes', jsonb_build_array(jsonb_build_object('name', 'costCentre', 'type',
            'string', 'multiValued', false)))""",
        _FEW,
    ),
    (
        "drift",
        "source_id, path, times, first_at, last_at",
        ":source, 'urn:' || :mark || '-' || n, n, now() - interval '1 day', now()",
        _FEW,
    ),
    (
        "mapping_revisions",
        "id, revision, actor, note, before, after, counts",
        """gen_random_uuid(), n, 'administrator ' || :mark, 'note ' || :mark, '[]', '[]',
            '{"gains": 3, "losses": 1, "kept": 0, "accounts": 4}'""",
        _FEW,
    ),
    (
        "roles",
        "name, rank, description",
        "'role-' || :mark || n, 100 + n, 'about ' || :mark",
        _FEW,
    ),
)
_DAILY: Final = (
    (
        "sessions",
        """id, hash, account_id, connection_id, record_id, subject, context, methods, authenticated_at, created_at,
            seen_at, expires_at, agent, address""",
        f"""gen_random_uuid(), sha256(CAST('session' || :salt || n AS bytea)), p.account, c.connection, p.record,
            sha256(CAST(p.account::text AS bytea)), 'urn:' || :mark, ARRAY['pwd'], now() - interval '1 hour',
            now() - interval '1 hour', now(), now() + interval '1 day', {_AGENT}, '192.0.2.1'""",
        f"{_MANY} JOIN {_PEOPLE} JOIN {_CONNECTIONS}",
    ),
    (
        "sign_ins",
        "id, code, at, connection_id, outcome, reason, account_id, steps, agent",
        f"""{_ID}, upper(substr(md5(:salt || 'code' || n), 1, 10)), {_AT}, c.connection,
            CASE WHEN n % 5 = 0 THEN 'refused' ELSE 'accepted' END, CASE WHEN n % 5 = 0 THEN 'not_provisioned' END,
            CASE WHEN n % 5 > 0 THEN p.account END, jsonb_build_array(jsonb_build_object('check', 'signature', 'ok',
            true, 'detail', :mark), jsonb_build_object('check', 'account', 'ok', n % 5 > 0, 'detail', :mark)),
            {_AGENT}""",
        f"{_MANY} JOIN {_PEOPLE} JOIN {_CONNECTIONS}",
    ),
    (
        "scim_requests",
        """id, at, source_id, credential, method, path, kind, resource_id, resource_name, status, scim_type, detail,
            milliseconds, user_agent, payload, effect""",
        f"""{_ID}, {_AT}, :source, 'push ' || :mark, CASE WHEN n % 5 = 0 THEN 'PATCH' ELSE 'GET' END,
            '/Users/' || p.record, 'User', p.record::text, p.user_name, CASE WHEN n % 50 = 0 THEN 409 ELSE 200 END,
            CASE WHEN n % 50 = 0 THEN 'uniqueness' END, CASE WHEN n % 50 = 0 THEN 'taken by ' || :mark END, 3,
            'Okta SCIM Client ' || :mark, CASE WHEN n % 5 = 0 THEN json_build_object('title', :mark) END,
            CAST(CASE WHEN n % 5 = 0 THEN jsonb_build_object('changes', jsonb_build_array(jsonb_build_object('kind',
                'User', 'did', 'updated', 'id', p.record,
                'name', p.user_name, 'attributes', jsonb_build_object('title', jsonb_build_array('A', :mark)))))
                ELSE '{{}}' END AS json)""",
        f"{_MANY} JOIN {_PEOPLE}",
    ),
    (
        "duplicates",
        "id, record_id, account_id, candidates, reason, created_at",
        f"""{_ID}, p.record, p.account, jsonb_build_array(o.account), 'same e-mail ' || :mark, {_AT}""",
        f"{_SOME} JOIN {_PEOPLE} JOIN {_OTHER}",
    ),
    (
        "runs",
        "id, kind, source_id, state, actor, summary, position, total, created_at",
        f"""{_ID}, CASE WHEN n % 3 = 0 THEN 'mapping' ELSE 'import' END,
            CASE WHEN n % 3 > 0 THEN :source END, CASE n % 5 WHEN 0 THEN 'held' WHEN 1 THEN 'planned'
            ELSE 'complete' END, 'administrator ' || :mark, jsonb_build_object('file', :mark || '.csv', 'counts',
            jsonb_build_object('updated', 100)), 100, 100, {_AT}""",
        _SOME,
    ),
    (
        "run_changes",
        "run_id, number, payload, effect, outcome",
        """r.id, n, jsonb_build_object('key', p.user_name, 'account', p.account, 'name', 'Person ' || :mark, 'effect',
            'updated', 'changes', jsonb_build_array(jsonb_build_array('title', 'A', :mark))), 'updated',
            CASE WHEN r.state = 'complete' THEN 'applied' END""",
        f"""{_MANY} JOIN {_PEOPLE}
            JOIN (SELECT * FROM runs WHERE tenant_id = :tenant ORDER BY id DESC LIMIT 3) r ON true""",
    ),
)


def fill(engine: sa.Engine, tenant_id: str, source_id: str, mark: str, *, few: int, many: int, some: int) -> None:
    """`few` of each thing that is set up, `many` of each that comes by the day, `some` duplicates and runs."""
    known: dict[str, Any] = {"tenant": tenant_id, "source": source_id, "mark": mark, "salt": tenant_id}
    known |= {"few": few, "many": many, "some": some}
    with writing(engine) as conn:
        known["people"] = conn.execute(sa.text(_COUNTED), {"tenant": tenant_id, "most": PEOPLE}).scalar_one()
        for table, columns, values, made_from in (*_SETTINGS, *_DAILY):
            text = f"INSERT INTO {table} (tenant_id, {columns}) SELECT :tenant, {values} FROM {made_from}"
            statement = sa.text(_TYPED.sub(lambda found: f"CAST(:{found[1]} AS {_TYPES[found[1]]})", text))
            conn.execute(statement, {name: known[name] for name in statement.compile().params})
