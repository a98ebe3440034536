"""`rollcall source import` and `rollcall run`: files of people, and the runs that come of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.cli.context import HELD, Context, actor, finish, json_option, table, tenant_option, to_json
from app.cli.context import show as print_result
from app.sources import csv_file
from app.sources.csv_file import FileError
from app.sources.hr import Invalid
from app.store import runs as store
from app.store import tenants
from app.store.engine import reading
from app.store.runs import Run, RunChange
from app.sync import imports
from app.sync.effects import LOSSES
from app.sync.imports import ClosedSourceError, EmptyImportError, NotHeldError, Submission
from app.sync.plans import Line

SHOWN = 50  # lines of a list for people; --json prints all


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tenant_option
@click.option("--source", "source_name", required=True, metavar="NAME", help="The HR system or CRM that says it.")
@click.option("--dry-run", is_flag=True, help="Show what would happen, and save nothing.")
@json_option
@click.pass_obj
def source_import(
    context: Context, file: Path, tenant_name: str, source_name: str, dry_run: bool, as_json: bool
) -> None:
    """Take in a CSV file: the whole present state of the people in it. Ends with 3 when a guard holds it."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant = tenants.find(conn, tenant_name)
            source = tenants.find_source(conn, tenant.id, source_name)
        try:
            records = csv_file.read(file)
            done = imports.submit(engine, tenant.id, source, records, actor=actor(), dry_run=dry_run, wait=True)
        except (FileError, Invalid, EmptyImportError, ClosedSourceError) as error:
            raise click.ClickException(str(error)) from error
    print_result(_data(done), "\n".join(_told(done, tenant_name)), as_json=as_json)
    if done.state == "held":
        finish(HELD)


@click.group("run")
def run_group() -> None:
    """Runs: imports, and roles derived after a mapping or a large group changed."""


@run_group.command("list")
@tenant_option
@click.option("--state", help="Only runs in this state: held, queued, running, complete, rejected, expired.")
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, state: str | None, as_json: bool) -> None:
    """Show the newest runs."""
    with context.database() as engine, reading(engine) as conn:
        found = store.listing(conn, tenants.find(conn, tenant_name).id, state=state)
    rows = [(one.id, one.kind, one.state, f"{one.position}/{one.total}", one.actor, _time(one)) for one in found]
    print_result(found, table(rows, ["id", "kind", "state", "done", "by", "since"]), as_json=as_json)


@run_group.command("show")
@click.argument("run_id")
@tenant_option
@json_option
@click.pass_obj
def show(context: Context, run_id: str, tenant_name: str, as_json: bool) -> None:
    """Show one run: the list that is held, or what was not applied."""
    with context.database() as engine, reading(engine) as conn:
        run = store.find(conn, tenants.find(conn, tenant_name).id, run_id)
        changes = store.due(conn, run, 0, max(run.total, 1))
    data = {
        "run": run,
        "changes": [
            {**{key: value for key, value in one.payload.items() if key != "record"}, "outcome": one.outcome}
            for one in changes
        ],
    }
    text = [f"{run.kind} {run.id}: {run.state}, {run.position} of {run.total} done", *_summary(run)]
    if changes:
        text += ["", table([_change(one) for one in changes[:SHOWN]], ["who", "effect", "changes", "outcome"])]
        text += _more(len(changes))
    print_result(data, "\n".join(text), as_json=as_json)


