"""Every reason for which a sign-in is refused: what it means, and what an administrator does about it.

The closed list is `sso.refusals`; a test holds this one beside it. What a trace says beyond that names the connection's
own values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sso.refusals import SENTENCES


@dataclass(frozen=True, slots=True)
class Reason:
    """`means` in plain words, `do` what to change and where. `page` is the connection's page that helps."""

    code: str
    means: str
    do: str
    page: str = ""

    @property
    def sentence(self) -> str:
        """What the person read."""
        return SENTENCES[self.code]


_SENT: Final = "The answer came in a shape that no provider sends."
_ALL: Final = (
    Reason(
        "signature",
        "The answer is not signed with a key that this connection knows.",
        "Read the provider's metadata again, or bring its new certificate. It must sign the assertion, unless the "
        "settings say that the response is enough.",
        "provider",
    ),
    Reason(
        "algorithm",
        "It is signed in a way that is no longer safe, such as SHA-1.",
        "At the provider, choose RSA-SHA256 for signatures and SHA-256 for digests.",
        "guide",
    ),
    Reason(
        "encryption",
        "It is encrypted to another key, in an unsafe way, or not at all though this connection demands it.",
        "Give the provider our present metadata; choose AES-GCM and RSA-OAEP.",
        "guide",
    ),
    Reason(
        "issuer",
        "It was sent by another provider, or another directory of it, than this connection is for.",
        "Compare the entity ID or issuer in the trace with the provider's. A new entity ID is a new connection.",
        "provider",
    ),
    Reason(
        "audience",
        "It is meant for another application.",
        "At the provider, set the audience (entity ID, identifier) or the client id to ours.",
        "guide",
    ),
    Reason(
        "recipient",
        "It is addressed to another of our addresses.",
        "At the provider, set the ACS URL (reply URL) to ours, letter by letter.",
        "guide",
    ),
    Reason(
        "destination",
        "It is addressed to another of our addresses.",
        "At the provider, set the ACS URL (reply URL) to ours, letter by letter.",
        "guide",
    ),
    Reason(
        "subject",
        "What names the person is missing, empty, or changes each time.",
        "Let the provider send a lasting NameID, or the attribute that this connection takes as the lasting name.",
        "claims",
    ),
    Reason(
        "attributes",
        "An attribute that names the person has several values, or none that can be a name.",
        "Send one value for each, or name another attribute.",
        "claims",
    ),
    Reason(
        "conditions",
        "It does not say for whom, or for how long, it counts; or the person signed in too long ago.",
        "Look at the trace: it names the condition. Usual providers' defaults are right.",
        "guide",
    ),
    Reason(
        "context",
        "The person signed in by another method than this connection demands.",
        "Demand the method at the provider, or none here.",
        "settings",
    ),
    Reason(
        "expired",
        "It came too late, or the clocks differ.",
        "Set the provider's clock by NTP. Until then allow a larger clock difference.",
        "settings",
    ),
    Reason(
        "not_yet_valid",
        "The provider's clock is ahead of ours.",
        "Set the provider's clock by NTP. Until then allow a larger clock difference.",
        "settings",
    ),
    Reason(
        "provider_refused",
        "The provider itself said no; the trace quotes it.",
        "Look into the provider's own log. Often the person is not assigned to the application, or redirect URI or "
        "client secret are wrong.",
        "guide",
    ),
    Reason(
        "provider_unreachable",
        "The provider does not answer this server.",
        "Look at the checks of the connection, the network and the firewall.",
        "checks",
    ),
    Reason(
        "not_provisioned",
        "Nobody provisioned this person, and the connection makes no accounts.",
        "Let the provider provision them, or let the connection make accounts.",
        "people",
    ),
    Reason(
        "inactive",
        "The person's account is not active, and a sign-in does not change that.",
        "Open the person: the page says which source says no.",
    ),
    Reason("ambiguous", "More than one account fits.", "Open Duplicates: merge them, or keep them apart by a number."),
    Reason(
        "other_browser",
        "Another browser asked, or the cookie did not come back.",
        "Nothing is to be changed at the provider. If it comes often, ROLLCALL_PUBLIC_URL is not the address that "
        "people see, or cookies are blocked.",
    ),
    Reason(
        "unknown_request",
        "It came more than ten minutes after the beginning, or for the second time.",
        "Nothing, unless it comes often: people who go back in their browser cause it.",
    ),
    Reason(
        "replayed",
        "The same answer was used before.",
        "Nothing, unless it comes often: then somebody tries answers of others.",
    ),
    Reason(
        "unsolicited",
        "Nobody asked for it here: the sign-in began at the provider.",
        "Let people begin at the learning platform, or allow the provider to begin.",
        "settings",
    ),
    Reason("disabled", "The connection, or its source, is switched off.", "Switch it on.", ""),
    Reason(
        "malformed", _SENT, "Test the connection. If only one address sends such answers, somebody is trying things."
    ),
    Reason("too_large", _SENT, "Let the provider send fewer groups: those of the application alone.", "claims"),
    Reason("busy", "Others were changing the same person at that moment.", "Nothing: trying again helps."),
)
REASONS: Final[Mapping[str, Reason]] = {reason.code: reason for reason in _ALL}
