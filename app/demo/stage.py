"""What has to stand before the story begins: the tenant, its sources, a token. And how far an earlier play came.

no tenant of the name ─▶ absent          a key of the demo's ─▶ played
the demo's token only ─▶ begun, was interrupted: the story is told from the start, nothing comes twice
neither ─▶ somebody else's tenant: left alone
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from app.adapters.administering import Doer, invite, invite_again
from app.demo.people import DOMAIN, TITLE_CODES
from app.store import administrators, credentials, tenants
from app.store.engine import reading, writing
from app.store.tenants import NotFoundError, SourceRow, Tenant

TENANT: Final = "demo"
OKTA: Final = "okta"
HR: Final = "hr"
LABEL: Final = "demo"  # of its token and of its API key
OWNER: Final = f"owner@{DOMAIN}"  # who administers it in the console
OWNER_NAME: Final = "Olga Owner"
LINK_GOOD_FOR: Final = timedelta(days=7)


class Progress(StrEnum):
    ABSENT = "absent"
    BEGUN = "begun"
    PLAYED = "played"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's tenant and its two sources."""

    tenant: Tenant
    okta: SourceRow
    hr: SourceRow


def progress(engine: sa.Engine) -> Progress:
    """How far an earlier play came."""
    with reading(engine) as conn:
        try:
            tenant = tenants.find(conn, TENANT)
        except NotFoundError:
            return Progress.ABSENT
        issued = credentials.listing(conn, tenant.id, ["scim_token", "api_key"])
    kinds = {one.kind for one in issued if one.name == LABEL}
    if "api_key" in kinds:
        return Progress.PLAYED
    return Progress.BEGUN if kinds else Progress.FOREIGN


def build(engine: sa.Engine) -> tuple[Stage, str]:
    """Makes everything in one transaction; returns it with the secret of Okta's token.

    Raises:
        NameTakenError: the tenant is there.
    """
    with writing(engine) as conn:
        tenant = tenants.create(conn, TENANT)
        okta = tenants.create_source(conn, tenant.id, OKTA, kind="idp", system="okta")
        maps = {"value_maps": {"title": TITLE_CODES}}
        hr = tenants.create_source(conn, tenant.id, HR, kind="hris", system="generic", settings=maps)
        token = credentials.issue(conn, tenant.id, "scim_token", LABEL, source_id=okta.id)
    return Stage(tenant, okta, hr), token.secret


def find(engine: sa.Engine) -> Stage:
    """The stage that stands already.

    Raises:
        NotFoundError: the tenant or a source of it is gone.
    """
    with reading(engine) as conn:
        tenant = tenants.find(conn, TENANT)
        return Stage(tenant, tenants.find_source(conn, tenant.id, OKTA), tenants.find_source(conn, tenant.id, HR))


def fresh_token(engine: sa.Engine, stage: Stage) -> str:
    """The secret of a new SCIM token of Okta's; the demo's older ones end."""
    return _fresh(engine, stage, "scim_token", source_id=stage.okta.id)


def fresh_key(engine: sa.Engine, stage: Stage) -> str:
    """The secret of a new API key that reads accounts and events; the demo's older ones end."""
    return _fresh(engine, stage, "api_key", scopes=("accounts:read", "events:read"))


def fresh_invitation(engine: sa.Engine, stage: Stage) -> str:
    """The secret of a link that lets the demo's owner into the console; older ones that nobody used end."""
    tenant_id, doer = stage.tenant.id, Doer("demo", "owner")
    with reading(engine) as conn:
        known = administrators.by_email(conn, tenant_id, OWNER)
    if known is None:
        return invite(engine, tenant_id, OWNER, OWNER_NAME, "owner", LINK_GOOD_FOR, doer).link.secret
    return invite_again(engine, tenant_id, known.id, LINK_GOOD_FOR, doer).link.secret


def _fresh(
    engine: sa.Engine,
    stage: Stage,
    kind: credentials.Kind,
    *,
    source_id: str | None = None,
    scopes: tuple[str, ...] = (),
) -> str:
    tenant_id = stage.tenant.id
    with writing(engine) as conn:
        for old in credentials.listing(conn, tenant_id, [kind]):
            if old.name == LABEL and old.revoked_at is None:
                credentials.revoke(conn, tenant_id, old.id, kind)
        return credentials.issue(conn, tenant_id, kind, LABEL, source_id=source_id, scopes=scopes).secret
