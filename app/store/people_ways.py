"""The ways to somebody from a text: each a range or a key of one index, with a limit. `people_search` lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.identity.folding import fold
from app.identity.model import Rules
from app.store.driver import Statement, planned_by_values
from app.store.engine import dumps

_ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"
_LISTS: Final = ("emails", "phonenumbers", "addresses", "ims", "photos", "entitlements", "roles")
_OF_ENTERPRISE: Final = ("employeenumber", "costcenter", "organization", "division", "department")
_WINDOW: Final = 500  # of a family name's beginning, in which a given name is looked for
_PAIRS: Final = 3  # places at which words are parted into given and family name
_SHOWN_WITH_VALUE: Final = ("employee number", "id at the source")
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """(account id, what matched), the surest first, each account once. `more`: a way had more than its limit."""

    people: list[tuple[str, str]]
    more: bool


def found(conn: sa.Connection, tenant_id: str, text: str, rules: Rules, most: int) -> Found:
    """Who is known by this text: at most `most` by each way."""
    if (id := _uuid(text)) is not None:
        rows = _BY_ID.rows(conn, {"tenant": tenant_id, "id": id, "key": text, "sources": sorted(rules.sources)})
        return _merged(rows, most)
    if "\0" in text:
        return Found([], False)
    attribute, _, value = text.partition("=")
    if value.strip() and attribute.strip():
        said = _contained(conn, tenant_id, _said(attribute.strip(), value.strip()), most)
        if said:  # an id may have such a sign in it, too
            return _merged(said, most)
    folded = " ".join(fold(text).replace(",", " ").split())
    rows = _WAYS.rows(conn, _values(tenant_id, text, folded, rules, most))
    if pairs := list(_pairs(folded)):
        values = {"tenant": tenant_id, "most": most, "window": _WINDOW}
        rows += _PAIRED.rows(conn, {**values, "first": [one for one, _ in pairs], "second": [two for _, two in pairs]})
    return _merged([*rows, *_contained(conn, tenant_id, _shared(text), most)], most)


def _values(tenant_id: str, text: str, folded: str, rules: Rules, most: int) -> dict[str, Any]:
    numberings = {one.employee_namespace for one in rules.sources.values()} - {None}
    return {
        "tenant": tenant_id,
        "key": text,
        "value": fold(text),
        "low": folded,
        "high": folded + _LAST,
        "until": fold(text) + _LAST,
        "sources": sorted(rules.sources),
        "numberings": [f"employee:{one}" for one in sorted(str(one) for one in numberings)],
        "most": most,
    }


def _merged(rows: list[Any], most: int) -> Found:
    """The first of each account. A way that filled its limit may have had more."""
    people: dict[str, str] = {}
    ways: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: (row.rank, row.value, row.id)):
        people.setdefault(row.id, _matched(row.way, row.value))
        ways[row.way] = ways.get(row.way, 0) + 1
    return Found(list(people.items()), any(count >= most for count in ways.values()))


def _matched(way: str, value: str) -> str:
    return f"{way} {value}" if way in _SHOWN_WITH_VALUE else way


def _pairs(folded: str) -> Iterator[tuple[str, str]]:
    """(given, family) and the other way round."""
    words = folded.split(" ")
    for place in range(1, min(len(words), _PAIRS + 1)):
        first, second = " ".join(words[:place]), " ".join(words[place:])
        yield first, second
        yield second, first


def _contained(conn: sa.Connection, tenant_id: str, said: Mapping[str, list[dict[str, Any]]], most: int) -> list[Any]:
    rows: list[Any] = []
    for way, documents in said.items():
        for document in documents:
            values = {"tenant": tenant_id, "document": dumps({"$t": tenant_id, **document}), "way": way, "most": most}
            rows += planned_by_values(conn, _CONTAINED, values | {"value": way.partition("=")[2] or way})
    return rows


def _shared(text: str) -> dict[str, list[dict[str, Any]]]:
    """What is nobody's name but can be anybody's: a label of the client's, a number to call, an unproven address."""
    folded = text.casefold()
    return {
        f"externalId {text}": [{"externalid": text}],
        "phone": [{"phonenumbers": [{"value": folded}]}],
        "e-mail": [{"emails": [{"value": folded}]}],
    }


def _said(attribute: str, value: str) -> dict[str, list[dict[str, Any]]]:
    """`title=Trainer`, `emails.value=…`, `department=…`, `urn:…:User:department=…`: as a search document holds them."""
    folded = attribute.casefold()
    urn, _, short = folded.rpartition(":")
    head, _, sub = short.partition(".")
    values: list[Any] = [value.casefold()]
    values += [value] if value != value.casefold() else []
    values += {"true": [True], "false": [False]}.get(value.casefold(), [])
    inner = [{head: [{sub or "value": one}] if head in _LISTS else {sub: one} if sub else one} for one in values]
    if not urn and head in _OF_ENTERPRISE:
        urn = _ENTERPRISE
    return {f"{attribute}={value}": [{urn: one} for one in inner] if urn else inner}


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) >= 32 else None
    except ValueError:
        return None


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_MOST: Final = "LIMIT CAST(%(most)s AS int)"
_KNOWN_BY: Final = "CAST(%(value)s AS text)"


def _beginning(column: str, low: str = "low", high: str = "high") -> str:
    return f"{column} >= CAST(%({low})s AS text) AND {column} < CAST(%({high})s AS text)"


