"""The story is true: each fact that it tells is looked up again in the database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.demo import stage, story
from app.demo.okta import DemoError
from app.demo.view import accounts


def test_the_story_tells_what_happened(engine: sa.Engine, url: str) -> None:
    stand, token = stage.build(engine)
    said: list[str] = []
    told = story.play(engine, stand, token, url, said.append)
    seen = {one.name: one for one in accounts(engine, stand.tenant.id).values()}

    assert told.people == 20
    assert len(seen) == 21
    assert told.groups == {"Everyone": 20, "Trainers": 4, "Team Leads": 4, "Academy Admins": 2}

    assert len(told.titles_corrected) == 7
    assert seen["Priya Raman"].title == "Senior Trainer"
    assert seen["Luca Bianchi"].title == "Trainer"

    assert told.managers_given == 18
    assert told.several_managers == {
        "Priya Raman": ["Amara Okafor", "Mei Tanaka"],
        "Hana Novak": ["Mei Tanaka", "Amara Okafor"],
    }
    assert seen["Priya Raman"].manager_id == seen["Amara Okafor"].id
    assert seen["Hana Novak"].manager_id == seen["Mei Tanaka"].id

    assert told.ended == [one.name for one in seen.values() if one.status == "inactive"] == ["Daniel Mensah"]
    assert seen["Daniel Mensah"].roles == ()

    trainers = {"Priya Raman", "Luca Bianchi", "Hana Novak"}
    assert set(told.would_become_instructor) == trainers
    assert {name for name, one in seen.items() if one.roles == ("instructor",)} == trainers
    assert {role: len(holders) for role, holders in told.roles.items()} == {
        "instructor": 3,
        "manager": 2,
        "admin": 2,
        "learner": 12,
    }

    assert seen["Lucia Bianchi"].id != seen["Luca Bianchi"].id
    assert len(told.held) == 8
    assert all(seen[name].status == "active" for name in told.held)
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM duplicates WHERE state = 'open'").scalar() == 1
        [held] = conn.exec_driver_sql("SELECT total FROM runs WHERE state = 'held'").scalars()
    assert held == 8

    text = "\n".join(said)
    assert "Priya Raman, Luca Bianchi and Hana Novak would become instructor." in text
    assert "okta says Trainer: idp comes after hris" in text
    assert "Member of the group Trainers of okta." in text


def test_okta_still_says_active_of_whom_hr_ended(engine: sa.Engine, url: str) -> None:
    stand, token = stage.build(engine)
    story.play(engine, stand, token, url, lambda _line: None)
    records = sa.text("""
        SELECT s.name, r.active FROM records r JOIN sources s ON s.id = r.source_id
        JOIN accounts a ON a.id = r.account_id WHERE a.status = 'inactive' ORDER BY s.name
    """)
    with engine.connect() as conn:
        assert conn.execute(records).all() == [("hr", False), ("okta", True)]


def test_told_again_after_an_interruption_nothing_comes_twice(engine: sa.Engine, url: str) -> None:
    stand, token = stage.build(engine)
    story.play(engine, stand, token, url, lambda _line: None)
    before = accounts(engine, stand.tenant.id)
    told = story.play(engine, stage.find(engine), token, url, lambda _line: None)
    assert accounts(engine, stand.tenant.id) == before
    assert told.people == 20
    assert len(told.roles["instructor"]) == 3


def test_a_wrong_token_ends_the_story(engine: sa.Engine, url: str) -> None:
    stand, _ = stage.build(engine)
    with pytest.raises(DemoError, match="401"):
        story.play(engine, stand, "rc_scim_wrong", url, lambda _line: None)
