"""Whose word counts for what: which directory a token is of, who a person lastingly is, who vouches for an address.

An address is no identity: at a provider of many directories any administrator can give any address to anybody.
Decisions go by the shape of the claims; the one issuer that must be known by name is declared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sso import jwt_claims
from sso.connections import Oidc
from sso.discovery import DIRECTORY
from sso.jwts import JwtError

# They verify addresses of anybody's domain once, and speak for a domain only where `hd` names it:
# https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
_SPEAK_FOR_HD: Final = frozenset({"https://accounts.google.com"})
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YES: Final = (True, "true", "True", 1, "1")


def issuers(issuer: str, settings: Oidc) -> tuple[str, ...]:
    """The `iss` that may stand in a token of this provider: one, or one for each directory that may sign in."""
    if DIRECTORY not in issuer:
        return (issuer,)
    return tuple(issuer.replace(DIRECTORY, each) for each in settings.tenants)


def check_issuer(claims: Mapping[str, Any], issuer: str, settings: Oidc) -> None:
    """Whether `iss` is the provider's, and the directory one that may sign in.

    Raises:
        JwtError: `issuer`.
    """
    directory = claims.get("tid")
    if DIRECTORY in issuer:
        if not _is_guid(directory):
            raise JwtError("issuer", "its tid names no directory", directory)
        jwt_claims.issued_by(claims, issuer.replace(DIRECTORY, str(directory)))
    else:
        jwt_claims.issued_by(claims, issuer)
    if (settings.tenants or DIRECTORY in issuer) and directory not in settings.tenants:
        raise JwtError("issuer", "its tid is no directory that may sign in here", directory)


def check_key(claims: Mapping[str, Any], key: Mapping[str, Any]) -> None:
    """Whether a key that is one issuer's alone, where a set serves many, is this issuer's.

    Raises:
        JwtError: `issuer`.
    """
    owner = key.get("issuer")
    if owner is not None and str(owner).replace(DIRECTORY, str(claims.get("tid"))) != claims.get("iss"):
        raise JwtError("issuer", "its key is another issuer's", owner)


def check_domain(claims: Mapping[str, Any], settings: Oidc) -> None:
    """Whether the person is of the hosted domain, where one is demanded.

    Raises:
        JwtError: `issuer`.
    """
    if settings.hosted_domain is not None and claims.get("hd") != settings.hosted_domain:
        raise JwtError("issuer", f"expected the hd {settings.hosted_domain}", claims.get("hd", "none"))


def lasting_subject(claims: Mapping[str, Any]) -> str:
    """By what the person is found again: `sub`; in a directory, where `sub` differs by client, `tid/oid`.

    Raises:
        JwtError: `subject`.
    """
    if not _of_directory(claims):
        return jwt_claims.subject(claims)
    person = claims.get("oid")
    if not _is_guid(person):
        raise JwtError("subject", "its oid names nobody; the scope profile brings it", person)
    return f"{claims['tid']}/{person}"


def vouches_for_email(claims: Mapping[str, Any], settings: Oidc) -> bool:
    """Whether `email` is the person's own and the provider says so."""
    if not isinstance(claims.get("email"), str):
        return False
    if _of_directory(claims):
        return claims.get("xms_edov") in _YES
    if claims.get("iss") in _SPEAK_FOR_HD and settings.hosted_domain is None:
        return False
    return claims.get("email_verified") in (True, "true")


def _of_directory(claims: Mapping[str, Any]) -> bool:
    directory = claims.get("tid")
    return _is_guid(directory) and f"/{directory}/" in str(claims.get("iss"))


def _is_guid(value: object) -> bool:
    return isinstance(value, str) and _GUID.fullmatch(value) is not None
