"""The write door for logins on the real database: one test a promise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.identity.writes import (
    AmbiguousError,
    InactiveError,
    NotProvisionedError,
    Outcome,
    RecordDelete,
    RecordWrite,
    Spoken,
)
from app.logins import Login, log_in
from app.store import finding
from app.store import rules as rulebook
from app.store import tables as t
from app.store.engine import writing
from app.store.tenants import assign_domain, raise_revision
from tests.databases import statements

from .people import everything, one, rows, scim, sign_in

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


# Whose login it is


def test_a_sign_in_that_creates_accounts_makes_an_active_one(engine, tenant, door, lone) -> None:
    made = door(lone, "ada", email="ada@x.org")
    assert (made.rule, made.after.status) == ("new", "active")
    assert made.after.attributes == {"userName": "ada", "emails.work": "ada@x.org"}
    assert [row.type for row in rows(engine, t.events)] == ["account.created"]
    assert [row.action for row in rows(engine, t.audit)] == ["record.created", "account.created"]
    again = door(lone, "ada renamed", subject="subject of ada")
    assert (again.rule, again.after.id) == ("link", made.after.id)


def test_a_sign_in_that_only_links_lets_nobody_in_whom_nobody_provisioned(engine, door, linking) -> None:
    before = everything(engine)
    with pytest.raises(NotProvisionedError):
        door(linking, "ada", groups=("Staff",))
    assert everything(engine) == before


@pytest.mark.parametrize("names", [("ADA ", "17"), (None, "Ada"), ("nobody", "ada")])
def test_a_login_finds_whom_the_paired_source_knows_by_the_same_name(
    engine, tenant, okta, door, linking, names: tuple[str | None, str]
) -> None:
    """By `user_name`, else by the subject, whatever the case."""
    made = one(engine, tenant, scim(okta, "aDa"))
    name, subject = names
    login = Login(linking.id, subject, name, Spoken(True, {"userName": name or subject}), {})
    found = log_in(engine, tenant.id, login, actor="sign-in", now=NOW, finish=lambda _conn, outcome: outcome)
    assert (found.rule, found.after.id) == ("paired userName", made.after.id)


def test_the_better_name_stands_above_the_subject(engine, tenant, okta, door, linking) -> None:
    one(engine, tenant, scim(okta, "bob"))
    ada = one(engine, tenant, scim(okta, "ada"))
    assert door(linking, "ada", subject="bob").after.id == ada.after.id


def test_somebody_is_found_who_was_there_before_the_two_were_paired(engine, tenant, okta, door) -> None:
    made = one(engine, tenant, scim(okta, "ada"))
    late = sign_in(engine, tenant, "late", arrival="link", paired_source_id=okta.id)
    assert door(late, "ada").after.id == made.after.id


def test_an_unpaired_sign_in_finds_nobody_by_a_user_name(engine, tenant, okta, door, lone) -> None:
    made = one(engine, tenant, scim(okta, "ada"))
    assert door(lone, "ada").after.id != made.after.id


def test_a_name_that_the_paired_source_has_freed_finds_nobody(engine, tenant, okta, door, linking) -> None:
    made = one(engine, tenant, scim(okta, "ada"))
    one(engine, tenant, RecordDelete(okta.id, made.record_id or ""))
    with pytest.raises(NotProvisionedError):
        door(linking, "ada")


def test_an_administrator_is_found_by_the_paired_name_and_not_by_an_address(
    engine, tenant, okta, door, linking
) -> None:
    made = one(engine, tenant, scim(okta, "ada", **{"emails.work": "ada@x.org"}))
    with writing(engine) as conn:
        conn.execute(
            sa.update(t.accounts).values(
                grants=[{"role": "admin", "scope": "tenant", "rule": "hand", "effective": True}]
            )
        )
    with pytest.raises(AmbiguousError):
        door(linking, "somebody", email="ada@x.org")
    assert door(linking, "ada").after.id == made.after.id


def test_a_paired_sign_in_speaks_for_the_domains_of_its_source_alone(
    engine, tenant, okta, entra, door, linking, lone
) -> None:
    with writing(engine) as conn:
        assign_domain(conn, tenant.id, "okta.example", okta.id)
        assign_domain(conn, tenant.id, "entra.example", entra.id)
    ada = one(engine, tenant, scim(okta, "ada", **{"emails.work": "ada@okta.example"}))
    one(engine, tenant, scim(entra, "bob", **{"emails.work": "bob@entra.example"}))
    assert door(linking, "a1", email="ada@okta.example").after.id == ada.after.id
    with pytest.raises(NotProvisionedError):
        door(linking, "b1", email="bob@entra.example")
    assert door(lone, "a2", email="ada@okta.example").rule == "new"


def test_an_address_that_nobody_vouches_for_claims_nothing(engine, tenant, okta, door, saml) -> None:
    """Any tenant's administrator can set any address (nOAuth), and a userName may be one too."""
    made = one(engine, tenant, scim(okta, "ada", **{"emails.work": "ada@x.org"}))
    stranger = door(saml, "ada@x.org", email="ada@x.org", vouched=False)
    assert stranger.after.id != made.after.id
    assert [row.value for row in rows(engine, t.identifiers, t.identifiers.c.namespace == "email")] == ["ada@x.org"]
    later = one(engine, tenant, scim(okta, "a.lovelace", **{"emails.work": "al@x.org"}))
    assert later.after.id != stranger.after.id


