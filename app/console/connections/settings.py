"""A connection's further settings as a form: what each is for, in plain words, and what was entered as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Literal

from app.console.rendering import field, whole
from app.store.connections import Stored
from sso.connections import MOST_SKEW, Oidc, Saml

Look = Literal["switch", "text", "lines", "choice", "number"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its label, what it does, and how it is entered."""

    label: str
    means: str
    look: Look = "switch"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting with its value at this connection; `text` is what a field holds."""

    name: str
    setting: Setting
    value: Any
    text: str
    default: str


_CONTEXTS: Final = "Leave it empty unless you must: many providers stop people who signed in by better means."
_DEMAND: Final = "Refuse whoever signed in by another method than those asked for."
_SKEW: Final = f"Seconds that the provider's clock may differ from ours, 0 to {MOST_SKEW}."
SETTINGS: Final[Mapping[str, Setting]] = {
    "want_assertions_signed": Setting(
        "The assertion itself must be signed", "Off: the signature of the response around it is enough."
    ),
    "want_encrypted": Setting("The assertion must be encrypted", "Assertions in the clear are refused."),
    "allow_unsolicited": Setting(
        "The provider may begin a sign-in",
        "Needed for tiles on the provider's own page. Whoever gets hold of such an answer can sign another browser in.",
    ),
    "relay_states": Setting(
        "Where such a sign-in may lead",
        "Paths of ours that begin with /, one a line. None: the person's own page.",
        "lines",
    ),
    "force_authn": Setting("Ask for the password each time", "Even if the person is signed in at the provider."),
    "sso_binding": Setting("How requests go there", "As the provider's metadata says.", "choice", ("redirect", "post")),
    "slo_url": Setting("Where people are sent to sign out", "Empty: the provider is not told.", "text"),
    "slo_response_url": Setting("Where answers to its sign-outs go", "Empty: the same address.", "text"),
    "slo_binding": Setting(
        "How sign-outs go there", "As the provider's metadata says.", "choice", ("redirect", "post")
    ),
    "name_id_format": Setting("Name ID format to ask for", "Empty: whatever the provider sends.", "text"),
    "scopes": Setting("Scopes to ask for", "One a line; openid is always needed.", "lines"),
    "tenants": Setting(
        "Directories that may sign in", "Their ids, one a line, where the issuer has {tenantid}.", "lines"
    ),
    "hosted_domain": Setting("Google Workspace domain", "Only accounts of this domain get in.", "text"),
    "max_age": Setting("Seconds since the person entered something", "At most so many. Empty: any.", "number"),
    "response_mode": Setting(
        "How the answer comes back", "form_post keeps it out of addresses.", "choice", ("query", "form_post")
    ),
    "use_userinfo": Setting("Ask the userinfo endpoint too", "Where the ID token lacks what the attributes need."),
    "contexts": Setting(
        "Methods of authentication to ask for", f"AuthnContext or acr, one a line. {_CONTEXTS}", "lines"
    ),
    "demand_context": Setting("Demand one of these methods", _DEMAND),
    "skew": Setting("Clock difference", _SKEW, "number"),
}


def shown(stored: Stored, *, form: bool = False) -> Sequence[Shown]:
    """The settings of this kind of connection. `form`: as they were entered just now."""
    made: type[Saml] | type[Oidc] = Saml if stored.kind == "saml" else Oidc
    defaults = {one.name: one.default for one in fields(made) if one.default is not MISSING}
    found = []
    for name, setting in SETTINGS.items():
        if name in defaults:
            value = stored.settings.get(name, defaults[name])
            text = field(name) if form else _text(value)
            given = field(name) == "yes" if form and setting.look == "switch" else value
            found.append(Shown(name, setting, given, text, _said(defaults[name])))
    return found


def changed(stored: Stored) -> dict[str, Any]:
    """What was entered and differs; None goes back to the default."""
    different = {}
    for one in shown(stored):
        given = _given(one)
        before = list(one.value) if isinstance(one.value, (list, tuple)) else one.value
        if given != before:
            different[one.name] = given
    return different


def _given(one: Shown) -> Any:
    text = field(one.name)
    if one.setting.look == "switch":
        return text == "yes"
    if one.setting.look == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if one.setting.look == "number":
        return found if (found := whole(text)) is not None else text or None
    return text or None


def _text(value: Any) -> str:
    return "\n".join(value) if isinstance(value, (list, tuple)) else "" if value is None else str(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return _text(value).replace("\n", ", ") or "none"
