"""The usual names of attributes and claims, in the order in which they are looked for.

Okta, Entra ID, ADFS, OneLogin, Google and Shibboleth name the same thing differently. What a connection's claim map
names goes before all of them. A name stands here only if it can mean nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sso.assertion import Protocol

_XMLSOAP: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"  # Entra ID, ADFS
_XMLSOAP_OLD: Final = "http://schemas.xmlsoap.org/claims"  # ADFS
_MICROSOFT: Final = "http://schemas.microsoft.com/identity/claims"  # Entra ID
_MICROSOFT_WS: Final = "http://schemas.microsoft.com/ws/2008/06/identity/claims"  # Entra ID, ADFS
_MACE: Final = "urn:mace:dir:attribute-def"  # Shibboleth, SAML 1 names; pysaml2's basic format
_OID: Final = "urn:oid"  # Shibboleth, SAML 2 names: RFC 4519, RFC 2798, eduPerson

EMAIL_FORMAT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
# A NameID that is made up for us, or for one session, is nobody's user name.
PASSING_FORMATS: Final = (
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted",
)

# More groups than fit (Entra ID): https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
SAID_ELSEWHERE: Final = "_claim_names"
GROUPS_ELSEWHERE: Final = ("hasgroups", "groups.link", "http://schemas.microsoft.com/claims/groups.link")

# Claims about the token and the authentication (OpenID Connect Core §2, Entra ID's own), not about the person.
PASSING_CLAIMS: Final = frozenset(
    {"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash", "sid", "ver"}
    | {"auth_time", "acr", "amr", "login_hint", "session_state", "uti", "rh", "aio", "_claim_names", "_claim_sources"}
)

USUAL: Final[Mapping[Protocol, Mapping[str, tuple[str, ...]]]] = {
    "oidc": {
        "user_name": ("preferred_username", "upn"),
        "email": ("email",),
        "given_name": ("given_name",),
        "family_name": ("family_name",),
        "display_name": ("name",),
        "employee_number": ("employee_number", "employeeNumber", "employee_id", "employeeId", "employeeid"),
        "groups": ("groups",),
    },
    "saml": {
        "user_name": (
            "userName",
            "username",
            "user_name",
            "login",
            "upn",
            "userPrincipalName",
            "User.Username",
            f"{_XMLSOAP}/upn",
            f"{_XMLSOAP_OLD}/UPN",
            f"{_XMLSOAP}/name",
            "eduPersonPrincipalName",
            f"{_OID}:1.3.6.1.4.1.5923.1.1.1.6",
            f"{_MACE}:eduPersonPrincipalName",
            "uid",
            f"{_OID}:0.9.2342.19200300.100.1.1",
            f"{_MACE}:uid",
            f"{_MICROSOFT_WS}/windowsaccountname",
        ),
        "email": (
            "email",
            "Email",
            "emailAddress",
            "emailaddress",
            "mail",
            "User.email",
            f"{_XMLSOAP}/emailaddress",
            f"{_XMLSOAP_OLD}/EmailAddress",
            f"{_OID}:0.9.2342.19200300.100.1.3",
            f"{_OID}:1.2.840.113549.1.9.1",
            f"{_MACE}:mail",
            f"{_MACE}:email",
        ),
        "given_name": (
            "firstName",
            "FirstName",
            "first_name",
            "givenName",
            "givenname",
            "given_name",
            "User.FirstName",
            f"{_XMLSOAP}/givenname",
            f"{_OID}:2.5.4.42",
            f"{_MACE}:givenName",
        ),
        "family_name": (
            "lastName",
            "LastName",
            "last_name",
            "sn",
            "surname",
            "familyName",
            "family_name",
            "User.LastName",
            f"{_XMLSOAP}/surname",
            f"{_OID}:2.5.4.4",
            f"{_MACE}:sn",
            f"{_MACE}:surname",
        ),
        "display_name": (
            "displayName",
            "DisplayName",
            "display_name",
            f"{_MICROSOFT}/displayname",
            f"{_OID}:2.16.840.1.113730.3.1.241",
            f"{_MACE}:displayName",
            "cn",
            f"{_XMLSOAP_OLD}/CommonName",
            f"{_OID}:2.5.4.3",
            f"{_MACE}:cn",
        ),
        "employee_number": (
            "employeeNumber",
            "employeenumber",
            "employee_number",
            "employeeID",
            "employeeId",
            "employeeid",
            f"{_XMLSOAP}/employeeid",
            f"{_OID}:2.16.840.1.113730.3.1.3",
            f"{_MACE}:employeeNumber",
        ),
        "groups": (
            "groups",
            "Groups",
            "group",
            "memberOf",
            "isMemberOf",
            f"{_MICROSOFT_WS}/groups",
            f"{_XMLSOAP_OLD}/Group",
            f"{_XMLSOAP}/Group",
            f"{_OID}:1.3.6.1.4.1.5923.1.5.1.1",
            f"{_OID}:1.2.840.113556.1.2.102",
            f"{_MACE}:isMemberOf",
            f"{_MACE}:memberOf",
        ),
    },
}
