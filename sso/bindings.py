"""How a message leaves us through the browser: a signed redirect (Bindings §3.4) or a form that sends itself (§3.5)."""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from sso import saml_keys
from sso.connections import SamlKey
from sso.saml_names import RSA_SHA256

Kind = Literal["SAMLRequest", "SAMLResponse"]

_RAW_DEFLATE: Final = -15


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser to `url`."""

    url: str


@dataclass(frozen=True, slots=True)
class Form:
    """Let the browser post `fields` to `action`."""

    action: str
    fields: Mapping[str, str]


def new_request_id() -> str:
    """An ID for a message of ours: 160 random bits, and a letter first, as xs:ID demands."""
    return f"_{secrets.token_hex(20)}"


def redirect(url: str, kind: Kind, message: bytes, relay_state: str | None, key: SamlKey) -> Redirect:
    """The message deflated into the address, signed over the query as it is sent."""
    deflater = zlib.compressobj(wbits=_RAW_DEFLATE)
    packed = base64.b64encode(deflater.compress(message) + deflater.flush()).decode()
    parts: list[tuple[str, str]] = [(kind, packed)]
    if relay_state is not None:
        parts.append(("RelayState", relay_state))
    parts.append(("SigAlg", RSA_SHA256))
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in parts)
    signature = base64.b64encode(_sign(query.encode(), key)).decode()
    separator = "&" if "?" in url else "?"
    return Redirect(f"{url}{separator}{query}&Signature={quote_plus(signature)}")


def form(action: str, kind: Kind, message: bytes, relay_state: str | None) -> Form:
    """The message, which carries its signature inside, as a form."""
    fields = {str(kind): base64.b64encode(message).decode()}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    return Form(action, fields)


def _sign(data: bytes, key: SamlKey) -> bytes:
    return saml_keys.private(key).sign(data, padding.PKCS1v15(), hashes.SHA256())
