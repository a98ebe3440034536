"""Signing in: which organisation, then by its own sign-in or by another way.

    /admin/sign-in ─▶ /admin/sign-in/<tenant> ─▶ its connections ─▶ provider ─▶ /admin/arrive/<tenant> ─▶ in, by a role
                                              └▶ a passkey, or password and code ─▶ in

A refusal never says which part was wrong. Who arrives must be the browser that was sent: the address carries a ticket
of its cookie, so that nobody is brought in by a link that somebody else made.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode

from flask import Response, g, request

from app.adapters import coming_in
from app.adapters.coming_in import Credentials, NoRole
from app.console import entering, proof
from app.console.desk import Desk
from app.console.entering import in_pace, party
from app.console.rendering import Refused, arg, back, field, page
from app.console.routing import SIGN_IN, Route
from app.console.visit import Visit
from sso import browser, cookies, pages
from sso.demands import Demands
from sso.keeping import Aim, Tenant

ORGANISATION_COOKIE: Final = "rollcall-organisation"
YEAR: Final = 365 * 24 * 3600
NO_SUCH: Final = "There is no organisation of that name here. It is written as in the addresses of its sign-in pages."
WRONG: Final = (
    "That did not let you in. Check the address, the password and the code, which is good once. After several wrong "
    "tries there is a wait of up to 15 minutes."
)
WRONG_PASSKEY: Final = "That passkey did not let you in. Try again, or come in by a password with a code."
TO_PROVIDER: Final = "You are being taken to your organisation's sign-in page."
AGAIN: Final = "Signing in took too long, or began in another browser. Begin again here."


def organisation(_desk: Desk, _visit: Visit | None) -> Response:
    """Which organisation; one that was chosen before is not asked again."""
    known, to = request.cookies.get(ORGANISATION_COOKIE, ""), _to(arg("to"))
    if browser.is_name(known) and "other" not in request.args:
        return back(_choices(known, to))
    return page("ways_in/organisation.html", to=to)


def choose_organisation(desk: Desk, _visit: Visit | None) -> Response:
    """Go on to its page, and remember it."""
    name, to = field("organisation").lower(), _to(field("to"))
    if _tenant(desk, name) is None:
        return page("ways_in/organisation.html", 422, to=to, name=name[: entering.LONGEST], error=NO_SUCH)
    return _remembering(desk, name, back(_choices(name, to)))


def choices(desk: Desk, _visit: Visit | None, tenant: str) -> Response:
    """The organisation's own sign-ins, and another way."""
    found = _tenant(desk, tenant)
    if found is None:  # what was remembered is gone
        answer = back(f"{SIGN_IN}?other=")
        answer.delete_cookie(ORGANISATION_COOKIE, path="/admin")
        return answer
    return _remembering(desk, tenant, _page(desk, found))


def by_connection(desk: Desk, _visit: Visit | None, tenant: str) -> Response:
    """On to the organisation's sign-in page."""
    found = _demanded(desk, tenant)
    in_pace(desk, "connection")
    return to_connection(desk, found, field("connection"), _to(field("to")))


def to_connection(desk: Desk, tenant: Tenant, name: str, to: str, *, force: bool = False) -> Response:
    """A page that leads to the connection's provider, from where the browser arrives here again."""
    if all(one.name != name for one in desk.sign_in.connections(tenant.id)):
        raise Refused(404, "There is no such sign-in any more. Choose another.", "Nothing here")
    arrive = f"/admin/arrive/{tenant.name}?{urlencode({'ticket': _ticket(tenant.id, to), 'to': to})}"
    key = desk.sign_in.keep(tenant.id, Aim(arrive, Demands(force=force)))
    return pages.leading_to(f"/sign-in/{tenant.name}/{name}?{urlencode({'flow': key})}", TO_PROVIDER)


