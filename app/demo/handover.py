"""What to try next: the address, fresh secrets, and two commands that work as printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import Final

import sqlalchemy as sa

from app.demo import site, stage
from app.demo.okta import ENTERPRISE, USER
from app.demo.people import DOMAIN
from app.demo.stage import Stage
from app.identity.folding import fold
from app.store import feeds, people
from app.store.engine import reading

GIVEN: Final = "Noor"
FAMILY: Final = "Haddad"


@dataclass(frozen=True, slots=True)
class Handover:
    """`provision` makes a person who is not there yet; `read` shows what became of that person.

    `academy` is the demo's learning platform, where one signs in; `console` lets the tenant's owner in, once.
    """

    academy: str
    console: str
    base_url: str
    token: str
    api_key: str
    provision: str
    read: str

    def lines(self) -> tuple[str, ...]:
        """The same for people."""
        return (
            "Open the company's learning platform, and sign in as anybody who works there, or worked there:",
            "",
            f"  {self.academy}",
            "",
            "Open the console as the tenant's owner. This address works once; the page asks how to come in again:",
            "",
            f"  {self.console}",
            "",
            "Or begin with nothing, in a tenant of your own (the command is in .venv/bin):",
            "",
            "  rollcall tenant create acme && rollcall admin invite you@acme.example --tenant acme",
            "",
            f"SCIM base URL  {self.base_url}",
            f"SCIM token     {self.token}",
            f"API key        {self.api_key}",
            "Both are shown this once; the next `rollcall demo play` replaces them.",
            "",
            "Once the server is ready, provision a person as Okta would:",
            "",
            self.provision,
            "",
            "and read the account that came of it, as the LMS would:",
            "",
            self.read,
        )


def hand_over(engine: sa.Engine, stand: Stage, public_url: str, port: int) -> Handover:
    """Fresh secrets for the server at `public_url` (no slash at its end) that listens on `port`.

    Earlier ones of the demo end.
    """
    login = _free_login(engine, stand)
    base_url = f"{public_url}/scim/v2"
    token, key = stage.fresh_token(engine, stand), stage.fresh_key(engine, stand)
    with reading(engine) as conn:
        newest = feeds.accounts(conn, stand.tenant.id, limit=1).newest
    body = json.dumps(
        {
            "schemas": [USER, ENTERPRISE],
            "userName": login,
            "name": {"givenName": GIVEN, "familyName": FAMILY},
            "displayName": f"{GIVEN} {FAMILY}",
            "emails": [{"type": "work", "primary": True, "value": login}],
            "active": True,
            ENTERPRISE: {"department": "Training"},
        },
        separators=(",", ":"),
    )
    return Handover(
        f"{site.address(site.port_beside(port))}/",
        f"{public_url}/admin/invitation/{stage.fresh_invitation(engine, stand)}",
        base_url,
        token,
        key,
        provision=f"curl -sS -H 'Authorization: Bearer {token}' -H 'Content-Type: application/scim+json' \\\n"
        f"  -d '{body}' \\\n  {base_url}/Users",
        read=f"curl -sS -H 'Authorization: Bearer {key}' \\\n  '{public_url}/api/v1/accounts?changed-since={newest}'",
    )


def _free_login(engine: sa.Engine, stand: Stage) -> str:
    """A userName that Okta's people do not have yet: the printed command was perhaps tried before."""
    with reading(engine) as conn:
        for number in count(1):
            login = f"{GIVEN}.{FAMILY}{'' if number == 1 else number}@{DOMAIN}".lower()
            if not people.existing(conn, stand.tenant.id, [], [], [(stand.okta.id, fold(login))]):
                return login
    raise AssertionError("unreachable")
