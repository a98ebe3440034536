"""Rules that are shown before they are saved: whom they would change, and what becomes of it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import audit, plans, tenants
from app.store import runs as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.sync import planning, rules, source_changes, sweep
from app.sync.rule_changes import HighestRole, Meanings, Owners, Retirement, as_dict, from_dict
from tests.sync.people import map_title


def titles(engine) -> list[str | None]:
    with engine.connect() as conn:
        return [row.get("title") for row in conn.execute(sa.select(t.accounts.c.attributes)).scalars()]


def run_of(engine, tenant, run_id: str) -> store.Run:
    with reading(engine) as conn:
        return store.find(conn, tenant.id, run_id)


def lines(engine, tenant, run_id: str) -> list[plans.PlanLine]:
    with reading(engine) as conn:
        return plans.page(conn, tenant.id, run_id)


@pytest.fixture
def ada(engine, tenant, okta, hr) -> None:
    mail = {"emails.work": "ada@x.org"}
    said = RecordWrite(okta.id, Spoken(True, {**mail, "title": "Coder"}), {}, user_name="ada@x.org")
    more = RecordWrite(hr.id, Spoken(True, {**mail, "title": "ENG"}), {}, source_key="1")
    provision(engine, tenant.id, [said], actor="test")
    provision(engine, tenant.id, [more], actor="test")


@pytest.fixture
def bob(engine, tenant, hr) -> None:
    provision(
        engine,
        tenant.id,
        [RecordWrite(hr.id, Spoken(True, {"emails.work": "bob@x.org", "title": "ENG"}), {}, source_key="2")],
        actor="test",
    )


def test_the_list_names_those_whose_value_would_change_and_saves_nothing(engine, tenant, ada, bob) -> None:
    run_id = rules.propose(engine, tenant.id, Owners("title", ("okta", "hris")), actor="eva")
    run = run_of(engine, tenant, run_id)
    assert (run.state, run.position, run.total) == ("planned", 2, 2)
    (line,) = lines(engine, tenant, run_id)
    assert line.payload["changes"] == [["title", "ENG", "Coder"]]
    assert line.effect == "updated"
    assert titles(engine) == ["ENG", "ENG"]


def test_what_was_shown_is_saved_with_the_run_that_derives(engine, tenant, ada, bob) -> None:
    run_id = rules.propose(engine, tenant.id, Owners("title", ("okta", "hris")), actor="eva")
    assert rules.save(engine, tenant.id, run_id, "eva") == "complete"
    assert sorted(filter(None, titles(engine))) == ["Coder", "ENG"]
    with pytest.raises(rules.NotPlannedError):
        rules.save(engine, tenant.id, run_id, "eva")
    with reading(engine) as conn:
        said = sa.select(t.audit.c.facts).where(t.audit.c.action == "ownership.saved")
        assert conn.execute(said).scalar_one()["owners"] == ["okta", "hris"]
        assert audit.verify(conn, tenant.id)[1] is None


def test_a_list_from_before_other_rules_is_made_again(engine, tenant, ada) -> None:
    run_id = rules.propose(engine, tenant.id, Owners("title", ("okta",)), actor="eva")
    rules.set_meaning(engine, tenant.id, "okta", "title", "Coder", "Developer", actor="max")
    with pytest.raises(rules.RulesMovedError):
        rules.save(engine, tenant.id, run_id, "eva")
    assert titles(engine) == ["ENG"]
    assert run_of(engine, tenant, run_id).state == "planning"
    sweep.sweep(engine)
    (line,) = lines(engine, tenant, run_id)
    assert line.payload["changes"] == [["title", "ENG", "Developer"]]
    rules.save(engine, tenant.id, run_id, "eva")
    assert titles(engine) == ["Developer"]


def test_many_people_are_looked_at_by_a_worker(engine, tenant, ada, bob, monkeypatch) -> None:
    monkeypatch.setattr(rules, "SHOWN_AT_ONCE", 1)
    run_id = rules.propose(engine, tenant.id, Owners("title", ("okta", "hris")), actor="eva")
    assert run_of(engine, tenant, run_id).state == "planning"
    assert planning.drain(engine) == 1
    assert len(lines(engine, tenant, run_id)) == 1


def test_everybody_is_listed_by_whoever_carries_the_run_out(engine, tenant, ada, bob, monkeypatch) -> None:
    """A request saves the rule and the run; the lines of a hundred thousand people are no request's work."""
    run_id = rules.propose(engine, tenant.id, Owners("title", ("okta", "hris")), actor="eva")
    monkeypatch.setattr(rules, "CHUNK", 1)
    assert rules.save(engine, tenant.id, run_id, "eva") == "queued"
    assert titles(engine) == ["ENG", "ENG"]
    assert [line.payload.get("name") is not None for line in lines(engine, tenant, run_id)] == [True]
    sweep.sweep(engine)
    done = run_of(engine, tenant, run_id)
    assert (done.state, done.position, done.total) == ("complete", 2, 2)
    assert "everybody" not in done.summary
    assert sorted(filter(None, titles(engine))) == ["Coder", "ENG"]


def test_a_role_that_would_be_lost_is_a_loss(engine, tenant, ada) -> None:
    map_title(engine, tenant.id, "ENG", "instructor")
    rules.set_owners(engine, tenant.id, "title", ["hris", "idp"], actor="test")
    with writing(engine) as conn:
        from app.store import tenant_settings

        tenant_settings.choose(conn, tenant.id, "guard.floor", "0")
    run_id = rules.propose(engine, tenant.id, Owners("title", ("idp",)), actor="eva")
    run = run_of(engine, tenant, run_id)
    assert (run.summary["losses"], run.summary["holds"]) == (1, True)
    assert lines(engine, tenant, run_id)[0].effect == "role loss"


