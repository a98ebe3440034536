"""Previews at the command line: shown, asked about, saved with their hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from app.cli.context import FAILED, finish, show
from app.identity.writes import BusyError
from app.sync.mapping_changes import MappingError
from app.sync.mapping_work import Holding, Preview
from app.sync.mappings import PreviewChangedError, Saved

SHOWN = 50

yes_option = click.option("--yes", is_flag=True, help="Save without asking.")
expect_option = click.option("--expect", "expected", metavar="HASH", help="Save only if the preview has this hash.")


def shown_or_refused(preview: Callable[[], Preview]) -> Preview:
    """The preview; what cannot be ends the command with its sentence."""
    try:
        return preview()
    except MappingError as error:
        raise click.ClickException(str(error)) from error


def saved_or_refused(save: Callable[[], Saved], as_json: bool) -> None:
    """Save, and print what was saved, or the list as it is now."""
    try:
        saved = save()
    except PreviewChangedError as error:
        data = {"error": str(error), "preview": error.preview.as_dict()}
        show(data, f"{error}\n{told(error.preview)}", as_json=as_json)
        finish(FAILED)
        return
    except (MappingError, BusyError) as error:
        raise click.ClickException(str(error)) from error
    facts = {"revision": saved.revision, "run_id": saved.run_id, "state": saved.state}
    text = f"{told(saved.preview)}\nSaved as revision {saved.revision}; roles are {saved.state}."
    show({"preview": saved.preview.as_dict(), **facts}, text, as_json=as_json)


def told(shown: Preview) -> str:
    """The preview for people: counts, and the first names of each list."""
    parts = [_people("gain", shown.gains), _people("lose", shown.losses), _people("keep", shown.kept)]
    if shown.removes_last_administrator:
        parts.append("Nobody would administer the tenant any more: this cannot be saved.")
    parts.append(f"{shown.accounts} people are concerned. Hash of this preview: {shown.hash}")
    return "\n".join(parts)


def _people(verb: str, holdings: Sequence[Holding]) -> str:
    lines = [f"{len(holdings)} {verb} a role" + (":" if holdings else ".")]
    lines += [f"  {one.name}: {one.role} ({one.scope})" for one in holdings[:SHOWN]]
    if len(holdings) > SHOWN:
        lines.append(f"  … and {len(holdings) - SHOWN} more (--json prints all)")
    return "\n".join(lines)
