"""What a person sees while signing in: pages without a need for JavaScript, each under a policy of its own.

Nothing of it may be kept by a cache or told to the next site. Browsers apply `form-action` to redirects as well. Forms
of ours go to us alone, so that whoever must leave us after one gets a page that leads on, not a redirect. The page that
posts a message to an identity provider names a scheme, not the provider, which may send people on to a sign-in page, or
to the next platform's sign-out, at an address that nobody tells us. Its one form is ours, and nothing else is there.
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
    return _page("post_form.html", 200, f"{urlsplit(action).scheme}:", "script-src 'self'; ", values)


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