def test_codes_of_several_attributes_are_saved_together(engine, tenant, hr, ada) -> None:
    names = {"title": {"ENG": "Engineer"}, "department": {"D1": "Sales"}}
    run_id = rules.propose(engine, tenant.id, Meanings(hr.id, names), actor="eva")
    rules.save(engine, tenant.id, run_id, "eva")
    assert titles(engine) == ["Engineer"]
    with reading(engine) as conn:
        assert tenants.find_source(conn, tenant.id, "hr").settings["value_maps"] == names


def test_a_retired_source_leaves_its_last_value_behind(engine, tenant, hr, okta, ada, bob) -> None:
    """Where another source speaks, that one's value is taken; where nobody does, the last value stays."""
    run_id = rules.propose(engine, tenant.id, Retirement(okta.id), actor="eva")
    assert run_of(engine, tenant, run_id).kind == "retirement"
    rules.save(engine, tenant.id, run_id, "eva", reason="Moved to Entra.")
    with reading(engine) as conn:
        assert tenants.find_source(conn, tenant.id, "okta").state == "retired"
        named = conn.execute(sa.select(t.accounts.c.lineage, t.accounts.c.attributes)).all()
    assert sorted(row.attributes["title"] for row in named) == ["ENG", "ENG"]
    with pytest.raises(rules.RuleError):
        rules.propose(engine, tenant.id, Retirement(okta.id), actor="eva")


def test_retiring_the_only_source_deactivates_and_is_said(engine, tenant, hr, bob) -> None:
    run_id = rules.propose(engine, tenant.id, Retirement(hr.id), actor="eva")
    (line,) = lines(engine, tenant, run_id)
    assert line.effect == "deactivated"
    rules.save(engine, tenant.id, run_id, "eva")
    with reading(engine) as conn:
        row = conn.execute(sa.select(t.accounts)).one()
    assert row.status == "inactive"
    assert row.attributes["title"] == "ENG"
    assert row.lineage["title"]["rule"] == "left behind"


def test_whether_the_highest_role_wins_is_shown_first(engine, tenant, ada) -> None:
    map_title(engine, tenant.id, "ENG", "instructor")
    map_title(engine, tenant.id, "ENG", "learner")
    rules.set_owners(engine, tenant.id, "title", ["hris"], actor="test")
    run_id = rules.propose(engine, tenant.id, HighestRole(False), actor="eva")
    (line,) = lines(engine, tenant, run_id)
    ((attribute, before, after),) = line.payload["changes"]
    assert (attribute, before, after) == ("roles", {"tenant": ["instructor"]}, {"tenant": ["instructor", "learner"]})
    rules.save(engine, tenant.id, run_id, "eva")
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.accounts.c.roles)).scalar_one() == ["instructor", "learner"]


def test_changes_survive_being_kept(okta) -> None:
    for change in (Owners("title", ("idp",), ("crm",)), Meanings("s", {"title": {"a": None}}), HighestRole(True)):
        assert from_dict(as_dict(change)) == change


def test_an_owner_named_twice_is_refused(engine, tenant, ada) -> None:
    with pytest.raises(rules.RuleError, match="once"):
        rules.propose(engine, tenant.id, Owners("title", ("idp", "hris", "idp")), actor="eva")


def test_pausing_changes_no_person_and_stays_paused(engine, tenant, hr, ada) -> None:
    with reading(engine) as conn:
        before = conn.execute(sa.select(t.accounts)).one()
    source_changes.pause(engine, tenant.id, hr, actor="eva")
    with pytest.raises(source_changes.SourceStateError):
        source_changes.pause(engine, tenant.id, hr, actor="eva")
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.accounts)).one() == before
        assert tenants.find_source(conn, tenant.id, "hr").state == "paused"
    source_changes.resume(engine, tenant.id, hr, actor="eva")
    with reading(engine) as conn:
        actions = conn.execute(sa.select(t.audit.c.action).where(t.audit.c.subject == hr.id)).scalars().all()
    assert actions == ["source.paused", "source.resumed"]


def test_settings_are_saved_together_or_not_at_all(engine, tenant) -> None:
    with pytest.raises(source_changes.SettingsError) as refused:
        source_changes.choose(engine, tenant.id, {"guard.share": "0.2", "guard.floor": "x"}, actor="eva")
    assert set(refused.value.errors) == {"guard.floor"}
    told = source_changes.choose(engine, tenant.id, {"guard.share": "0.2", "guard.floor": "5"}, actor="eva")
    assert told == {"guard.share": {"before": 0.1, "after": 0.2}}
    with reading(engine) as conn:
        (facts,) = conn.execute(sa.select(t.audit.c.facts).where(t.audit.c.action == "setting.saved")).scalars()
    assert facts["settings"] == told


def test_a_domain_is_assigned_and_freed(engine, tenant, hr, okta) -> None:
    source_changes.assign(engine, tenant.id, hr, "ACME.example.", actor="eva")
    with reading(engine) as conn:
        assert tenants.domains(conn, tenant.id) == {"acme.example": hr.id}
    with pytest.raises(tenants.NotFoundError):
        source_changes.free(engine, tenant.id, okta, "acme.example", actor="eva")
    source_changes.free(engine, tenant.id, hr, "acme.example", actor="eva")
    with reading(engine) as conn:
        assert tenants.domains(conn, tenant.id) == {}
