from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.identity.model import EMPTY, Grant, Record, RoleMapping, Rules, Source
from app.identity.roles import administers, derive

from .people import (
    ADMIN,
    ENTRA,
    INSTRUCTOR,
    LEARNER,
    LOGIN,
    OKTA,
    PAIRED,
    WORKDAY,
    account,
    grant,
    mapping,
    record,
    rules,
)

STAFF = mapping("m1", "group", "g-staff")
TEACHERS = mapping("m2", "group", "g-teachers", INSTRUCTOR)


def of(*mappings: RoleMapping, **changes: Any) -> Rules:
    return rules(mappings=mappings, **changes)


def granted(by: Rules, *records: Record, attributes: dict[str, Any] | None = None, active: bool = True) -> list[str]:
    return [f"{g.role}@{g.scope}" for g in derive(attributes or {}, records, active, by) if g.effective]


def test_what_is_not_mapped_grants_nothing() -> None:
    okta = record(OKTA, {"title": "Admin"}, groups=frozenset({"admin"}), roles=frozenset({"admin"}))
    assert derive({"title": "admin"}, [okta], True, of(STAFF)) == ()


def test_a_group_grants_its_role() -> None:
    assert derive({}, [record(OKTA, groups=frozenset({"g-staff"}))], True, of(STAFF)) == (
        Grant("learner", "tenant", "mapping:m1", True),
    )


@pytest.mark.parametrize("kind", ["role", "entitlement"])
def test_scim_roles_and_entitlements_feed_mappings_as_groups_do(kind: str) -> None:
    said: dict[str, Any] = {
        "role": {"roles": frozenset({"Teacher "})},
        "entitlement": {"entitlements": frozenset({"TEACHER"})},
    }[kind]
    assert granted(of(mapping("m", kind, "teacher", INSTRUCTOR)), record(OKTA, **said)) == ["instructor@tenant"]


def test_an_attribute_rule_compares_the_accounts_folded_value() -> None:
    by = of(mapping("m", "attribute", "head of sales", INSTRUCTOR, attribute="title"))
    assert granted(by, attributes={"title": " Head of SALES"}) == ["instructor@tenant"]
    assert granted(by, record(OKTA, {"title": "Head of sales"}), attributes={"title": "Clerk"}) == []


def test_an_attribute_rule_of_one_source_hears_that_source_alone_in_the_lms_terms() -> None:
    workday = replace(WORKDAY, value_maps={"department": {"D1": "Sales"}})
    by = rules(workday, mappings=(mapping("m", "attribute", "sales", attribute="department", source_id=workday.id),))
    assert granted(by, record(workday, {"department": "D1"})) == ["learner@tenant"]
    assert granted(by, record(OKTA, {"department": "Sales"}), attributes={"department": "Sales"}) == []
    assert granted(by, record(workday, {"department": EMPTY})) == []


def test_inactive_and_deleted_records_grant_nothing() -> None:
    groups = frozenset({"g-staff"})
    assert granted(of(STAFF), record(OKTA, groups=groups, active=False)) == []
    assert granted(of(STAFF), record(OKTA, groups=groups, deleted=True)) == []


def test_the_grants_of_a_retired_source_end() -> None:
    by = rules(replace(OKTA, retired=True), mappings=(STAFF,))
    assert derive({}, [record(OKTA, groups=frozenset({"g-staff"}))], True, by) == ()


def test_a_logins_groups_count_only_while_the_idp_pushes_none() -> None:
    login = record(LOGIN, groups=frozenset({"g-staff"}))
    assert granted(of(STAFF), login, record(OKTA)) == ["learner@tenant"]
    assert granted(of(STAFF), login, record(OKTA, groups=frozenset({"other"}))) == []


