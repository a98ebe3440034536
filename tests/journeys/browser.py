"""A browser for tests: keeps cookies by host and path, follows redirects, reads forms and sends them as a person would.

Without scripts: a form that a page would send by itself is sent by `settle`. SameSite is not looked at; ports do not
divide cookies, as in real browsers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

SECONDS: Final = 30
HOPS: Final = 20
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Form:
    """A form as the page has it. `fields` holds what would be sent; `typed` the names that a person may fill in."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown at last. `url` is its address; `passed` the addresses of the redirects before it, oldest first."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str
    forms: tuple[Form, ...]
    links: tuple[str, ...]
    passed: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def form(self, *names: str) -> Form:
        """The first form that has all these fields.

        Raises:
            AssertionError: no form has them.
        """
        for each in self.forms:
            if set(names) <= each.fields.keys():
                return each
        raise AssertionError(f"no form with {names} at {self.url} ({self.status}):\n{self.text[:2000]}")

    def link(self, part: str) -> str:
        """The first link whose address holds `part`.

        Raises:
            AssertionError: there is none.
        """
        for each in self.links:
            if part in each:
                return each
        raise AssertionError(f"no link with {part!r} at {self.url} ({self.status}):\n{self.text[:2000]}")


class Browser:
    """One person's browser. `stop` is the beginning of addresses that are not visited: the page before is returned."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_error: object) -> None:
        self.session.close()

    def get(self, url: str, *, stop: str | None = None, **headers: str) -> Page:
        """Opens an address and follows where it leads."""
        return self._visit("GET", url, None, stop, headers)

    def post(self, url: str, fields: Mapping[str, str], *, stop: str | None = None, **headers: str) -> Page:
        """Sends a form to an address."""
        return self._visit("POST", url, fields, stop, headers)

    def submit(self, page: Page, form: Form, *, stop: str | None = None, **typed: str) -> Page:
        """Fills in and sends a form of the page."""
        fields = {**form.fields, **typed}
        if form.method == "post":
            return self._visit("POST", form.action, fields, stop, {"Origin": _origin(page.url), "Referer": page.url})
        asked = requests.Request("GET", form.action, params=fields).prepare().url
        assert asked is not None
        return self._visit("GET", asked, None, stop, {})

    def settle(self, page: Page, *, stop: str | None = None) -> Page:
        """Sends the forms that want no more than a click, as the script of such a page would, until none is left."""
        for _ in range(HOPS):
            auto = [form for form in page.forms if not form.typed and _message(form)]
            if not auto or (stop is not None and auto[0].action.startswith(stop)):
                return page
            page = self.submit(page, auto[0], stop=stop)
        raise AssertionError(f"no end of forms at {page.url}")

    def cookies(self) -> dict[str, str]:
        """The cookies that it holds, by name."""
        return {cookie.name: cookie.value or "" for cookie in self.session.cookies}

    def _visit(
        self, method: str, url: str, fields: Mapping[str, str] | None, stop: str | None, headers: Mapping[str, str]
    ) -> Page:
        passed: list[str] = []
        for _ in range(HOPS):
            answer = self.session.request(
                method, url, data=fields, headers=dict(headers), allow_redirects=False, timeout=SECONDS
            )
            leads = answer.headers.get("Location") if answer.status_code in REDIRECTS else _refresh(answer)
            if leads is None:
                return _page(answer, url, passed)
            passed.append(url)
            url = urljoin(url, leads)
            if stop is not None and url.startswith(stop):
                passed.append(url)
                return _page(answer, url, passed)
            if answer.status_code not in (307, 308):
                method, fields, headers = "GET", None, {}
        raise AssertionError("no end of redirects: " + " → ".join(passed))


def _refresh(answer: requests.Response) -> str | None:
    """Where a page leads on by itself."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', answer.text)
    return unescape(found[1]) if found else None


def _page(answer: requests.Response, url: str, passed: list[str]) -> Page:
    reader = _Reader(url)
    if "html" in answer.headers.get("Content-Type", ""):
        reader.feed(answer.text)
    return Page(
        url,
        answer.status_code,
        answer.headers,
        answer.text,
        tuple(reader.forms),
        tuple(reader.links),
        tuple(passed),
        answer.elapsed.total_seconds(),
    )


def _message(form: Form) -> bool:
    return bool({"SAMLRequest", "SAMLResponse", "code", "logout_token"} & form.fields.keys())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class _Reader(HTMLParser):
    """Reads forms and links. A button with a name is sent when it is the form's first."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._open: Form | None = None
        self._pressed = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            self._open = Form(urljoin(self.url, given.get("action", "")), given.get("method", "get").lower())
            self.forms.append(self._open)
            self._pressed = False
        elif self._open is not None and "name" in given:
            self._field(self._open, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _field(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "submit" if tag == "button" else "text")
        if tag not in ("input", "button", "textarea", "select"):
            return
        if kind == "submit":
            if not self._pressed:
                form.fields[given["name"]] = given.get("value", "")
            self._pressed = True
        elif kind not in ("checkbox", "radio") or "checked" in given:
            form.fields[given["name"]] = given.get("value", "")
            if kind not in ("hidden", "checkbox", "radio"):
                form.typed.append(given["name"])