def test_a_sign_in_has_the_numbering_of_its_source(engine, tenant, hr, door, linking, lone) -> None:
    made = one(engine, tenant, RecordWrite(hr.id, Spoken(True, {"employeeNumber": "E1"}), {}, source_key="1"))
    assert door(linking, "ada", number="e1").after.id == made.after.id
    assert door(lone, "ada", number="e1").rule == "new"


def test_doubt_refuses_where_nothing_is_created_and_is_shown_where_it_is(
    engine, tenant, okta, hr, door, linking, saml
) -> None:
    one(engine, tenant, scim(okta, "ada", employeeNumber="1", **{"emails.work": "a@x.org"}))
    before = everything(engine)
    with pytest.raises(AmbiguousError):
        door(linking, "other", email="a@x.org", number="2")
    assert everything(engine) == before
    made = door(saml, "other", email="a@x.org", number="2")
    assert made.rule == "new"
    assert len(rows(engine, t.duplicates)) == 1


def test_a_second_subject_of_one_sign_in_is_linked_by_the_paired_name(engine, tenant, okta, door, linking) -> None:
    """The provider was set to another kind of NameID: its own source still says who it is."""
    made = one(engine, tenant, scim(okta, "ada"))
    assert door(linking, "ada", subject="old").after.id == door(linking, "ada", subject="new").after.id == made.after.id


def test_administrators_find_by_name_whom_a_paired_sign_in_made(engine, tenant, door, saml) -> None:
    made = door(saml, "Ada")
    with engine.connect() as conn:
        found = finding.find(conn, tenant.id, "ADA", rulebook.current(conn, tenant.id))
    assert [str(row.id) for row in found] == [made.after.id]


# A SCIM POST that comes after a login


def test_scim_finds_whom_a_paired_sign_in_made_though_no_address_does(engine, tenant, okta, door, saml) -> None:
    made = door(saml, "ada", shown="Ada from the sign-in")
    found = one(engine, tenant, scim(okta, "ADA", displayName="Ada from SCIM"))
    assert (found.rule, found.after.id) == ("paired userName", made.after.id)
    assert found.after.attributes["displayName"] == "Ada from SCIM"
    assert door(saml, "ada", shown="Countess").after.attributes["displayName"] == "Ada from SCIM", "it owns nothing now"
    silent = one(engine, tenant, scim(okta, "ada", id=found.record_id))
    assert "displayName" not in silent.after.attributes