@run_group.command()
@click.argument("run_id")
@click.option("--reason", default="", help="Why; kept with the run and in the audit.")
@tenant_option
@json_option
@click.pass_obj
def allow(context: Context, run_id: str, reason: str, tenant_name: str, as_json: bool) -> None:
    """Let a held run go, once. Lines whose cause is gone are dropped and listed."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        try:
            done = imports.allow(engine, tenant_id, run_id, actor(), reason=reason, wait=True)
        except NotHeldError as error:
            raise click.ClickException(str(error)) from error
    text = [f"Run {run_id} is allowed and {done.state}.", *_left_out(done)]
    print_result(_data(done), "\n".join(text), as_json=as_json)


@run_group.command()
@click.argument("run_id")
@click.option("--reason", default="", help="Why; kept with the run and in the audit.")
@tenant_option
@json_option
@click.pass_obj
def reject(context: Context, run_id: str, reason: str, tenant_name: str, as_json: bool) -> None:
    """Throw a held run away."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        try:
            imports.reject(engine, tenant_id, run_id, actor(), reason=reason)
        except NotHeldError as error:
            raise click.ClickException(str(error)) from error
    print_result({"run": run_id, "state": "rejected"}, f"Run {run_id} is rejected.", as_json=as_json)


def _data(done: Submission) -> dict[str, Any]:
    data: dict[str, Any] = {"run": done.run_id, "state": done.state, "notApplied": list(done.not_applied)}
    if done.plan is not None:
        plan = done.plan
        data |= {
            "counts": plan.counts,
            "losses": plan.losses,
            "verdict": {"held": plan.verdict.held, "reason": plan.verdict.reason},
            "drift": done.drift,
            "lines": [
                {
                    "key": line.key,
                    "account": line.account_id,
                    "name": line.name,
                    "effect": line.effect,
                    "changes": [[change.attribute, change.before, change.after] for change in line.changes],
                }
                for line in plan.to_apply
            ],
        }
    return data


def _told(done: Submission, tenant_name: str) -> Iterator[str]:
    assert done.plan is not None
    lines = sorted(done.plan.to_apply, key=lambda line: line.effect not in LOSSES)
    if done.state in ("held", "planned") and lines:
        yield table([_line(line) for line in lines[:SHOWN]], ["who", "effect", "changes"])
        yield from _more(len(lines))
        yield ""
    yield ", ".join(f"{number} {name}" for name, number in done.plan.counts.items() if number)
    yield f"Guard: {done.plan.verdict.reason}"
    for path, times in (done.drift or {}).items():
        yield f"Not understood: {path} ({times} times)"
    if done.state == "held":
        yield f"Held as run {done.run_id}. To let it go: rollcall run allow {done.run_id} --tenant {tenant_name}"
    else:
        yield "Nothing was saved." if done.state == "planned" else f"Run {done.run_id} is {done.state}."
    yield from _left_out(done)


def _left_out(done: Submission) -> list[str]:
    return [f"Not applied: {one['name'] or one['key']}: {one['outcome']}" for one in done.not_applied]


def _line(line: Line) -> tuple[str, str, str]:
    return line.name, line.effect, _spelled([(one.attribute, one.before, one.after) for one in line.changes])


def _change(change: RunChange) -> tuple[str, str, str, str]:
    payload = change.payload
    who = payload.get("name") or payload.get("account") or payload.get("key") or ""
    return who, payload.get("effect", "derived again"), _spelled(payload.get("changes", [])), change.outcome or ""


def _spelled(changes: Sequence[Sequence[Any]]) -> str:
    return "; ".join(f"{name}: {_value(before)} → {_value(after)}" for name, before, after in changes[:6])


def _value(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else to_json(value)


def _summary(run: Run) -> list[str]:
    said = {name: value for name, value in run.summary.items() if value not in (None, "", {})}
    until = [f"until: {run.expires_at:%Y-%m-%d %H:%M} UTC"] if run.expires_at and run.state == "held" else []
    return [*(f"{name}: {_value(value)}" for name, value in said.items()), *until]


def _more(total: int) -> list[str]:
    return [f"… and {total - SHOWN} more (--json prints all)"] if total > SHOWN else []


def _time(run: Run) -> str:
    seconds = int((datetime.now(UTC) - run.created_at).total_seconds())
    return f"{run.created_at:%Y-%m-%d %H:%M}" if seconds >= 3600 else f"{seconds // 60} min ago"
