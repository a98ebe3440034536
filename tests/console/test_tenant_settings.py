"""The organisation's settings: read by everybody, changed by an owner, all of a form or none."""

from __future__ import annotations

import sqlalchemy as sa

from app.store import tables as t
from app.store import tenants
from app.store.engine import reading
from app.store.tenant_settings import SETTINGS, value


def chosen(engine) -> dict:
    with reading(engine) as conn:
        return tenants.find(conn, "acme").settings


def form(**changes: str) -> dict[str, str]:
    """What the form sends when nothing was touched, with some changed."""
    sent: dict[str, str] = {}
    for one in SETTINGS:
        if one.name == "highest_role_wins":
            continue
        sent[f"has-{one.name}"] = "yes"
        if not isinstance(one.default, bool):
            sent[one.name] = str(one.default)
        elif one.default:
            sent[one.name] = "yes"
    return {**sent, **changes}


def test_every_setting_is_there_with_its_sentence_and_default(console) -> None:
    for role in ("auditor", "owner"):
        text = console(role).get("/admin/settings").text
        for one in SETTINGS:
            if one.name != "highest_role_wins":
                assert one.sentence in text
        assert "only the highest is effective" in text


def test_an_owner_saves_what_differs(console, engine, tenant) -> None:
    owner = console("owner")
    assert owner.post("/admin/settings", **form()).said == ["Nothing differs from before."]
    sent = form(**{"guard.share": "0.25", "scim.roles_endpoint": "yes"})
    del sent["scim.account_extension"]
    assert owner.post("/admin/settings", **sent).said == ["Saved: 3 settings."]
    now = chosen(engine)
    assert value(now, "guard.share") == 0.25
    assert value(now, "scim.roles_endpoint") is True
    assert value(now, "scim.account_extension") is False
    with reading(engine) as conn:
        (facts,) = conn.execute(sa.select(t.audit.c.facts).where(t.audit.c.action == "setting.saved")).scalars()
    assert facts["settings"]["guard.share"] == {"before": 0.1, "after": 0.25}


def test_one_wrong_value_saves_none_and_stands_at_its_field(console, engine, tenant) -> None:
    seen = console("owner").post("/admin/settings", **form(**{"guard.share": "2", "session.hours": "8"}))
    assert seen.status == 422
    assert "out of its range: 0 to 1" in seen.text
    assert 'value="2"' in seen.html
    assert 'value="8"' in seen.html
    assert chosen(engine) == {}


def test_only_an_owner_changes_them(console, engine, tenant) -> None:
    admin = console("admin")
    assert 'name="guard.share"' not in admin.get("/admin/settings").html
    assert admin.post("/admin/settings", **form(**{"guard.share": "0.25"})).status == 403
    assert admin.post("/admin/settings/highest-role", wins="false").status == 403
    assert chosen(engine) == {}


def test_whether_the_highest_role_wins_is_shown_first(console, engine, tenant) -> None:
    owner = console("owner")
    plan = owner.post("/admin/settings/highest-role", wins="false")
    assert "All roles count" in plan.text
    assert "Nobody would be changed" in plan.text
    assert chosen(engine) == {}
    owner.post(f"{plan.at}/save")
    assert chosen(engine) == {"highest_role_wins": False}
    assert "all are effective" in owner.get("/admin/settings").text
