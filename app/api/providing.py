"""The OpenID provider put together: our store, our keys, our public address."""

from __future__ import annotations

import sqlalchemy as sa

from app.adapters.provider import ProviderStore
from app.events.issuing import Issuer, ReadyIssuer
from app.settings import Settings
from app.store.vault import Vault
from sso.minting import Mint
from sso.provider import People


def people(engine: sa.Engine, settings: Settings) -> People | None:
    """What tokens for people need; None without ROLLCALL_SECRET_KEY, since nothing could be signed."""
    if settings.secret_key is None:
        return None
    vault = Vault(settings.secret_key)
    signer = ReadyIssuer(Issuer(engine, vault, settings.public_url))
    return People(ProviderStore(engine, vault), Mint(settings.public_url, signer))
