"""Plays a transcript: what an identity provider sent, step by step, and what must come of it.

    setup: the cast is made with plain requests ──▶ steps: request ──▶ expect: the answer, then a look at what is kept

A transcript is a JSON file:

    name, idp, source (the public page that describes the shape), why (optional)
    declared (optional) true: the tenant declared the schemas of tests/scim/declared.py
    setup   names of `cast.json`; ``{"crew": ["ada"]}`` makes the group with these members
    steps   [{request: {method, path, query?, headers?, body?}, expect: {…}}]

Placeholders: ``{{ada}}`` an id, ``{{ada.userName}}`` what the cast's document says (``{{ada.userName|upper}}``),
``{{fresh}}`` a random text, the same all through one transcript, ``{{x}}`` an id that an earlier step saved as `x`.

Of `expect`: `status` (one or several), `body` {path: value} of the answer, `headers` {name: value}, `save`
{name: path of the answer}, `total` / `total_max` of a list; then by GET: `read` {resource: {path: value}}, `members`
{group: exactly these}, `gone` [resources]; `accepted` and `refused` hold more of the same where the outcome is
left open. Paths: ``emails[work].value`` the element of that type, ``roles[0]`` by place, ``roles#`` their number,
``enterprise:department`` inside the extension; null means absent or empty. A 5xx always fails.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from werkzeug.test import Client, TestResponse

from tests.scim.declared import COHORT, LEARNER

HERE = Path(__file__).parent
CAST: dict[str, dict[str, Any]] = json.loads((HERE / "cast.json").read_text())
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
EXTENSIONS = {
    "enterprise": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "lms": "urn:rollcall:params:scim:schemas:lms:2.0:User",
    "learner": LEARNER,
    "cohort": COHORT,
}
EFFECTS = ("body", "read", "members", "gone", "total", "total_max")
_PLACEHOLDER = re.compile(r"\{\{([\w.]+)(\|upper)?\}\}")
_SEGMENT = re.compile(r"([^\[\]#]+)(?:\[([^\]]+)\])?(#)?")


def transcripts() -> list[Path]:
    """Every transcript's file."""
    return sorted(HERE.glob("*/*.json"))


def play(transcript: dict[str, Any], client: Client, base: str, headers: dict[str, str]) -> None:
    """Play one transcript against the SCIM service at `base`; `AssertionError` names the step that failed."""
    stage = _Stage(client, base, headers)
    for entry in transcript["setup"]:
        stage.make(entry)
    for number, step in enumerate(transcript["steps"], 1):
        request = step["request"]
        stage.play(step, f"step {number}, {request['method']} {request['path']}")


