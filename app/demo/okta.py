"""What Okta sends, in its order: look the person up, create or replace; then groups, their members by PATCH.

https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import requests

from app.demo.people import Person

SECONDS: Final = 30  # Okta itself waits for 60
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class DemoError(RuntimeError):
    """The demo cannot go on; the message says at which step and why."""


class Okta:
    """A SCIM client that behaves like Okta's. `requests` counts what it sent."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.requests = 0
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment is not for the loopback
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/scim+json",
                "Content-Type": "application/scim+json; charset=utf-8",
                "User-Agent": "Okta SCIM Client 1.0.0",
            }
        )

    def push_person(self, person: Person) -> str:
        """Create the person, or replace what is there; returns the SCIM id.

        Raises:
            DemoError: the server refused, or did not answer.
        """
        known = self._found("/Users", f'userName eq "{person.login}"')
        body = _user(person)
        if known is None:
            return str(self._send("POST", "/Users", body, 201)["id"])
        return str(self._send("PUT", f"/Users/{known}", {**body, "id": known}, 200)["id"])

    def push_group(self, name: str, members: Mapping[str, str]) -> str:
        """Create the group unless it is there, then add its members (SCIM id -> name); returns the group's id.

        Raises:
            DemoError: the server refused, or did not answer.
        """
        id = self._found("/Groups", f'displayName eq "{name}"')
        if id is None:
            made = self._send("POST", "/Groups", {"schemas": [GROUP], "displayName": name, "members": []}, 201)
            id = str(made["id"])
        value = [{"value": member, "display": display} for member, display in members.items()]
        change = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": value}]}
        self._send("PATCH", f"/Groups/{id}", change, 200, 204)
        return id

    def set_active(self, login: str, active: bool) -> None:
        """Deactivate a person, or bring them back.

        Raises:
            DemoError: the server refused, did not answer, or does not know the person.
        """
        known = self._found("/Users", f'userName eq "{login}"')
        if known is None:
            raise DemoError(f"Okta has nobody who signs in as {login}")
        change = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"active": active}}]}
        self._send("PATCH", f"/Users/{known}", change, 200, 204)

    def close(self) -> None:
        """Ends the connection."""
        self._session.close()

    def _found(self, endpoint: str, scim_filter: str) -> str | None:
        query = urlencode({"filter": scim_filter, "startIndex": 1, "count": 100})
        listed = self._send("GET", f"{endpoint}?{query}", None, 200)
        return str(listed["Resources"][0]["id"]) if listed["totalResults"] else None

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, *expected: int) -> dict[str, Any]:
        self.requests += 1
        try:
            answer = self._session.request(method, f"{self.base_url}{path}", json=body, timeout=SECONDS)
        except requests.RequestException as error:
            raise DemoError(f"{method} {self.base_url}{path}: no answer ({type(error).__name__})") from error
        if answer.status_code not in expected:
            raise DemoError(f"{method} {path.partition('?')[0]} answered {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found


def _user(person: Person) -> dict[str, Any]:
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": person.login,
        "name": {"givenName": person.given, "familyName": person.family},
        "emails": [{"primary": True, "value": person.login, "type": "work"}],
        "displayName": person.name,
        "title": person.title,
        "locale": "en-GB",
        "externalId": f"00u{person.number}",
        "groups": [],
        "active": True,
        ENTERPRISE: {"employeeNumber": person.number},
    }
