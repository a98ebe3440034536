"""Checks of ours on groups and their members: where servers lose people without a word."""

from __future__ import annotations

from typing import Any, Final

from app.checking.declarations import CHANGED, CREATED, GROUP, OK, PREFIX, Check, Step, change, patch
from app.checking.places import ABSENT, Includes

BOTH: Final = frozenset({"{ann}", "{ben}"})
CREW: Final = ("ann", "ben", "crew")


def _members(*who: str) -> Step:
    return Step("GET /Groups/{crew}", holds={"members.value": frozenset(who)} if who else {"members": ABSENT})


def _patched(*operations: dict[str, Any]) -> Step:
    return Step("PATCH /Groups/{crew}", patch(*operations), CHANGED)


MEMBERS: Final = (
    Check(
        "Members of a new group are members",
        "Group",
        (_members(*BOTH),),
        "RFC 7643 §4.2, §7 (returned: default)",
        "Take members in a POST, and show them in a GET unless they are excluded: Okta needs both.",
        needs=CREW,
    ),
    Check(
        "Adding one member keeps the others",
        "Group",
        (_patched(change("Add", [{"value": "{off}"}], "members")), _members(*BOTH, "{off}")),
        "RFC 7644 §3.5.2.1",
        "Append to the list: whoever replaces it takes everybody else out of the group.",
        needs=("ann", "ben", "off", "crew"),
    ),
    Check(
        "Adding a member who is there changes nothing",
        "Group",
        (
            _patched(change("add", [{"value": "{ann}"}], "members")),
            Step("GET /Groups/{crew}", holds={"members#": 2, "members.value": BOTH}),
        ),
        "RFC 7644 §3.5.2.1",
        "Keep one row a member; identity providers repeat themselves.",
        needs=CREW,
    ),
    Check(
        "A remove with members in its value removes those only",
        "Group",
        (_patched(change("Remove", [{"$ref": None, "value": "{ann}"}], "members")), _members("{ben}")),
        "Entra ID without its flag aadOptscim062020",
        "Remove whom value names. By the letter of RFC 7644 §3.5.2.2 the group would be emptied.",
        needs=CREW,
    ),
    Check(
        "A remove with a filter on members removes the one that it names",
        "Group",
        (_patched({"op": "remove", "path": 'members[value eq "{ann}"]'}), _members("{ben}")),
        "RFC 7644 §3.5.2.2",
        "Evaluate the filter in the path. Answering 2xx without removing anybody leaves people with access.",
        needs=CREW,
    ),
    Check(
        "Removing somebody who is no member is a success",
        "Group",
        (_patched({"op": "remove", "path": 'members[value eq "{off}"]'}), _members(*BOTH)),
        "RFC 7644 §3.5.2.2",
        "Nothing to do is done: an error would be repeated in every cycle.",
        needs=("ann", "ben", "off", "crew"),
        must=False,
    ),
    Check(
        "Replacing members replaces the list",
        "Group",
        (_patched(change("replace", [{"value": "{ben}"}], "members")), _members("{ben}")),
        "RFC 7644 §3.5.2.3",
        "Okta pushes whole groups in this way.",
        needs=CREW,
    ),
    Check(
        "Removing and adding in one request do both",
        "Group",
        (
            _patched(
                {"op": "remove", "path": 'members[value eq "{ann}"]'},
                change("add", [{"value": "{off}", "display": None}], "members"),
            ),
            _members("{ben}", "{off}"),
        ),
        "RFC 7644 §3.5.2; Okta",
        "Apply the operations in their order.",
        needs=("ann", "ben", "off", "crew"),
    ),
    Check(
        "PUT of a group with its members sets them",
        "Group",
        (
            Step(
                "PUT /Groups/{crew}",
                {
                    "schemas": [GROUP],
                    "displayName": "{crew.displayName}",
                    "members": [{"value": "{ben}", "display": None}],
                },
                OK,
            ),
            _members("{ben}"),
        ),
        "RFC 7644 §3.5.1; Okta's App Integration Wizard",
        "Such integrations know nothing but PUT, with all members in it.",
        needs=CREW,
    ),
    Check(
        "A renamed group keeps its members",
        "Group",
        (
            _patched(change("replace", {"id": "{crew}", "displayName": PREFIX + "renamed-{fresh}"})),
            Step("GET /Groups/{crew}", holds={"displayName": PREFIX + "renamed-{fresh}", "members.value": BOTH}),
        ),
        "RFC 7644 §3.5.2.3; Okta",
        "What a replace does not name stays; the group's own id in the value is to be accepted.",
        needs=CREW,
    ),
    Check(
        "A deactivated user stays a member",
        "Group",
        (
            Step("PATCH /Users/{ann}", patch(change("replace", False, "active")), CHANGED),
            _members(*BOTH),
            Step("PATCH /Users/{ann}", patch(change("replace", True, "active")), CHANGED),
            _members(*BOTH),
        ),
        "Entra ID",
        "Keep memberships of inactive users: Entra ID does not send them again when somebody comes back.",
        needs=CREW,
    ),
    Check(
        "A deleted user leaves the group",
        "Group",
        (Step("DELETE /Users/{ann}", status=(204,)), _members("{ben}")),
        "RFC 7644 §3.6",
        "A member that answers 404 breaks whoever imports the group.",
        needs=CREW,
        must=False,
    ),
    Check(
        "A member whom nobody knows does not empty the group",
        "Group",
        (
            Step(
                "PATCH /Groups/{crew}",
                patch(change("add", [{"value": "00000000-0000-7000-8000-000000000000"}], "members")),
                (200, 204, 400, 404),
            ),
            Step("GET /Groups/{crew}", holds={"members.value": Includes(BOTH)}),
        ),
        "RFC 7644 §3.5.2",
        "Refuse the request or leave the unknown id out; never touch the others.",
        needs=CREW,
    ),
)

