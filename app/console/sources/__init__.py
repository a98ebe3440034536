"""Sources: the systems that speak about people, whose word counts, what their codes mean, and their files.

    /admin/sources                     all of them; make one
    /admin/sources/<id>                one: pause, retire, domains, how to push, drift, runs
    /admin/sources/<id>/values         its value map, as CSV too
    /admin/sources/<id>/upload         a file of people: planned first
    /admin/sources/ownership           attribute × sources; /<attribute> edits one, shown first

What changes people ends in a plan at /admin/runs/<id> (`app.console.runs`).
"""

from __future__ import annotations

from typing import Final

from app.console.routing import Route, Section
from app.console.sources import acts, listing, one, ownership, uploading, values

SECTION: Final = Section("sources", "Sources", "database", "/admin/sources", 60)
ROUTES: Final = (
    Route("GET", "/admin/sources", listing.shown),
    Route("GET", "/admin/sources/new", listing.new, "admin"),
    Route("POST", "/admin/sources/new", listing.create, "admin"),
    Route("GET", "/admin/sources/ownership", ownership.table),
    Route("GET", "/admin/sources/ownership/type", ownership.of_type),
    Route("GET", "/admin/sources/ownership/<attribute>", ownership.edit),
    Route("POST", "/admin/sources/ownership/<attribute>", ownership.propose, "admin"),
    Route("GET", "/admin/sources/<source_id>", one.shown),
    Route("POST", "/admin/sources/<source_id>/pause", acts.pause, "admin"),
    Route("POST", "/admin/sources/<source_id>/resume", acts.resume, "admin"),
    Route("POST", "/admin/sources/<source_id>/retire", acts.retire, "admin"),
    Route("POST", "/admin/sources/<source_id>/domains", acts.assign, "admin", origins=True),
    Route("POST", "/admin/sources/<source_id>/domains/free", acts.free, "admin"),
    Route("GET", "/admin/sources/<source_id>/values", values.shown),
    Route("GET", "/admin/sources/<source_id>/values.csv", values.as_csv),
    Route("POST", "/admin/sources/<source_id>/values", values.propose, "admin"),
    Route("POST", "/admin/sources/<source_id>/values/file", values.propose_file, "admin"),
    Route("GET", "/admin/sources/<source_id>/upload", uploading.form, "admin"),
    Route("POST", "/admin/sources/<source_id>/upload", uploading.upload, "admin"),
)
