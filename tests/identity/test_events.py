from __future__ import annotations

import json
from dataclasses import replace

from app.identity.changes import diff
from app.identity.events import Event, events
from app.identity.model import Account, Status

from .people import INSTRUCTOR, LEARNER, account, grant

ANNA = account(attributes={"title": "Head"}, grants=(grant(LEARNER),))
LEFT = replace(ANNA, status=Status.INACTIVE, grants=(grant(LEARNER, effective=False),))


def told(before: Account | None, after: Account) -> tuple[Event, ...]:
    return events(before, after, diff(before, after))


def test_an_event_exists_only_if_something_changed() -> None:
    assert told(ANNA, replace(ANNA, version=3)) == ()


def test_a_new_account_is_one_event() -> None:
    (event,) = told(None, ANNA)
    assert (event.type, event.account_id) == ("account.created", "anna")
    assert event.data["after"] == {
        "affiliation": "employee",
        "roles": {"tenant": ["learner"]},
        "status": "active",
        "title": "Head",
    }


def test_an_event_carries_before_and_after_of_what_changed_only() -> None:
    (event,) = told(ANNA, replace(ANNA, attributes={"title": "Chief"}))
    assert event.type == "account.updated"
    assert event.data == {
        "status": "active",
        "roles": {"tenant": ["learner"]},
        "before": {"title": "Head"},
        "after": {"title": "Chief"},
    }


def test_a_leaver_is_told_first_and_the_lost_roles_after() -> None:
    said = told(ANNA, LEFT)
    assert [event.type for event in said] == ["account.deactivated", "account.roles_changed"]
    assert said[0].data == {
        "status": "inactive",
        "roles": {},
        "before": {"status": "active"},
        "after": {"status": "inactive"},
    }
    assert said[1].data["before"] == {"roles": {"tenant": ["learner"]}}


def test_a_return_is_an_activation() -> None:
    assert [event.type for event in told(LEFT, ANNA)] == ["account.activated", "account.roles_changed"]


def test_a_change_of_everything_is_one_event_a_kind() -> None:
    other = replace(LEFT, attributes={}, grants=(grant(INSTRUCTOR),))
    said = told(ANNA, other)
    assert [event.type for event in said] == ["account.deactivated", "account.roles_changed", "account.updated"]
    assert all(json.loads(json.dumps(event.data)) == event.data for event in said)