FINDING: Final = (
    Check(
        "excludedAttributes=members leaves the members out",
        "Group",
        (Step("GET /Groups/{crew}?excludedAttributes=members", holds={"id": "{crew}", "members": ABSENT}),),
        "RFC 7644 §3.9; Entra ID",
        "Entra ID always asks like this; sending all members of a large group each time is what makes servers slow.",
        needs=CREW,
        must=False,
    ),
    Check(
        "A group is found by its whole name only",
        "Group",
        (
            Step('GET /Groups?filter=displayName eq "{crew.displayName}"', holds={"totalResults": 1}),
            Step(f'GET /Groups?filter=displayName eq "{PREFIX}crew-"', holds={"totalResults": 0}),
        ),
        "RFC 7644 §3.4.2.2",
        "eq is equality, not a prefix: identity providers look a group up by its name before they create it.",
        needs=CREW,
    ),
    Check(
        "A renamed group is found by its new name and not by its old one",
        "Group",
        (
            Step("PATCH /Groups/{empty}", patch(change("replace", PREFIX + "later-{fresh}", "displayName")), CHANGED),
            Step(f'GET /Groups?filter=displayName eq "{PREFIX}later-{{fresh}}"', holds={"totalResults": 1}),
            Step('GET /Groups?filter=displayName eq "{empty.displayName}"', holds={"totalResults": 0}),
        ),
        "RFC 7644 §3.4.2.2",
        "Keep whatever the filter searches in step with the resource.",
        needs=("empty",),
    ),
    Check(
        "A schema that the server does not know is ignored",
        "Group",
        (
            Step(
                "POST /Groups",
                {
                    "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
                    "displayName": PREFIX + "foreign-{fresh}",
                    "externalId": "ext-{fresh}",
                    "meta": {"resourceType": "Group"},
                },
                CREATED,
                keep="foreign",
            ),
        ),
        "Entra ID",
        "Entra ID names a schema of its own on groups; ignore it.",
    ),
)
