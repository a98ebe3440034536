"""What a connection's settings may be: JSON in, `sso.connections` out, and a sentence for each thing that is wrong.

A setting that is not said has the dataclass's default; what is stored is what differs from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict
from dataclasses import fields as fields_of
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from app.outbound import ForbiddenAddressError, is_loopback, split
from app.store.tenants import DOMAIN
from sso import certificates
from sso.connections import MOST_SKEW, ClaimMap, Oidc, Saml

ANY_TENANT: Final = "{tenantid}"  # where an issuer names one of many tenants
LONGEST: Final = 1024  # of an entity id (SAML core 8.3.6), and of everything else
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f-\U0010ffff]*")


class BadConnectionError(ValueError):
    """Settings that cannot be. The message says which, and what is expected."""


def parse(kind: str, settings: Mapping[str, Any]) -> Saml | Oidc:
    """The settings of a connection.

    Raises:
        BadConnectionError: something is missing, unknown or wrong.
    """
    schema = {"saml": _SamlSchema, "oidc": _OidcSchema}.get(kind)
    if schema is None:
        raise BadConnectionError(f"a connection is of the type saml or oidc, not {kind!r}")
    parsed: Saml | Oidc = _load(schema(), settings)
    return parsed


def parse_claims(claims: Mapping[str, Any]) -> ClaimMap:
    """Which attribute or claim says what.

    Raises:
        BadConnectionError: something is unknown or wrong.
    """
    parsed: ClaimMap = _load(_ClaimsSchema(), claims)
    return parsed


def check_domain(domain: str) -> str:
    """The mail domain in lower case.

    Raises:
        BadConnectionError: it is none.
    """
    folded = domain.strip().rstrip(".").casefold()
    if not DOMAIN.fullmatch(folded):
        raise BadConnectionError(f"{domain!r} is not a domain name")
    return folded


def plain(value: Saml | Oidc | ClaimMap) -> dict[str, Any]:
    """What is stored: the settings that differ from their defaults."""
    said = asdict(value)
    defaults = {one.name: one.default for one in fields_of(value) if one.default is not MISSING}
    different = {name: given for name, given in said.items() if name not in defaults or given != defaults[name]}
    return {name: list(given) if isinstance(given, tuple) else given for name, given in different.items()}


def address(text: str) -> None:
    """Raise a ValidationError unless `text` is an address: https, or http on loopback."""
    try:
        parts = split(text)
    except ForbiddenAddressError as error:
        raise ValidationError(str(error)) from None
    if parts.scheme != "https" and not is_loopback(text):
        raise ValidationError("plain http is for loopback only; use https")


def _issuer(text: str) -> None:
    address(text.replace(ANY_TENANT, "any"))
    if "?" in text:
        raise ValidationError("an issuer has no query")
    if text.count(ANY_TENANT) > 1:
        raise ValidationError(f"an issuer has {ANY_TENANT} once at most")


def _word(text: str) -> None:
    if not text or text != text.strip() or not text.isprintable():
        raise ValidationError("it is empty, or has white space around it or control characters")


def _local_path(text: str) -> None:
    if not _LOCAL_PATH.fullmatch(text):
        raise ValidationError("expected a path of ours, which begins with one /")


def _certificate(text: str) -> None:
    try:
        certificates.read(text)
    except certificates.CertificateError as error:
        raise ValidationError(str(error)) from None


def _load(schema: Schema, said: Mapping[str, Any]) -> Any:
    try:
        return schema.load(dict(said))
    except ValidationError as error:
        raise BadConnectionError("; ".join(_sentences(error.messages))) from None


def _sentences(messages: Any, name: str = "") -> list[str]:
    """Marshmallow's tree of messages, each with the setting that it is about."""
    if isinstance(messages, Mapping):
        named = [(name or ("" if key == "_schema" else str(key)), one) for key, one in messages.items()]
        return [sentence for key, one in named for sentence in _sentences(one, key)]
    return [f"{name}: {one}" if name else str(one) for one in messages]


def _text(*checks: Any, **options: Any) -> fields.String:
    return fields.String(validate=[_word, validate.Length(max=LONGEST), *checks], **options)


def _address(**options: Any) -> fields.String:
    return _text(address, **options)


def _list(*checks: Any, most: int = 50, least: int = 0, **options: Any) -> fields.List:
    return fields.List(_text(*checks), validate=validate.Length(min=least, max=most), **options)


def _skew() -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(min=0, max=MOST_SKEW))


class _Settings(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "there is no such setting"}  # noqa: RUF012  (marshmallow declares it so)


class _SamlSchema(_Settings):
    entity_id = _text(required=True)
    sso_url = _address(required=True)
    certificates = fields.List(
        fields.String(validate=[validate.Length(max=certificates.LARGEST), _certificate]),
        required=True,
        validate=validate.Length(min=1, max=20, error="a connection needs its provider's signing certificate"),
    )
    sso_binding = fields.String(validate=validate.OneOf(["redirect", "post"]))
    slo_url = _address(allow_none=True)
    slo_response_url = _address(allow_none=True)
    slo_binding = fields.String(validate=validate.OneOf(["redirect", "post"]))
    want_assertions_signed = fields.Boolean()
    want_encrypted = fields.Boolean()
    name_id_format = _text(allow_none=True)
    contexts = _list()
    demand_context = fields.Boolean()
    force_authn = fields.Boolean()
    allow_unsolicited = fields.Boolean()
    relay_states = _list(_local_path)
    skew = _skew()

    @validates_schema
    def _agrees(self, data: Mapping[str, Any], **_: Any) -> None:
        _demands(data)
        if data.get("relay_states") and not data.get("allow_unsolicited"):
            raise ValidationError("they are for logins that nobody asked for: allow_unsolicited", "relay_states")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Saml:
        data["certificates"] = list(dict.fromkeys(certificates.read(one).body for one in data["certificates"]))
        return Saml(**_tuples(data))


class _OidcSchema(_Settings):
    issuer = _text(_issuer, required=True)
    client_id = _text(required=True)
    auth_method = fields.String(
        validate=validate.OneOf(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
    )
    scopes = _list(least=1)
    tenants = _list()
    hosted_domain = _text(allow_none=True)
    contexts = _list()
    demand_context = fields.Boolean()
    max_age = fields.Integer(strict=True, allow_none=True, validate=validate.Range(min=0, max=31_536_000))
    response_mode = fields.String(validate=validate.OneOf(["query", "form_post"]))
    use_userinfo = fields.Boolean()
    skew = _skew()

    @validates_schema
    def _agrees(self, data: Mapping[str, Any], **_: Any) -> None:
        _demands(data)
        if ANY_TENANT in data["issuer"] and not data.get("tenants"):
            raise ValidationError("an issuer of many tenants needs the list of those that may sign in", "tenants")
        if "openid" not in data.get("scopes", ("openid",)):
            raise ValidationError("without openid no ID token comes", "scopes")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Oidc:
        return Oidc(**_tuples(data))


_CLAIM_FIELDS: Final = {name.name: _list(most=10) for name in fields_of(ClaimMap)}


class _ClaimsSchema(_Settings.from_dict(_CLAIM_FIELDS)):  # type: ignore[misc]
    class Meta:
        unknown = RAISE

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> ClaimMap:
        return ClaimMap(**_tuples(data))


def _demands(data: Mapping[str, Any]) -> None:
    if data.get("demand_context") and not data.get("contexts"):
        raise ValidationError("it demands one of `contexts`, and there is none", "demand_context")


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