@dataclass
class _Stage:
    client: Client
    base: str
    headers: dict[str, str]
    values: dict[str, str] = field(default_factory=lambda: {"fresh": uuid4().hex[:12]})

    def make(self, entry: str | dict[str, list[str]]) -> None:
        """One of the cast, or a group with members."""
        for name, members in entry.items() if isinstance(entry, dict) else [(entry, [])]:
            character = CAST[name]
            document = self.filled(character["document"])
            if members:
                document["members"] = [{"value": self.values[member]} for member in members]
            answer = self.send({"method": "POST", "path": f"/{character['kind']}s", "body": document})
            assert answer.status_code == 201, f"setup of {name}: {answer.get_data(as_text=True)}"
            self.values[name] = answer.get_json(force=True)["id"]
            self.values |= {f"{name}.{key}": text for key, text in document.items() if isinstance(text, str)}

    def play(self, step: dict[str, Any], where: str) -> None:
        expect = step["expect"]
        answer = self.send(step["request"])
        _check_form(answer, where)
        allowed = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
        assert answer.status_code in allowed, f"{where}: {answer.status} {answer.get_data(as_text=True)}"
        document = answer.get_json(force=True) if answer.data else {}
        for name, path in expect.get("save", {}).items():
            self.values[name] = at(document, path)
        for name, value in self.filled(expect.get("headers", {})).items():
            assert answer.headers.get(name) == value, f"{where}: {name} is {answer.headers.get(name)!r}"
        outcome = expect.get("accepted" if answer.status_code < 400 else "refused", {})
        for wanted in (expect, outcome):
            self.check(self.filled(wanted), document, where)

    def check(self, wanted: dict[str, Any], document: dict[str, Any], where: str) -> None:
        """The answer, and what is kept afterwards."""
        _check_values(document, wanted.get("body", {}), where)
        if "total" in wanted:
            assert document.get("totalResults") == wanted["total"], f"{where}: {document}"
        if "total_max" in wanted:
            assert document.get("totalResults", 0) <= wanted["total_max"], f"{where}: {document}"
        for path, values in wanted.get("read", {}).items():
            _check_values(self.read(path), values, f"{where}, read {path}")
        for name, members in wanted.get("members", {}).items():
            kept = self.read(f"/Groups/{self.values[name]}").get("members", [])
            held = sorted(member["value"] for member in kept)
            assert held == sorted(self.values[member] for member in members), f"{where}: {name} has {kept}"
        for path in wanted.get("gone", []):
            answer = self.send({"method": "GET", "path": path})
            assert answer.status_code == 404, f"{where}: {path} is still there"

    def read(self, path: str) -> dict[str, Any]:
        answer = self.send({"method": "GET", "path": path})
        assert answer.status_code == 200, f"GET {path}: {answer.get_data(as_text=True)}"
        found: dict[str, Any] = answer.get_json(force=True)
        return found

    def send(self, request: dict[str, Any]) -> TestResponse:
        path = self.base + self.filled(request["path"], quoted=True)
        if "query" in request:
            pairs = self.filled(request["query"]).items()
            path += "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs)
        headers: dict[str, str | None] = {"Content-Type": "application/scim+json"} if "body" in request else {}
        headers |= {**self.headers, **request.get("headers", {})}
        body = json.dumps(self.filled(request["body"])) if "body" in request else None
        sent = {name: text for name, text in headers.items() if text is not None}
        return self.client.open(path, method=request["method"], data=body, headers=sent)

    def filled(self, value: Any, *, quoted: bool = False) -> Any:
        """`value` with its placeholders filled in, in keys too."""
        if isinstance(value, dict):
            return {self.filled(key): self.filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        if not isinstance(value, str):
            return value

        def text(found: re.Match[str]) -> str:
            known = self.values[found[1]].upper() if found[2] else self.values[found[1]]
            return quote(known, safe="") if quoted else known

        return _PLACEHOLDER.sub(text, value)


def at(document: Any, path: str) -> Any:
    """The value at a path of a transcript; None when there is none."""
    prefix, colon, rest = path.partition(":")
    if colon and prefix in EXTENSIONS:
        document, path = document.get(EXTENSIONS[prefix], {}), rest
    for part in path.split("."):
        segment = _SEGMENT.fullmatch(part)
        assert segment, f"{path} is not a path"
        document = document.get(segment[1]) if isinstance(document, dict) else None
        if segment[2]:
            document = _element(document or [], segment[2])
        if segment[3]:
            document = len(document or [])
    return document


def _element(listed: list[Any], which: str) -> Any:
    if which.isdigit():
        return listed[int(which)] if int(which) < len(listed) else None
    of_type = [element for element in listed if str(element.get("type", "")).lower() == which]
    assert len(of_type) <= 1, f"two elements of the type {which}: {listed}"
    return of_type[0] if of_type else None


def _check_values(document: dict[str, Any], wanted: dict[str, Any], where: str) -> None:
    for path, value in wanted.items():
        found = at(document, path)
        same = found in (None, "", [], {}) if value is None else found == value and type(found) is type(value)
        assert same, f"{where}: {path} is {found!r}, not {value!r}"


def _check_form(answer: TestResponse, where: str) -> None:
    """What holds of every answer: no failure of ours, the media type, errors in their form."""
    assert answer.status_code < 500, f"{where}: {answer.status} {answer.get_data(as_text=True)}"
    if answer.data:
        assert answer.mimetype == "application/scim+json", f"{where}: {answer.mimetype}"
    if answer.status_code >= 400:
        error = answer.get_json(force=True)
        assert ERROR in error["schemas"], where
        assert error["status"] == str(answer.status_code), where
        assert error["detail"], where
