"""Runs and plans: what is being worked out, waits for a yes, is carried out, or was.

/admin/runs                       all of them, the newest first
/admin/runs/<id>                  its numbers, its verdict, its lines; what may be done with it now
/admin/runs/<id>/lines.csv        the lines as a file
POST …/apply …/save …/allow …/reject
"""

from __future__ import annotations

from typing import Final

from app.console.routing import Route
from app.console.runs import acts, pages

ROUTES: Final = (
    Route("GET", "/admin/runs", pages.listing),
    Route("GET", "/admin/runs/<run_id>", pages.one),
    Route("GET", "/admin/runs/<run_id>/lines.csv", pages.lines_csv),
    Route("POST", "/admin/runs/<run_id>/apply", acts.apply, "admin", origins=True),
    Route("POST", "/admin/runs/<run_id>/save", acts.save, "admin", origins=True),
    Route("POST", "/admin/runs/<run_id>/allow", acts.allow, "admin", origins=True),
    Route("POST", "/admin/runs/<run_id>/reject", acts.reject, "admin"),
)
