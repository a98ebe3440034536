"""What the groups of a login do."""

from __future__ import annotations

from app.grouping import Grouping, GroupSpoken
from app.logins import TOO_MANY_GROUPS
from app.store import drift
from app.store import tables as t

from .people import id_of, mapped, one, rows, scim


def test_groups_of_a_login_feed_mappings_and_an_unmapped_one_gives_nothing(engine, tenant, door, saml) -> None:
    assert door(saml, "ada", groups=("Teachers", "Other")).after.roles == ()
    mapped(engine, tenant, saml, "Teachers", id_of(engine, "Teachers"))
    assert door(saml, "ada", groups=("TEACHERS", "Other")).after.roles == ("instructor",)
    assert door(saml, "ada", groups=None).after.roles == ("instructor",), "a missing claim changes nothing"
    changed = door(saml, "ada", groups=("Other",))
    assert changed.after.roles == ()
    assert rows(engine, t.audit)[-2].facts["attributes"] == ["groups"]
    assert door(saml, "ada", groups=()).after.roles == ()
    assert rows(engine, t.members) == []
    assert [row.display_name for row in rows(engine, t.groups)].count("Teachers") == 1


def test_a_mapping_takes_up_the_group_for_which_it_waited(engine, tenant, door, saml) -> None:
    mapped(engine, tenant, saml, "Teachers")
    assert door(saml, "ada", groups=("teachers",)).after.roles == ("instructor",)
    assert door(saml, "bob", groups=("Teachers",)).after.roles == ("instructor",)


def test_a_logins_groups_count_only_while_its_source_pushes_none(engine, tenant, okta, door, saml) -> None:
    mapped(engine, tenant, saml, "Teachers")
    door(saml, "ada", groups=("Teachers",))
    made = one(engine, tenant, scim(okta, "ada"))
    assert made.after.roles == ("instructor",)
    groups = Grouping(engine, tenant.id, okta.id, "test")
    pushed = groups.create(GroupSpoken({"displayName": "Anybody"}, {}))
    [run] = rows(engine, t.runs)
    assert (run.kind, run.state, run.total) == ("rules", "queued", 1)
    assert door(saml, "ada").after.roles == (), (
        "not of this person: then removal from the last group would give it back"
    )
    groups.delete(groups.create(GroupSpoken({"displayName": "Second"}, {})), None)
    assert door(saml, "ada").after.roles == ()
    groups.delete(pushed, None)
    assert len(rows(engine, t.runs)) == 2
    assert door(saml, "ada").after.roles == ("instructor",)


def test_names_that_cannot_be_and_too_many_are_left_out_and_reported(engine, tenant, door, saml) -> None:
    many = tuple(f"g{number:04}" for number in range(1_001))
    door(saml, "ada", groups=("x" * 257, "\0", " ", *many))
    assert len(rows(engine, t.groups)) == len(rows(engine, t.members)) == 1_000
    with engine.connect() as conn:
        assert [one.path for one in drift.listing(conn, tenant.id)] == [TOO_MANY_GROUPS]
