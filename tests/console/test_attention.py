"""What needs attention, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.console.attention import Item, items
from app.store.overview import Count, Expiring, Failing, Overview, Refusals
from app.store.runs import Run

NOW = datetime(2026, 11, 30, tzinfo=UTC)
NONE = Count(0)
CALM = Overview([], [], NONE, [], [], [], [], [], False, [], False, NONE, NONE, {})


def run(state: str, number: int = 1) -> Run:
    return Run("t", f"run-{number}", "import", None, state, "hr", {}, 3, 9, NOW, NOW, None)


def ending(days: int, name: str = "okta-2026", *, replaced: bool = False) -> Expiring:
    return Expiring("c1", "scim_token", name, "okta", "…", NOW + timedelta(days=days), replaced)


def only(found: Overview) -> Item:
    [item] = items(found, NOW)
    return item


def test_nothing_needs_attention_where_nothing_does() -> None:
    assert items(CALM, NOW) == []


def test_a_held_plan_leads_to_its_decision() -> None:
    item = only(replace(CALM, held_runs=[run("held")]))
    assert (item.href, item.action, item.tone) == ("/admin/runs/run-1", "Decide", "warning")
    assert "import" in item.title


def test_the_gravest_comes_first() -> None:
    found = replace(CALM, held_runs=[run("held")], failed_runs=[run("failed", 2)], duplicates=Count(2))
    assert [item.tone for item in items(found, NOW)] == ["danger", "warning", "info"]
    assert "3 of 9" in items(found, NOW)[0].text


def test_many_of_a_kind_are_counted() -> None:
    found = items(replace(CALM, held_runs=[run("held", number) for number in range(5)]), NOW)
    assert len(found) == 4
    assert (found[-1].title, found[-1].href) == ("2 more plans are held", "/admin/runs?state=held")


def test_a_secret_that_ends_is_said_until_another_took_over() -> None:
    assert only(replace(CALM, expiring=[ending(12)])).title == "The SCIM token “okta-2026” of okta ends in 12 days"
    over = only(replace(CALM, expiring=[ending(-2)]))
    assert (over.tone, over.title.endswith("ended 2 days ago")) == ("danger", True)
    assert items(replace(CALM, expiring=[ending(12, replaced=True)]), NOW) == []


def test_refusals_are_summed_with_the_most_frequent_reasons() -> None:
    refused = [Refusals("not_provisioned", 700, "A"), Refusals("signature", 300, "B")]
    item = only(replace(CALM, refused_sign_ins=refused, refused_sign_ins_at_least=True))
    assert item.title == "1,000+ sign-ins were refused within a day"
    assert item.text == "Most often: not provisioned (700), signature (300)."


def test_what_fails_says_how_and_since_when() -> None:
    failing = Failing("r1", "https://lms.example/events", "503", Count(4), NOW)
    found = items(replace(CALM, receivers=[failing], metadata=[failing], logouts=[failing]), NOW)
    assert [item.tone for item in found] == ["danger", "danger", "warning"]
    assert all("503" in item.text for item in found)
    assert found[0].at == NOW


def test_what_waits_for_people_is_counted() -> None:
    found = items(replace(CALM, unmapped_groups=Count(100, at_least=True), drift=Count(3)), NOW)
    assert [item.title for item in found] == ["100+ groups have no role yet", "3 fields arrive that nobody understands"]


def test_one_of_a_thing_is_one() -> None:
    found = replace(CALM, duplicates=Count(1), drift=Count(1), refused_requests=[Refusals("404", 1, "A")])
    assert [item.title for item in items(found, NOW)] == [
        "1 SCIM request was refused within a day",
        "1 possible duplicate",
        "1 field arrives that nobody understands",
    ]
