"""The story in six acts. Each act does one thing for real, looks at the accounts, and says what it saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from app.demo import waiting
from app.demo.okta import DemoError, Okta
from app.demo.people import EXPLAINED, GROUPS, PEOPLE, ROLES, TITLE_CODES, TRAINERS
from app.demo.reasons import lines
from app.demo.stage import Stage
from app.demo.view import SHOWN, Seen, accounts, names
from app.explaining import explanation
from app.sources import csv_file
from app.store.engine import reading
from app.sync import imports, mappings
from app.sync.mappings import Change

Say = Callable[[str], None]

ACTOR: Final = "demo"
HR_FILE: Final = Path(str(files("app.demo"))) / "hr.csv"


@dataclass(slots=True)
class Told:
    """What happened, by name: for `--json`, and for whoever checks the story."""

    people: int = 0
    groups: dict[str, int] = field(default_factory=dict)
    titles_corrected: list[str] = field(default_factory=list)
    managers_given: int = 0
    several_managers: dict[str, list[str]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    would_become_instructor: list[str] = field(default_factory=list)
    roles: dict[str, list[str]] = field(default_factory=dict)
    explained: dict[str, Any] = field(default_factory=dict)
    doubted: str = ""
    held: list[str] = field(default_factory=list)


def play(engine: sa.Engine, stand: Stage, token: str, url: str, say: Say) -> Told:
    """Tells the whole story; Okta pushes to the server at `url`. Whatever is there already is not made twice.

    Raises:
        DemoError: a step failed.
    """
    told = Told()
    _scene(stand, say)
    _okta_pushes(engine, stand, token, url, say, told)
    _hr_corrects(engine, stand, say, told)
    _groups_mean_roles(engine, stand, say, told)
    _explained(engine, stand, say, told)
    _waits(engine, stand, say, told)
    return told


def _scene(stand: Stage, say: Say) -> None:
    say("1  A tenant and two sources")
    say(f"   The tenant `{stand.tenant.name}` is a railway company on your learning platform.")
    say(f"   `{stand.okta.name}` is its identity provider: it owns logins, names and groups.")
    say(f"   `{stand.hr.name}` is its HR system: it owns job titles, departments, managers and employment.")
    say(f"   HR writes codes for titles; the source has a map of {len(TITLE_CODES)}, such as STR = Senior Trainer.")


def _okta_pushes(engine: sa.Engine, stand: Stage, token: str, url: str, say: Say, told: Told) -> None:
    okta = Okta(f"{url}/scim/v2", token)
    say("")
    say(f"2  Okta pushes people and groups over SCIM to {okta.base_url}")
    try:
        ids = {person.number: okta.push_person(person) for person in PEOPLE}
        called = {person.number: person.name for person in PEOPLE}
        for group, numbers in GROUPS.items():
            okta.push_group(group, {ids[number]: called[number] for number in numbers})
    finally:
        okta.close()
    told.people = sum(one.number in ids for one in accounts(engine, stand.tenant.id).values())
    told.groups = {group: len(numbers) for group, numbers in GROUPS.items()}
    say(f"   {len(ids)} people: {names(list(called.values()), SHOWN)}")
    say(f"   {len(GROUPS)} groups: {names([f'{group} ({size})' for group, size in told.groups.items()])}")
    say(f"   {okta.requests} requests made {told.people} accounts. No group is mapped, so nobody has a role yet.")


def _hr_corrects(engine: sa.Engine, stand: Stage, say: Say, told: Told) -> None:
    before = accounts(engine, stand.tenant.id)
    records = csv_file.read(HR_FILE)
    say("")
    say(f"3  HR's export {HR_FILE.name} is imported")
    done = imports.submit(engine, stand.tenant.id, stand.hr, records, actor=ACTOR, wait=True)
    if done.state != "complete" or done.not_applied:
        raise DemoError(f"the import of {HR_FILE.name} is {done.state}; not applied: {len(done.not_applied)}")
    after = accounts(engine, stand.tenant.id)
    codes = {str(record["employeeNumber"]): str(record["title"]) for record in records}
    say(f"   {len(records)} records met the people whom Okta pushed, by employee number: still {len(after)} accounts.")
    _titles(before, after, codes, say, told)
    _managers(after, say, told)
    told.ended = [one.name for one in after.values() if one.status != "active"]
    say(f"   HR ended {names(told.ended)}: the account is inactive, although Okta still says active.")


def _titles(
    before: Mapping[str, Seen], after: Mapping[str, Seen], codes: Mapping[str, str], say: Say, told: Told
) -> None:
    changed = [one for one in after.values() if one.title != before[one.id].title]
    told.titles_corrected = [one.name for one in changed]
    say(f"   {len(changed)} job titles are corrected: {names(told.titles_corrected, SHOWN)}.")
    for one in changed:
        if one.number == EXPLAINED:
            old = before[one.id].title
            say(f"   {one.name}: Okta says {old}, HR wrote {codes[EXPLAINED]}, the LMS reads {one.title}.")


def _managers(after: Mapping[str, Seen], say: Say, told: Told) -> None:
    led = [one for one in after.values() if one.manager_id]
    told.managers_given = len(led)
    told.several_managers = {one.name: [after[id].name for id in one.managers] for one in led if len(one.managers) > 1}
    say(f"   {len(led)} people now have a manager. For {names(list(told.several_managers))} HR named two:")
    for name, managers in told.several_managers.items():
        say(f"   {name} reports to {managers[0]}, the primary one; {names(managers[1:])} is kept beside.")


def _groups_mean_roles(engine: sa.Engine, stand: Stage, say: Say, told: Told) -> None:
    wishes = {
        group: [Change("set", "group", group, role=role, source=stand.okta.name)] for group, role in ROLES.items()
    }
    say("")
    say(f"4  What if the group {TRAINERS} meant the role {ROLES[TRAINERS]}? A preview, nothing is saved:")
    shown = mappings.preview(engine, stand.tenant.id, wishes[TRAINERS])
    told.would_become_instructor = [one.name for one in shown.gains]
    say(f"   {names(told.would_become_instructor)} would become {ROLES[TRAINERS]}.")
    members = set(GROUPS[TRAINERS])
    idle = [one.name for one in accounts(engine, stand.tenant.id).values() if one.number in members]
    for name in told.ended:
        if name in idle:
            say(f"   {name} is in the group too, but left: no role takes effect.")
    for group, wish in wishes.items():
        seen = shown if group == TRAINERS else mappings.preview(engine, stand.tenant.id, wish)
        mappings.save(engine, stand.tenant.id, wish, actor=ACTOR, expected_hash=seen.hash, wait=True)
    now = accounts(engine, stand.tenant.id).values()
    told.roles = {role: [one.name for one in now if role in one.roles] for role in ROLES.values()}
    say(f"   Saved, and also {names([f'{group} = {role}' for group, role in ROLES.items() if group != TRAINERS])}:")
    say(f"   {names([f'{len(holders)} {role}s' for role, holders in told.roles.items()])}. The highest role counts.")


def _explained(engine: sa.Engine, stand: Stage, say: Say, told: Told) -> None:
    now = accounts(engine, stand.tenant.id)
    [one] = [seen for seen in now.values() if seen.number == EXPLAINED]
    with reading(engine) as conn:
        found = explanation(conn, stand.tenant.id, one.id)
    told.explained = found.as_dict()
    say("")
    say(f"5  Why is the account of {one.name} as it is?")
    for line in lines(found, {seen.id: seen.name for seen in now.values()}):
        say(f"   {line}")
    say(f"   All of it: rollcall account explain {one.id} --tenant {stand.tenant.name}")


def _waits(engine: sa.Engine, stand: Stage, say: Say, told: Told) -> None:
    told.doubted, told.held = waiting.leave(engine, stand, ACTOR)
    say("")
    say("6  Two things wait for a person, in the console")
    say(f"   HR hired {told.doubted} and typed a colleague's address: an account of her own, and a question.")
    say(f"   HR sent by mistake that {len(told.held)} people left. The guard holds the file: nobody lost anything.")
