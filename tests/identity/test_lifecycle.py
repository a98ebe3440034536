from __future__ import annotations

from dataclasses import replace

import pytest

from app.identity.lifecycle import Standing, standing
from app.identity.model import Record, Source, Status

from .people import ENTRA, HUBSPOT, LOGIN, OKTA, WORKDAY, record, rules


def is_active(*records: Record, suspended: bool = False, retired: Source | None = None) -> bool:
    by = rules(replace(retired, retired=True)) if retired else rules()
    return standing(records, suspended, by).status == Status.ACTIVE


def no(source: Source) -> Record:
    return record(source, active=False, id=f"no-{source.name}")


def deleted(source: Source) -> Record:
    return record(source, deleted=True, id=f"deleted-{source.name}")


def test_a_termination_in_hr_deactivates_although_the_idp_says_active() -> None:
    assert not is_active(record(OKTA), no(WORKDAY))


def test_hr_cannot_keep_alive_whom_it_disabled() -> None:
    assert not is_active(no(OKTA), record(WORKDAY))


def test_a_move_from_one_idp_to_another_locks_nobody_out() -> None:
    assert is_active(no(OKTA), record(ENTRA), record(WORKDAY))
    assert is_active(deleted(OKTA), record(ENTRA))


def test_one_of_several_jobs_ended_and_the_person_stays() -> None:
    assert is_active(no(WORKDAY), record(WORKDAY, id="second job"))


def test_a_deleted_record_is_still_an_inactive_voice() -> None:
    assert not is_active(deleted(OKTA), record(WORKDAY))


def test_each_affiliation_lives_by_itself() -> None:
    assert is_active(no(OKTA), no(WORKDAY), record(HUBSPOT))
    assert standing([no(OKTA), record(HUBSPOT)], False, rules()).live == ("customer",)


def test_a_login_revives_nobody_and_locks_nobody_out() -> None:
    assert not is_active(no(OKTA), record(LOGIN))
    assert not is_active(record(LOGIN))
    assert is_active(record(OKTA), no(LOGIN))


CREATES = replace(LOGIN, arrival="create")


def stands(*records: Record, retired: Source | None = None, suspended: bool = False) -> Standing:
    changed = [replace(retired, retired=True)] if retired else []
    return standing(records, suspended, rules(CREATES, *changed))


def test_who_only_ever_signed_in_is_active_where_a_sign_in_creates_accounts() -> None:
    found = stands(record(LOGIN))
    assert found.status == Status.ACTIVE
    assert found.reasons == (
        "As employee: the sign-in okta sign-in was used, and it creates accounts.",
        "As employee: live, because every kind of source that spoke says active.",
    )
    assert stands(record(LOGIN), suspended=True).status == Status.INACTIVE
    assert stands(record(LOGIN), retired=CREATES).status == Status.INACTIVE
    assert stands(record(LOGIN, deleted=True)).status == Status.INACTIVE


@pytest.mark.parametrize("other", [no(OKTA), deleted(OKTA), no(WORKDAY), no(HUBSPOT), deleted(HUBSPOT)])
def test_a_sign_in_that_creates_accounts_revives_no_leaver(other: Record) -> None:
    """Whoever spoke, in whatever affiliation, and though its source was retired since."""
    found = stands(record(LOGIN), other)
    assert found.status == Status.INACTIVE
    assert found.reasons[-1] == "The sign-in okta sign-in does not count, because another source has a record."
    assert stands(record(LOGIN), other, retired=rules().sources[other.source_id]).status == Status.INACTIVE


def test_a_sign_in_that_creates_no_accounts_says_so() -> None:
    assert standing([record(LOGIN)], False, rules()).reasons == (
        "No identity provider, HR system or CRM has a record of this person.",
        "The sign-in okta sign-in creates no accounts, so it does not count.",
    )


def test_a_retired_source_no_longer_counts() -> None:
    assert is_active(record(OKTA), no(WORKDAY), retired=WORKDAY)
    assert not is_active(record(WORKDAY), retired=WORKDAY)


def test_an_administrators_suspension_stands_above_all_sources() -> None:
    assert not is_active(record(OKTA), record(WORKDAY), suspended=True)


def test_nobody_said_yes_where_nobody_spoke() -> None:
    assert not is_active()


def test_reasons_are_sentences_that_name_affiliation_kind_and_source() -> None:
    said = standing([record(OKTA), no(WORKDAY), deleted(ENTRA)], True, rules())
    assert said.reasons == (
        "As employee: the HR system workday says inactive.",
        "As employee: the identity provider okta says active.",
        "As employee: the identity provider entra deleted its record.",
        "As employee: not live, because no HR system says active.",
        "An administrator suspended the account.",
    )


def test_the_order_of_records_changes_neither_status_nor_reasons() -> None:
    records = [record(OKTA), no(WORKDAY), record(ENTRA), record(HUBSPOT)]
    assert standing(records, False, rules()) == standing(records[::-1], False, rules())
