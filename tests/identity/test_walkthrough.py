from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.identity.changes import Change
from app.identity.decide import Kept
from app.identity.derive import derive
from app.identity.explain import explain
from app.identity.lifecycle import standing
from app.identity.model import EMPTY, Claim, Record, Rules
from app.identity.walkthrough import STEPS, Matched, Step, proposed, standing_still, walkthrough
from tests.identity.people import INSTRUCTOR, NOW, OKTA, WORKDAY, mapping, record, rules

CLAIM = Claim("email", "employee", "a@x.org", 2)


def kept(one: Record) -> Kept:
    return Kept(one, 1, None, None, {}, frozenset(), NOW)


def walked(records: list[Record], table: Rules, matched: list[Matched], act: Step | None = None) -> dict[str, Step]:
    account = derive(None, "anna", records, {}, {}, table, NOW).account
    state = standing(records, False, table)
    explained = explain(account, records, table, state, {"g1": "Trainers"})
    steps = walkthrough(
        [kept(one) for one in records],
        matched,
        {"r-okta": ["Trainers"]},
        explained,
        table,
        act or standing_still(explained),
    )
    assert tuple(step.name for step in steps) == STEPS
    return {step.name: step for step in steps}


def test_each_step_has_inputs_a_result_and_reasons() -> None:
    records = [
        record(OKTA, {"title": "Coder", "locale": EMPTY}, groups=frozenset({"g1"})),
        record(WORKDAY, {"title": "Engineer"}),
    ]
    table = rules(mappings=(mapping("m1", "group", "g1", INSTRUCTOR, source_id=OKTA.id),))
    found = [
        Matched("r-okta", "okta", "new"),
        Matched("r-workday", "workday", "verified e-mail", (CLAIM,), {CLAIM.key: 1}),
    ]
    steps = walked(records, table, found)
    assert steps["connect"].result == "Spoken of by okta (an identity provider), workday (an HR system)."
    assert "okta says that there is no locale." in steps["read"].reasons
    assert steps["read"].inputs[0]["groups"] == ["Trainers"]
    assert steps["match"].result == "2 records of one account."
    assert steps["match"].inputs[2]["holders"] == 1
    assert "title: workday wins (owner hris); okta: idp comes after hris." in steps["own"].reasons
    assert steps["roles"].result == "Roles: instructor (tenant)."
    assert steps["act"].result == "The account is active."


def test_nobody_speaks_and_nothing_is_mapped() -> None:
    steps = walked([], rules(), [])
    assert steps["connect"].result == "No source speaks of this person."
    assert steps["roles"].reasons == ("Nothing that is said or held is mapped to a role.",)
    assert steps["act"].result == "The account is inactive."


def test_a_retired_source_is_called_so() -> None:
    steps = walked([record(OKTA)], rules(replace(OKTA, retired=True)), [Matched("r-okta", "okta", "link")])
    assert steps["connect"].reasons == ("okta is retired: its voice does not count.",)


def test_a_doubt_goes_before_all() -> None:
    steps = walked([record(OKTA)], rules(), [Matched("r-okta", "okta", "new", doubts=("Found by alias, but no.",))])
    assert steps["match"].result.startswith("In doubt")
    assert steps["match"].reasons[-1] == "okta: Found by alias, but no."


def test_what_would_be_and_what_was_done() -> None:
    changes = [Change("title", "Coder", "Chief")]
    told: dict[str, Any] = {"told": ["account.updated"], "status": "active"}
    assert proposed(changes, **told, new=False, applied=False).result == "Would change: title."
    done = proposed(changes, **told, new=False, applied=True)
    assert (done.result, done.inputs[0]["after"]) == ("Changed: title.", "Chief")
    assert done.reasons == ("The account is active.", "Events: account.updated.")
    assert proposed([], [], "active", new=False, applied=False).result == "Nothing would change."
    assert proposed(changes, **told, new=True, applied=True).result == "A new account was made."
