"""Administrators and set-up links, as owners and others see and change them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.store import administrators, console_links, tenants
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.adapters.administrators import Person
from tests.console.conftest import Console, Seen

Enter = Callable[..., Console]
HOME = "/admin/administrators"
LINKS = "/admin/set-up-links"


def address(page: Seen, kind: str) -> str:
    found = re.search(rf"<code>http://127\.0\.0\.1:8080/admin/{kind}/([A-Za-z0-9_-]{{43}})</code>", page.html)
    assert found, page.text
    return found[1]


def state(engine: sa.Engine, secret: str) -> str | None:
    with reading(engine) as conn:
        found = console_links.find(conn, secret)
    return found.state if found else None


def invite(owner: Console, **said: str) -> Seen:
    return owner.post(HOME, **{"email": "eve@acme.example", "name": "Eve", "role": "auditor", "days": "7", **said})


def test_an_invitation_is_shown_once(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    owner = console("owner")
    page = invite(owner)
    secret = address(page, "invitation")
    assert (page.status, state(engine, secret)) == (200, "open")
    assert page.headers["Cache-Control"] == "no-store"
    page = owner.get(HOME)
    assert secret not in page.html
    assert re.search(r"Eve eve@acme.example Auditor Invited until", page.text)
    with reading(engine) as conn:
        [actor] = conn.execute(
            sa.text("SELECT created_by FROM administrators WHERE email = 'eve@acme.example'")
        ).scalars()
    assert re.fullmatch(r"administrator owner-.*@acme\.example", actor)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"email": "eve"}, "Write an e-mail address"),
        ({"days": "31"}, "30 days at most"),
        ({"days": "x"}, "30 days at most"),
        ({"role": "king"}, "Choose one of the roles"),
    ],
)
def test_a_wrong_form_comes_back_as_it_was(console: Enter, said: dict[str, str], sentence: str) -> None:
    page = invite(console("owner"), **said)
    assert page.status == 422
    assert sentence in page.text
    assert 'value="Eve"' in page.html
    assert 'aria-invalid="true"' in page.html


def test_one_is_looked_at_changed_invited_again_and_removed(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    owner = console("owner")
    first = address(invite(owner), "invitation")
    with reading(engine) as conn:
        eve = administrators.by_email(conn, tenant.id, "eve@acme.example")
    assert eve is not None
    here = f"{HOME}/{eve.id}"
    assert "eve@acme.example" in owner.get(here).text
    assert "Eve is Help desk from now on." in owner.post(f"{here}/role", role="help_desk").said
    assert owner.post(f"{here}/role", role="king").status == 422
    second = address(owner.post(f"{here}/invite", days="1"), "invitation")
    assert (state(engine, first), state(engine, second)) == ("revoked", "open")
    assert owner.post(f"{here}/invite", days="0").status == 422
    assert "The invitation is taken back." in owner.post(f"{here}/revoke-invitation").said
    assert state(engine, second) == "revoked"
    page = owner.post(f"{here}/remove")
    assert (page.at, "Eve is no administrator any more." in page.said) == (HOME, True)
    assert owner.get(here).status == 404


def test_starting_over_forgets_what_they_sign_in_with(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    owner, bob = console("owner"), Person(engine, tenant.id, "bob@acme.example", "admin").with_password()
    secret = address(owner.post(f"{HOME}/{bob.id}/invite", days="1", start_over="yes"), "invitation")
    assert bob.session() is None
    assert bob.sign_in(bob.later()) is None
    assert state(engine, secret) == "open"


def test_the_last_owner_who_can_come_in_is_kept(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    ada = Person(engine, tenant.id).with_password()
    owner = console("owner")  # has no way back
    for page in (owner.post(f"{HOME}/{ada.id}/remove"), owner.post(f"{HOME}/{ada.id}/role", role="auditor")):
        assert "last owner" in page.text
    assert ada.here.role == "owner"


def test_somebody_who_is_removed_or_made_less_is_so_at_the_next_click(console: Enter, tenant: Tenant) -> None:
    owner, bob = console("owner"), console("owner")
    owner.post(f"{HOME}/{bob.actor_id}/role", role="auditor")
    assert invite(bob).status == 403
    owner.post(f"{HOME}/{bob.actor_id}/remove")
    assert bob.get(HOME, follow=False).status == 303
    assert invite(bob).status == 401


def test_another_tenants_administrators_are_not_here(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    owner, theirs = console("owner"), console("owner", tenant_id=other.id)
    assert owner.get(f"{HOME}/{theirs.actor_id}").status == 404
    for act, said in (
        ("role", {"role": "auditor"}),
        ("invite", {"days": "7"}),
        ("remove", {}),
        ("revoke-invitation", {}),
    ):
        assert owner.post(f"{HOME}/{theirs.actor_id}/{act}", **said).status == 404
    assert theirs.get(HOME).status == 200


def test_the_list_goes_on(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    owner = console("auditor")
    with writing(engine) as conn:
        for number in range(60):
            administrators.create(conn, tenant.id, f"a{number:02}@acme.example", "Somebody", "auditor", "test")
    page = owner.get(HOME)
    assert page.text.count("Somebody") == 50
    [onward] = [link for link in page.links if link.startswith("?after=")]
    assert owner.get(f"{HOME}{onward}").text.count("Somebody") == 10
    assert "Invite somebody" not in page.text


def test_roles_that_open_the_console_are_named(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    page = console("auditor").get(HOME)
    assert "admin : Administrator" in page.text
    assert "/admin/groups/roles" in page.links
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE roles SET console = NULL")
    assert "None: only the people above come in" in console("auditor").get(HOME).text


def test_set_up_links_are_made_listed_and_taken_back(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    admin, auditor = console("admin"), console("auditor")
    page = admin.get(f"{LINKS}?for=scim%20{okta.id}")
    assert f'<option value="scim {okta.id}" selected>Provisioning: okta</option>' in page.html
    wrong = admin.post(LINKS, target=f"scim {okta.id}", note="", days="7")
    assert (wrong.status, "Write for whom it is" in wrong.text) == (422, True)
    assert admin.post(LINKS, target="scim x", note="Kim", days="7").status == 422
    assert admin.post(LINKS, target=f"scim {okta.id}", note="Kim", days="31").status == 422
    secret = address(admin.post(LINKS, target=f"scim {okta.id}", note="Kim of IT", days="7"), "set-up")
    assert state(engine, secret) == "open"
    page = auditor.get(LINKS)
    assert "Kim of IT" in page.text
    assert secret not in page.html
    assert "Make the link" not in page.text
    with reading(engine) as conn:
        [link] = console_links.listing(conn, tenant.id)
    assert "taken back" in admin.post(f"{LINKS}/{link.id}/revoke").said[0]
    assert admin.post(f"{LINKS}/{link.id}/revoke").status == 404
    assert state(engine, secret) == "revoked"


def test_set_up_links_say_what_to_do_first(console: Enter) -> None:
    assert "There is nothing to set up yet" in console("admin").get(LINKS).text
