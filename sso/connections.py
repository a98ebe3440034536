"""A connection: one identity provider's sign-in settings, and the addresses by which it reaches us."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Binding = Literal["redirect", "post"]
Arrival = Literal["create", "link"]

SKEW: Final = 120  # seconds between the provider's clock and ours
MOST_SKEW: Final = 300


@dataclass(frozen=True, slots=True)
class Saml:
    """A SAML 2.0 identity provider.

    `certificates` are its signing certificates, PEM bodies without armour, any of which may sign. `contexts` are asked
    for; `demand_context` refuses what is none of them. `relay_states` are the local paths that a login which nobody
    asked for may lead to.
    """

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]
    sso_binding: Binding = "redirect"
    slo_url: str | None = None
    slo_response_url: str | None = None
    slo_binding: Binding = "redirect"
    want_assertions_signed: bool = True
    want_encrypted: bool = False
    name_id_format: str | None = None
    contexts: tuple[str, ...] = ()
    demand_context: bool = False
    force_authn: bool = False
    allow_unsolicited: bool = False
    relay_states: tuple[str, ...] = ()
    skew: int = SKEW


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID provider. Its addresses come from its discovery document.

    `tenants` are the Entra tenants (`tid`) that may sign in where `issuer` is Microsoft's template for many tenants.
    `hosted_domain` is Google's `hd`. `auth_method` is how we prove ourselves at its token endpoint.
    """

    issuer: str
    client_id: str
    auth_method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] = "client_secret_basic"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    tenants: tuple[str, ...] = ()
    hosted_domain: str | None = None
    contexts: tuple[str, ...] = ()  # acr_values
    demand_context: bool = False
    max_age: int | None = None  # seconds
    response_mode: Literal["query", "form_post"] = "query"
    use_userinfo: bool = False  # the ID token lacks what the claim map wants
    skew: int = SKEW


@dataclass(frozen=True, slots=True)
class ClaimMap:
    """Which attribute or claim says what; each is a list of names, the first that is there wins. Empty: the usual ones.

    `subject` is what the person's record is found by; empty: the NameID, or `sub` (Entra ID: `oid`).
    """

    subject: tuple[str, ...] = ()
    user_name: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    given_name: tuple[str, ...] = ()
    family_name: tuple[str, ...] = ()
    display_name: tuple[str, ...] = ()
    employee_number: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of a tenant, as it stands now.

    `arrival` says what becomes of somebody whom nobody provisioned: `create` makes an account, `link` refuses.
    `paired_source_id` is the SCIM source of the same identity provider, whose userName is this one's `user_name`.
    `secret` is the OpenID client secret.
    """

    id: str
    tenant_id: str
    name: str
    title: str
    source_id: str
    settings: Saml | Oidc
    enabled: bool = True
    claims: ClaimMap = ClaimMap()
    domains: tuple[str, ...] = ()
    arrival: Arrival = "link"
    paired_source_id: str | None = None
    skew: int = SKEW
    secret: str | None = field(default=None, repr=False)
    version: int = 1

    @property
    def kind(self) -> Literal["saml", "oidc"]:
        return "saml" if isinstance(self.settings, Saml) else "oidc"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a connection's identity provider reaches us. `base` is the public URL, without a slash at its end."""

    base: str
    connection_id: str

    @property
    def entity_id(self) -> str:
        return f"{self.base}/saml/{self.connection_id}"

    @property
    def metadata(self) -> str:
        return self.entity_id

    @property
    def acs(self) -> str:
        return f"{self.base}/saml/{self.connection_id}/acs"

    @property
    def slo(self) -> str:
        return f"{self.base}/saml/{self.connection_id}/slo"

    @property
    def callback(self) -> str:
        return f"{self.base}/oidc/{self.connection_id}/callback"

    @property
    def back_channel(self) -> str:
        return f"{self.base}/oidc/{self.connection_id}/backchannel-logout"

    @property
    def front_channel(self) -> str:
        return f"{self.base}/oidc/{self.connection_id}/frontchannel-logout"


@dataclass(frozen=True, slots=True)
class SamlKey:
    """What our messages are signed with and assertions to us are encrypted to: PEM texts. Newest first in lists."""

    certificate: str
    private: str = field(repr=False)
