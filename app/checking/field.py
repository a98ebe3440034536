"""The suite `field`: what breaks in practice and no public suite looks at. One run of each declared check.

declaration ─▶ the cast it needs is made ─▶ its steps, until one fails ─▶ what was made is deleted ─▶ finding
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from app.checking.declarations import CAST, Check, Step
from app.checking.groups import FINDING, MEMBERS
from app.checking.lists import ERRORS, LISTS
from app.checking.places import Includes, at, same
from app.checking.report import Finding, Outcome, short
from app.checking.target import Answer, Target, UnreachableError
from app.checking.users import CREATING, PATCHING

NAME: Final = "field"
CHECKS: Final = (*CREATING, *PATCHING, *MEMBERS, *FINDING, *LISTS, *ERRORS)
SENT_LENGTH: Final = 200
_PLACEHOLDER: Final = re.compile(r"\{(\w+(?:\.\w+)?)\}")


class _Failed(Exception):
    """A step was not answered as it must be; `finding` says how."""

    def __init__(self, sent: str, expected: str, got: str) -> None:
        super().__init__(got)
        self.sent, self.expected, self.got = sent, expected, got


def run(target: Target) -> Iterator[Finding]:
    """All checks of ours, each with its own people and groups, which it deletes."""
    for check in CHECKS:
        yield from _Trial(target, check).findings()


class _Trial:
    """One check on one server."""

    def __init__(self, target: Target, check: Check) -> None:
        self._target, self._check = target, check
        self._known: dict[str, str] = {"fresh": secrets.token_hex(4)}
        self._made: list[str] = []

    def findings(self) -> Iterator[Finding]:
        check = self._check
        finding = Finding(NAME, check.resource, check.sentence, "passed", section=check.section)
        if self._target.token is None and not all(step.authorized for step in check.steps):
            yield replace(finding, outcome="skipped", got="the server is asked without a token")
            return
        try:
            self._play()
        except _Failed as failed:
            outcome: Outcome = "failed" if check.must else "warning"
            finding = replace(
                finding,
                outcome=outcome,
                sent=failed.sent,
                expected=failed.expected,
                got=failed.got,
                remedy=check.remedy,
            )
        yield finding
        left = [path for path in reversed(self._made) if not self._deleted(path)]
        if left:
            sentence = f"What the check made is deleted ({check.sentence})"
            yield replace(
                finding,
                check=sentence,
                outcome="failed",
                sent=f"DELETE {left[0]}",
                expected="204",
                got=f"still there: {', '.join(left)}",
                section="RFC 7644 §3.6",
                remedy="Delete these by hand.",
            )

    def _play(self) -> None:
        for name in self._check.needs:
            path, document = CAST[name]
            made = self._step(Step(f"POST {path}", document, (201,), keep=name))
            shown = made if isinstance(made, dict) else {}
            said = {**document, **shown}
            self._known |= {f"{name}.{key}": self._filled(one) for key, one in said.items() if isinstance(one, str)}
        for step in self._check.steps:
            self._step(step)

    def _step(self, step: Step) -> Any:
        method, _, path = step.request.partition(" ")
        path, body = self._filled(path), self._filled(step.body)
        sent = short(f"{method} {path}{_shown(body)}", SENT_LENGTH)
        holds = {place: self._filled(value) for place, value in step.holds.items()}
        expected = _expected(step.status, holds)
        try:
            answer = self._target.ask(
                method, quote(path, safe="/?=&+:@"), body, authorized=step.authorized, media_type=step.media_type
            )
        except UnreachableError as error:
            raise _Failed(sent, expected, short(error)) from error
        self._keep(step, path, answer)
        if answer.status not in step.status:
            raise _Failed(sent, expected, _told(answer))
        for place, value in holds.items():
            found = at(answer.body, place)
            if not same(found, value):
                raise _Failed(sent, expected, f"{answer.status}, {place} is {_plain(found)}")
        return answer.body

    def _keep(self, step: Step, path: str, answer: Answer) -> None:
        """Whatever was made is remembered first, wanted or not, so that it is deleted."""
        id = at(answer.body, "id")
        if step.request.startswith("POST ") and answer.status < 300 and isinstance(id, str):
            self._made.append(f"{path}/{id}")
            if step.keep:
                self._known[step.keep] = id
        elif step.keep and answer.status in step.status:
            raise _Failed(f"POST {path}", "the resource with its id", _told(answer))
        self._known |= {name: str(at(answer.body, place)) for name, place in step.learn.items()}

    def _deleted(self, path: str) -> bool:
        try:
            return self._target.ask("DELETE", path).status in (200, 204, 404)
        except UnreachableError:
            return False

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: self._known.get(found[1], found[0]), value)
        if isinstance(value, Mapping):
            return {self._filled(key): self._filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if isinstance(value, frozenset):
            return frozenset(self._filled(one) for one in value)
        if isinstance(value, Includes):
            return Includes(self._filled(value.values))
        return value


def _expected(status: tuple[int, ...], holds: Mapping[str, Any]) -> str:
    told = [" or ".join(str(one) for one in status)]
    told += [f"{place} {'absent' if value is None else 'is ' + _plain(value)}" for place, value in holds.items()]
    return short(", ".join(told))


def _told(answer: Answer) -> str:
    """The status, and what the server says about it; never a list of its people."""
    body = answer.body if isinstance(answer.body, dict) else {}
    said = [str(body[name]) for name in ("scimType", "detail") if body.get(name)]
    if "totalResults" in body:
        said.append(f"totalResults {body['totalResults']}")
    return short(" ".join([str(answer.status), *said]))


def _shown(body: Any) -> str:
    """The body in short: of a PATCH its operations, and never `schemas`."""
    if not isinstance(body, dict):
        return ""
    if "Operations" not in body:
        return " " + _plain({name: value for name, value in body.items() if name != "schemas"})
    return "".join(
        f" {one['op']} {one.get('path', '(no path)')}{' = ' + _plain(one['value']) if 'value' in one else ''}"
        for one in body["Operations"]
    )


def _plain(value: Any) -> str:
    if isinstance(value, Includes):
        return "all of " + _plain(value.values)
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(value)) + "}"
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)
