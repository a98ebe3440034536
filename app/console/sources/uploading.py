"""A file of people: read, planned, shown. What is wrong with it is said line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Response, request

from app.console.desk import Desk
from app.console.rendering import back, page
from app.console.sources import one
from app.console.sources.acts import row
from app.console.visit import Visit
from app.sources.csv_file import MOST_ERRORS, FileError
from app.sources.hr import Invalid
from app.store.source_reads import SourceSeen
from app.sync import imports, upload_files, uploads

EXAMPLE: Final = """id,employeeNumber,status,email,givenName,familyName,title,managers
p-1,1001,active,mia@example.com,Mia,Keller,Trainer,1003
p-2,1002,terminated,leo@example.com,Leo,Baum,Trainer,1003"""


def form(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Where a file is chosen."""
    return _form(one.found(desk, visit, source_id), [])


def upload(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Keep the file and plan it; the plan is shown next."""
    source = one.found(desk, visit, source_id)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _form(source, ["Choose a file first."], 422)
    if not source.takes_files:
        return _form(source, ["Only HR systems and CRMs take files."], 422)
    content = sent.stream.read(upload_files.MOST_BYTES + 1)
    try:
        stored = row(desk, visit, source_id)
        name, actor = sent.filename, visit.actor
        run = uploads.upload(desk.engine, visit.tenant_id, stored, content, name=name, actor=actor)
    except FileError as error:
        return _form(source, error.errors, 422)
    except Invalid as error:
        return _form(source, [_sentence(one.index, one.id, one.field, one.message) for one in error.errors], 422)
    except imports.ClosedSourceError as error:
        return _form(source, [str(error)], 422)
    return back(f"/admin/runs/{run}")


def _sentence(index: int, id: str | None, path: str, message: str) -> str:
    who = f"record {index + 1}" + (f" ({id})" if id else "")
    return f"{who}: {path + ': ' if path else ''}{message}"


def _form(source: SourceSeen, errors: Sequence[str], status: int = 200) -> Response:
    return page(
        "sources/upload.html",
        status,
        source=source,
        wrong=errors[:MOST_ERRORS],
        more=max(0, len(errors) - MOST_ERRORS),
        example=EXAMPLE,
        megabytes=upload_files.MOST_BYTES // 1024 // 1024,
        most=upload_files.MOST_RECORDS,
        field_table=one.FIELDS,
    )