def _named(status: str) -> str:
    return f"""(SELECT id, 'name' AS way, name AS value,
            CASE WHEN name = CAST(%(low)s AS text) THEN 2 ELSE 3 END AS rank
        FROM accounts WHERE {_HERE} AND status = '{status}' AND {_beginning("name")} ORDER BY name, id {_MOST})"""


def _addressed(affiliation: str) -> str:
    return f"""(SELECT unnest(holders), 'e-mail', value, CASE WHEN value = {_KNOWN_BY} THEN 1 ELSE 5 END
        FROM identifiers WHERE {_HERE} AND namespace = 'email' AND affiliation = '{affiliation}'
            AND {_beginning("value", "value", "until")} ORDER BY value {_MOST})"""


_BY_ID: Final = Statement(f"""
    SELECT id, 'account' AS way, '' AS value, 0 AS rank FROM accounts WHERE {_HERE} AND id = CAST(%(id)s AS uuid)
    UNION ALL
    SELECT account_id, 'an account that was merged into this one', '', 0 FROM aliases
    WHERE {_HERE} AND id = CAST(%(id)s AS uuid)
    UNION ALL
    SELECT account_id, 'record', '', 0 FROM records
    WHERE {_HERE} AND id = CAST(%(id)s AS uuid) AND account_id IS NOT NULL
    UNION ALL
    SELECT r.account_id, 'id at the source', CAST(%(key)s AS text), 1
    FROM unnest(CAST(%(sources)s AS uuid[])) AS k(source) CROSS JOIN LATERAL (
        SELECT account_id FROM records WHERE {_HERE} AND source_id = k.source AND source_key = CAST(%(key)s AS text)
            AND account_id IS NOT NULL OFFSET 0) r
""")
_WAYS: Final = Statement(f"""
    {_named("active")} UNION ALL {_named("inactive")}
    UNION ALL
    (SELECT id, 'family name', family_name, CASE WHEN family_name = CAST(%(low)s AS text) THEN 2 ELSE 4 END
        FROM accounts WHERE {_HERE} AND {_beginning("family_name")} ORDER BY family_name, name, id {_MOST})
    UNION ALL {_addressed("employee")} UNION ALL {_addressed("customer")}
    UNION ALL
    SELECT i.id, 'employee number', {_KNOWN_BY}, 1 FROM unnest(CAST(%(numberings)s AS text[])) AS k(namespace)
    CROSS JOIN unnest(ARRAY['employee', 'customer']) AS f(affiliation) CROSS JOIN LATERAL (
        SELECT unnest(holders) AS id FROM identifiers WHERE {_HERE} AND namespace = k.namespace COLLATE "C"
            AND affiliation = f.affiliation AND value = {_KNOWN_BY} OFFSET 0) i
    UNION ALL
    SELECT r.account_id, 'userName', r.user_name, CASE WHEN r.user_name = {_KNOWN_BY} THEN 1 ELSE 6 END
    FROM unnest(CAST(%(sources)s AS uuid[])) AS k(source) CROSS JOIN LATERAL (
        SELECT account_id, user_name FROM records WHERE {_HERE} AND source_id = k.source AND deleted_at IS NULL
            AND {_beginning("user_name", "value", "until")} ORDER BY user_name {_MOST}) r
    WHERE r.account_id IS NOT NULL
    UNION ALL
    SELECT r.account_id, 'id at the source', CAST(%(key)s AS text), 1
    FROM unnest(CAST(%(sources)s AS uuid[])) AS k(source) CROSS JOIN LATERAL (
        SELECT account_id FROM records WHERE {_HERE} AND source_id = k.source AND source_key = CAST(%(key)s AS text)
            AND account_id IS NOT NULL OFFSET 0) r
""")
# A family name that is said in full is met wherever it stands; of one that is only begun, the first few are looked at.
_PAIRED: Final = Statement(f"""
    SELECT a.id, 'name' AS way, a.name AS value, 2 AS rank
    FROM unnest(CAST(%(first)s AS text[]), CAST(%(second)s AS text[])) AS k(given, family) CROSS JOIN LATERAL (
        SELECT id, name FROM accounts WHERE {_HERE} AND family_name = k.family COLLATE "C"
            AND name >= k.given COLLATE "C" AND name < (k.given || '{_LAST}') COLLATE "C"
        ORDER BY name, id {_MOST}) a
    UNION ALL
    SELECT a.id, 'name', a.name, 3
    FROM unnest(CAST(%(first)s AS text[]), CAST(%(second)s AS text[])) AS k(given, family) CROSS JOIN LATERAL (
        SELECT id, name FROM (
            SELECT id, name, attributes ->> 'givenName' AS given_name FROM accounts
            WHERE {_HERE} AND family_name >= k.family COLLATE "C"
                AND family_name < (k.family || '{_LAST}') COLLATE "C"
            ORDER BY family_name, name, id LIMIT CAST(%(window)s AS int)) begun
        WHERE starts_with(name, k.given) OR starts_with(lower(given_name), k.given) {_MOST}) a
""")
_CONTAINED: Final = f"""
    SELECT account_id AS id, %(way)s AS way, %(value)s AS value, 1 AS rank FROM records
    WHERE {_HERE} AND search @> CAST(%(document)s AS jsonb) AND account_id IS NOT NULL LIMIT %(most)s
"""
