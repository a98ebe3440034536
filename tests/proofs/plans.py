"""What PostgreSQL does for a statement: each one that the service sends is caught at the driver, run and measured.

    with caught() as sent: …the door is used…    ──▶    works(conn, sent[0]) ──▶ Work under each mode it may run in

A statement with its values in its text (a search) is planned for them. One with parameters is prepared: the engine asks
for generic plans, and custom ones must do no worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

import psycopg
import sqlalchemy as sa

from app.store import driver

MODES: Final = ("force_generic_plan", "force_custom_plan")
LARGE: Final = (
    *("records", "accounts", "groups", "members", "identifiers"),
    *("sessions", "authorizations", "codes", "tokens"),
)
_NAMED = re.compile(r"%\((\w+)\)s")
_EXPLAINED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Sent:
    """A statement as it went to the server. `values`: its parameters, or None when they stand in its text."""

    text: str
    values: Sequence[Any] | None = None

    @property
    def large(self) -> bool:
        """Whether it touches a table that grows with the tenants."""
        return bool(_EXPLAINED.match(self.text)) and any(re.search(rf"\b{name}\b", self.text) for name in LARGE)


@dataclass(frozen=True)
class Work:
    """`rows`: all that scans looked at, kept or not. `pages`: those touched. `scanned`: tables read to the end."""

    mode: str
    rows: int
    pages: int
    milliseconds: float
    scanned: frozenset[str]
    plan: str


@contextmanager
def caught() -> Iterator[list[Sent]]:
    """Every statement that is sent meanwhile: prepared, or by whichever of psycopg's cursors."""
    sent: list[Sent] = []
    real, real_run = psycopg.Cursor.execute, driver.run

    def execute(cursor: Any, query: Any, params: Any = None, **more: Any) -> Any:
        sent.append(_sent(cursor, query, params))
        return real(cursor, query, params, **more)

    def run(link: Any, statement: driver.Statement, values: Sequence[Any]) -> Any:
        sent.append(Sent(statement.sql.decode(), values))
        return real_run(link, statement, values)

    with patch.object(psycopg.Cursor, "execute", execute), patch.object(driver, "run", run):
        yield sent


def _sent(cursor: Any, query: Any, params: Any) -> Sent:
    text = query.decode() if isinstance(query, bytes) else str(query)
    if isinstance(cursor, psycopg.ClientCursor):
        return Sent(cursor.mogrify(text, params))
    if not isinstance(params, dict):
        return Sent(text, list(params or ()))
    names = list(dict.fromkeys(_NAMED.findall(text)))
    numbered = _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
    return Sent(numbered, [params[name] for name in names])


def connection(engine: sa.Engine) -> psycopg.Connection:
    """One of its own: what is prepared and dropped here is no business of the service's connections."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


def works(conn: psycopg.Connection, sent: Sent) -> Iterator[Work]:
    """Plan it in each way it may be planned and run it, in transactions that leave nothing behind."""
    with psycopg.ClientCursor(conn) as cursor:
        cursor.execute("SET random_page_cost = 1.1")  # as `make_engine` has it
        if sent.values is None:
            yield _work(_explained(cursor, sent.text), "values in the text")
            return
        quoted = ", ".join(cursor.mogrify("%s", [value]) for value in sent.values)
        for mode in MODES:
            cursor.execute(f"SET plan_cache_mode = {mode}")
            cursor.execute(f"PREPARE wanted AS {sent.text}")
            try:
                yield _work(_explained(cursor, f"EXECUTE wanted ({quoted})" if quoted else "EXECUTE wanted"), mode)
            finally:
                cursor.execute("DEALLOCATE ALL")  # a ROLLBACK makes psycopg do the same


def _explained(cursor: Any, text: str) -> dict[str, Any]:
    cursor.execute("BEGIN")
    try:
        row = cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}").fetchone()
    finally:
        cursor.execute("ROLLBACK")
    found: dict[str, Any] = row[0][0]
    return found


def _work(top: dict[str, Any], mode: str) -> Work:
    nodes = list(_nodes(top["Plan"]))
    return Work(
        mode=mode,
        rows=sum(_looked_at(node) for node in nodes),
        pages=top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"],
        milliseconds=top["Execution Time"],
        scanned=frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan") & set(LARGE),
        plan="\n".join(_line(node) for node in nodes),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _looked_at(node: dict[str, Any]) -> int:
    if "Scan" not in node["Node Type"]:
        return 0
    each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int(each * node["Actual Loops"])


def _line(node: dict[str, Any]) -> str:
    where = node.get("Index Name") or node.get("Relation Name") or ""
    condition = node.get("Index Cond") or node.get("Recheck Cond") or ""
    return f"{node['Node Type']} {where} rows {node['Actual Rows']} x {node['Actual Loops']} {condition[:160]}"
