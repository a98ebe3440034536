"""For any WSGI server: `wsgi:application`. DATABASE_URL must be set; `rollcall serve` does that, and migrates first."""

from __future__ import annotations

from app.factory import create_app

application = create_app()