@pytest.mark.parametrize(
    ("login", "pushing", "record_of", "counts"),
    [
        (PAIRED, OKTA, OKTA, False),  # though this person is in none of the groups that it pushes
        (PAIRED, ENTRA, ENTRA, True),  # another's groups are no business of this pair
        (PAIRED, OKTA, WORKDAY, True),  # SCIM does not know the person yet
        (LOGIN, ENTRA, ENTRA, False),
    ],
)
def test_which_sources_groups_silence_those_of_a_login(
    login: Source, pushing: Source, record_of: Source, counts: bool
) -> None:
    by = rules(login, replace(pushing, pushes_groups=True), mappings=(STAFF,))
    records = [record(login, groups=frozenset({"g-staff"})), record(record_of)]
    assert bool(derive({}, records, True, by)) is counts


def test_the_highest_role_wins_within_a_scope() -> None:
    course = replace(STAFF, id="m3", scope="course:y")
    okta = record(OKTA, groups=frozenset({"g-staff", "g-teachers"}))
    assert granted(of(STAFF, TEACHERS, course), okta) == ["instructor@tenant", "learner@course:y"]


def test_or_all_roles_count_where_the_tenant_says_so() -> None:
    okta = record(OKTA, groups=frozenset({"g-staff", "g-teachers"}))
    by = of(STAFF, TEACHERS, highest_role_wins=False)
    assert granted(by, okta) == ["instructor@tenant", "learner@tenant"]


def test_all_grants_are_kept_and_effective_roles_computed() -> None:
    okta = record(OKTA, groups=frozenset({"g-staff", "g-teachers"}))
    grants = derive({}, [okta], True, of(STAFF, TEACHERS))
    assert [(g.role, g.effective) for g in grants] == [("instructor", True), ("learner", False)]


def test_among_equal_ranks_the_mappings_priority_decides() -> None:
    coach = replace(INSTRUCTOR, name="coach")
    roles = {role.name: role for role in (INSTRUCTOR, coach)}
    okta = record(OKTA, groups=frozenset({"g-teachers"}))
    low, high = mapping("a", "group", "g-teachers", coach), replace(TEACHERS, priority=3)
    assert granted(of(low, high, roles=roles), okta) == ["instructor@tenant"]
    assert granted(of(replace(low, priority=3), high, roles=roles), okta) == ["coach@tenant"]


def test_an_inactive_account_has_no_effective_role() -> None:
    okta = record(OKTA, groups=frozenset({"g-staff"}))
    grants = derive({}, [okta], False, of(STAFF), [grant(ADMIN)])
    assert [(g.role, g.effective) for g in grants] == [("admin", False), ("learner", False)]


def test_an_unknown_role_is_never_effective_and_hides_no_other() -> None:
    okta = record(OKTA, groups=frozenset({"g-staff"}))
    ghost = replace(STAFF, id="m9", role="ghost")
    assert granted(of(STAFF, ghost), okta) == ["learner@tenant"]
    assert granted(of(ghost, highest_role_wins=False), okta) == []


def test_a_role_given_by_hand_stands_beside_the_mapped_ones() -> None:
    grants = derive({}, [], True, rules(), [grant(INSTRUCTOR), grant(INSTRUCTOR, effective=False)])
    assert grants == (Grant("instructor", "tenant", "hand", True),)


def test_two_rules_that_give_the_same_role_are_both_effective() -> None:
    okta = record(OKTA, groups=frozenset({"g-staff"}), roles=frozenset({"x"}))
    grants = derive({}, [okta, record(ENTRA)], True, of(STAFF, mapping("m0", "role", "x")))
    assert [(g.rule, g.effective) for g in grants] == [("mapping:m0", True), ("mapping:m1", True)]


def test_a_mapping_limited_to_a_source_ignores_the_groups_of_others() -> None:
    by = of(replace(STAFF, source_id=ENTRA.id))
    assert granted(by, record(OKTA, groups=frozenset({"g-staff"}))) == []


def test_an_administrator_is_who_has_an_effective_administrator_role() -> None:
    assert administers(account(grants=(grant(ADMIN),)), rules())
    assert not administers(account(grants=(grant(ADMIN, effective=False), grant(LEARNER))), rules())