def arrive(desk: Desk, visit: Visit | None, tenant: str) -> Response:
    """From the provider: in, if a role of the person's has a place here."""
    found, to = _demanded(desk, tenant), arg("to")
    if not hmac.compare_digest(_ticket(found.id, to), arg("ticket").encode("ascii", "replace").decode()):
        return back(_choices(tenant, _to(to)), AGAIN, "warning")
    secret = request.cookies.get(cookies.session(desk.public_url, found.id), "")
    begun = None
    if cookies.is_value(secret):
        begun = coming_in.by_connection(desk.engine, found.id, secret, entering.visitor())
    if begun is None:
        return back(_choices(tenant, _to(to)), AGAIN, "warning")
    if isinstance(begun, NoRole):
        return page("ways_in/no_role.html", 403, tenant=tenant, name=begun.name)
    return entering.entered(desk, visit, begun, _to(to))


def by_password(desk: Desk, visit: Visit | None, tenant: str) -> Response:
    """Address, password and code."""
    found = _demanded(desk, tenant)
    in_pace(desk, "password")
    said = Credentials(field("email")[: entering.LONGEST], request.form.get("password", ""), field("code")[:20])
    begun = coming_in.by_password(desk.engine, desk.vault, found.id, said, desk.now(), entering.visitor())
    if begun is None:
        return _page(desk, found, 422, email=said.email, wrong=WRONG)
    return entering.entered(desk, visit, begun, _to(field("to")))


def passkey_options(desk: Desk, _visit: Visit | None) -> Response:
    """What the browser's script asks its devices for."""
    at = entering.demanded_party(desk)
    in_pace(desk, "passkey")
    return entering.json(coming_in.ask_for_passkey(desk.engine, at.id, g.door).options)


def by_passkey(desk: Desk, visit: Visit | None, tenant: str) -> Response:
    """What a device signed."""
    found, at = _demanded(desk, tenant), entering.demanded_party(desk)
    in_pace(desk, "passkey")
    answer = field("answer")
    begun = coming_in.by_passkey(desk.engine, at.id, at.url, g.door, answer, entering.visitor())
    if begun is None:
        return _page(desk, found, 422, wrong_passkey=WRONG_PASSKEY)
    return entering.entered(desk, visit, begun, _to(field("to")))


def _page(desk: Desk, tenant: Tenant, status: int = 200, **values: str) -> Response:
    return page(
        "ways_in/sign_in.html",
        status,
        tenant=tenant.name,
        connections=desk.sign_in.connections(tenant.id),
        passkeys=party(desk) is not None,
        no_passkeys=entering.NO_PASSKEYS,
        to=_to(field("to") or arg("to")),
        **values,
    )


def _remembering(desk: Desk, name: str, answer: Response) -> Response:
    secure = cookies.is_secure(desk.public_url)
    answer.set_cookie(
        ORGANISATION_COOKIE, name, max_age=YEAR, path="/admin", httponly=True, samesite="Lax", secure=secure
    )
    return answer


def _tenant(desk: Desk, name: str) -> Tenant | None:
    return desk.sign_in.tenant(name) if browser.is_name(name) else None


def _demanded(desk: Desk, name: str) -> Tenant:
    found = _tenant(desk, name)
    if found is None:
        raise Refused(404, NO_SUCH, "Nothing here")
    return found


def _choices(name: str, to: str) -> str:
    return f"{SIGN_IN}/{name}" + (f"?{urlencode({'to': to})}" if to != proof.HOME else "")


def _to(path: str) -> str:
    return proof.inside(path)


def _ticket(tenant_id: str, to: str) -> str:
    return hmac.new(g.door.encode(), f"arrive\n{tenant_id}\n{to}".encode(), hashlib.sha256).hexdigest()


ROUTES: Final = (
    Route("GET", SIGN_IN, organisation, "open"),
    Route("POST", SIGN_IN, choose_organisation, "open"),
    Route("GET", f"{SIGN_IN}/<tenant>", choices, "open"),
    Route("POST", f"{SIGN_IN}/<tenant>/connection", by_connection, "open"),
    Route("POST", f"{SIGN_IN}/<tenant>/password", by_password, "open"),
    Route("POST", f"{SIGN_IN}/<tenant>/passkey", by_passkey, "open"),
    Route("POST", f"{SIGN_IN}/passkey-options", passkey_options, "open"),
    Route("GET", "/admin/arrive/<tenant>", arrive, "open"),
)
