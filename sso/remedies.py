"""What an administrator changes, and where, so that a refused sign-in is not refused again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sso.connections import Addresses, Connection

_SAML: Final[Mapping[str, str]] = {
    "issuer": "If {title} has a new entity ID, import its metadata again.",
    "audience": "At {title}, set the audience (entity ID of the service provider) to {entity_id}.",
    "recipient": "At {title}, set the assertion consumer service (ACS, reply URL) to {acs}.",
    "destination": "At {title}, set the assertion consumer service (ACS, reply URL) to {acs}.",
    "signature": "If {title} has a new signing certificate, import its metadata again; it must sign the assertion, "
    "unless this connection says that the response is enough.",
    "algorithm": "At {title}, choose RSA-SHA256 for signatures, SHA-256 for digests, exclusive canonicalisation.",
    "encryption": "Give {title} our present certificate ({entity_id} shows it), AES-GCM and RSA-OAEP.",
    "subject": "At {title}, let the assertion carry the NameID, or the attribute, that this connection asks for.",
    "attributes": "At {title}, send one value for each attribute that names the person, or change the claim map.",
    "context": "At {title}, demand the method of authentication that this connection asks for, or ask for none.",
    "unsolicited": "Let people begin at the learning platform, or allow this connection sign-ins that begin elsewhere.",
    "not_yet_valid": "Set the clock of {title} by NTP, or `connection set --setting skew=SECONDS` (300 at most).",
    "expired": "Set the clock of {title} by NTP, or `connection set --setting skew=SECONDS` (300 at most).",
    "provider_refused": "Look into the log of {title}: it answered with an error, quoted here.",
}
_OIDC: Final[Mapping[str, str]] = {
    "issuer": "The issuer must be the one that {title} says it is in its discovery document.",
    "audience": "The client id of this connection must be that of the application at {title}.",
    "signature": "If {title} has new keys, they are fetched within a minute; else look at its jwks_uri.",
    "algorithm": "At {title}, let ID tokens be signed with RS256, ES256 or another asymmetric algorithm.",
    "subject": "At {title}, let the ID token carry the claim by which this connection knows people.",
    "attributes": "At {title}, send one value for each claim that names the person, or change the claim map.",
    "context": "At {title}, demand the method of authentication that this connection asks for, or ask for none.",
    "not_yet_valid": "Set the clock of {title} by NTP, or `connection set --setting skew=SECONDS` (300 at most).",
    "expired": "Set the clock of {title} by NTP, or `connection set --setting skew=SECONDS` (300 at most).",
    "provider_refused": "Look into the log of {title}; the redirect URI registered there must be {callback}, and the "
    "client secret the one that is kept here.",
    "provider_unreachable": "{title} does not answer from here: look at the issuer, the network, and the firewall.",
}
_BOTH: Final[Mapping[str, str]] = {
    "other_browser": "Nothing is to be changed at {title}. The browser must keep cookies, and ROLLCALL_PUBLIC_URL must "
    "be the address that people see.",
    "disabled": "rollcall connection enable",
    "not_provisioned": "Let {title} provision the person, or let this connection create accounts.",
    "inactive": "The account is inactive by its records: `rollcall account explain` says which.",
    "ambiguous": "More than one account fits: `rollcall account explain` shows their identifiers.",
}


def remedy(code: str, connection: Connection, addresses: Addresses) -> str | None:
    """The sentence for a code of `sso.refusals`, where it can be known what to change."""
    table = _SAML if connection.kind == "saml" else _OIDC
    text = table.get(code) or _BOTH.get(code)
    if text is None:
        return None
    return text.format(
        title=connection.title, entity_id=addresses.entity_id, acs=addresses.acs, callback=addresses.callback
    )
