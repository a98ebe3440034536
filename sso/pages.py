"""What a person sees while signing in: pages without a need for JavaScript, each under a policy of its own.

Nothing of it may be kept by a cache or told to the next site. Forms go to us alone, or to the one identity provider
that takes its messages by POST: browsers apply `form-action` to redirects as well, so that whoever must leave us after
a form gets a page that leads on, not a redirect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, redirect, render_template

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; {script}base-uri 'none'; form-action {forms}; "
    "frame-ancestors 'none'"
)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of ours, whose forms go to us."""
    return _page(template, status, "'self'", "", values)


def leading_to(href: str, sentence: str) -> Response:
    """A page that goes on to `href` by itself: for after a form."""
    return page("continue.html", href=href, sentence=sentence)


def posting_to(action: str, fields: Mapping[str, str] | Sequence[tuple[str, str]], sentence: str) -> Response:
    """A page with a form to an identity provider, which a script of ours sends, or a person."""
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    values = {"form_action": action, "fields": pairs, "sentence": sentence}
    return _page("post_form.html", 200, _origin(action), "script-src 'self'; ", values)


def onward(href: str) -> Response:
    """A redirect: 303, so that a form's content is never sent again."""
    answer = redirect(href, 303, Response)
    assert isinstance(answer, Response)
    answer.headers.update(PRIVATE)
    return answer


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer to a machine."""
    return Response(b"", status, headers={**PRIVATE, **(headers or {})}, mimetype="text/plain")


def _page(template: str, status: int, forms: str, script: str, values: Mapping[str, Any]) -> Response:
    answer = Response(render_template(f"sign_in/{template}", **values), status, mimetype="text/html")
    answer.headers.update(PRIVATE)
    answer.headers["Content-Security-Policy"] = _POLICY.format(script=script, forms=forms)
    return answer


def _origin(url: str) -> str:
    """Scheme, host and port: all that a policy can hold without being mistaken (CSP 3 §2.3.1)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
