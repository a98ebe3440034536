"""A tenant's settings: what is not one is refused, what is one is read back and raises the revision."""

from __future__ import annotations

import pytest

from app.store import tenant_settings, tenants
from app.store.engine import writing


def test_a_choice_is_read_back_beside_the_defaults(engine, tenant) -> None:
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "guard.share", "0.25")
        tenant_settings.choose(conn, tenant.id, "scim.account_extension", "False")
        found = tenants.find(conn, "acme")
    assert found.settings == {"guard": {"share": 0.25}, "scim": {"account_extension": False}}
    assert found.revision == tenant.revision + 2
    assert tenant_settings.value(found.settings, "guard.floor") == 5
    assert tenant_settings.value(found.settings, "guard.share") == 0.25


@pytest.mark.parametrize(
    ("name", "text"),
    [("nothing", "1"), ("guard.share", "2"), ("guard.share", "-0.1"), ("guard.floor", "x"), ("highest_role_wins", "1")],
)
def test_what_is_no_setting_is_refused(engine, tenant, name: str, text: str) -> None:
    with writing(engine) as conn, pytest.raises(ValueError, match=r"setting|number|range|true or false"):
        tenant_settings.choose(conn, tenant.id, name, text)