def test_scim_finds_whom_another_sign_in_made_by_the_address(engine, tenant, okta, door, lone) -> None:
    with writing(engine) as conn:
        assign_domain(conn, tenant.id, "x.org", lone.id)
    made = door(lone, "ada", email="ada@x.org")
    with writing(engine) as conn:
        assign_domain(conn, tenant.id, "x.org", okta.id)
    assert one(engine, tenant, scim(okta, "other", **{"emails.work": "ada@x.org"})).after.id == made.after.id


# Who may come in


def test_a_leaver_is_refused_and_not_revived(engine, tenant, okta, door, saml) -> None:
    door(saml, "ada")
    made = one(engine, tenant, scim(okta, "ada"))
    one(engine, tenant, scim(okta, "ada", id=made.record_id, active=False))
    before = everything(engine)
    for subject in (None, "a first login of this subject"):
        with pytest.raises(InactiveError):
            door(saml, "ada", subject=subject, groups=("New",))
    assert everything(engine) == before
    one(engine, tenant, scim(okta, "ada", id=made.record_id))
    assert door(saml, "ada").after.id == made.after.id, "SCIM revives"


def test_a_termination_in_hr_ends_an_account_that_a_sign_in_made(engine, tenant, hr, door, saml) -> None:
    door(saml, "ada", email="ada@x.org")
    said = {"emails.work": "ada@x.org"}
    left = one(engine, tenant, RecordWrite(hr.id, Spoken(False, said), {}, source_key="1"))
    assert left.rule == "verified e-mail"
    with pytest.raises(InactiveError):
        door(saml, "ada", email="ada@x.org")


def test_an_administrators_suspension_holds(engine, door, saml) -> None:
    door(saml, "ada")
    with writing(engine) as conn:
        conn.execute(sa.update(t.accounts).values(suspended=True))
    with pytest.raises(InactiveError):
        door(saml, "ada", shown="new")


def test_a_retired_sign_in_lets_nobody_in(engine, tenant, okta, door, linking) -> None:
    one(engine, tenant, scim(okta, "ada"))
    door(linking, "ada")
    with writing(engine) as conn:
        conn.execute(sa.update(t.sources).where(t.sources.c.id == linking.id).values(state="retired"))
        raise_revision(conn, tenant.id)
    with pytest.raises(NotProvisionedError):
        door(linking, "ada")
    with pytest.raises(NotProvisionedError):
        door(okta, "ada")


# What is written


def test_the_same_login_again_writes_nothing_and_asks_little(engine, tenant, okta, door, saml) -> None:
    one(engine, tenant, scim(okta, "ada", **{"emails.work": "ada@x.org"}))
    door(saml, "ada", email="ada@x.org", groups=("Staff", "Ops"))
    before = everything(engine)
    with statements() as seen:
        door(saml, "ada", email="ada@x.org", groups=("ops ", "Staff"))
    assert everything(engine) == before
    assert len(seen) <= 6, seen


def test_finish_sees_the_saved_account_and_undoes_all_when_it_fails(engine, tenant, door, saml) -> None:
    def finish(conn: sa.Connection, outcome: Outcome) -> str:
        chosen = sa.select(t.accounts.c.status).where(t.accounts.c.id == outcome.after.id)
        return f"{conn.execute(chosen).scalar_one()} {outcome.rule}"

    def fail(_conn: sa.Connection, _outcome: Outcome) -> None:
        raise RuntimeError

    before = everything(engine)
    with pytest.raises(RuntimeError):
        door(saml, "ada", groups=("Staff",), finish=fail)
    assert everything(engine) == before
    assert door(saml, "ada", finish=finish) == "active new"


def test_a_login_is_invisible_to_scim_and_takes_nobodys_user_name(engine, tenant, okta, door, saml) -> None:
    door(saml, "ada", groups=("Staff",))
    assert rows(engine, t.records, t.records.c.source_id == okta.id) == []
    assert rows(engine, t.groups, t.groups.c.source_id == okta.id) == []
    assert one(engine, tenant, scim(okta, "ada")).version == 1
