"""Checks of ours on lists, filters and errors: what an identity provider asks before it creates anybody."""

from __future__ import annotations

from typing import Final

from app.checking.declarations import PREFIX, Check, Step

NOBODY: Final = PREFIX + "nobody-{fresh}@example.com"

LISTS: Final = (
    Check(
        "A filter without a match answers 200 with an empty list",
        "list",
        (
            Step(
                f'GET /Users?filter=userName eq "{NOBODY}"&startIndex=1&count=100',
                holds={"totalResults": 0, "Resources#": 0},
            ),
        ),
        "RFC 7644 §3.4.2; Entra ID's and Okta's first request",
        "No match is no error: 404 here sends Entra ID's job into quarantine.",
        needs=("ann",),
    ),
    Check(
        "A filter on an attribute that does not exist is refused, and never everybody",
        "list",
        (
            Step(
                'GET /Users?filter=favouriteLock eq "x"',
                status=(400,),
                holds={"scimType": "invalidFilter", "Resources#": 0},
            ),
        ),
        "RFC 7644 §3.4.2.2, §3.12",
        "Answer 400 invalidFilter. An ignored filter returns everybody, and the first of them is taken for the match.",
        needs=("ann",),
    ),
    Check(
        "A filter that cannot be read is refused",
        "list",
        (Step("GET /Users?filter=userName eq", status=(400,), holds={"status": "400"}),),
        "RFC 7644 §3.4.2.2, §3.12",
        "Answer 400 invalidFilter with a SCIM error.",
    ),
    Check(
        "Somebody is found by externalId",
        "list",
        (Step('GET /Users?filter=externalId eq "{ann.externalId}"', holds={"totalResults": 1}),),
        "RFC 7644 §3.4.2.2; Entra ID",
        "Entra ID's newer jobs match by externalId; without it people are created twice.",
        needs=("ann",),
    ),
    Check(
        "Somebody inactive is found",
        "list",
        (
            Step('GET /Users?filter=userName eq "{off.userName}"', holds={"totalResults": 1}),
            Step('GET /Users?filter=externalId eq "{off.externalId}"', holds={"totalResults": 1}),
        ),
        "Entra ID",
        "Never hide inactive users: the identity provider would create them again.",
        needs=("off",),
    ),
    Check(
        "userName is compared without case",
        "list",
        (Step('GET /Users?filter=userName eq "ROLLCALL-CHECK-ANN-{fresh}@EXAMPLE.COM"', holds={"totalResults": 1}),),
        "RFC 7643 §4.1.1 (caseExact: false)",
        "Compare folded values.",
        needs=("ann",),
    ),
    Check(
        "Names of attributes and operators are read in any case",
        "list",
        (Step('GET /Users?filter=USERNAME EQ "{ann.userName}"', holds={"totalResults": 1}),),
        "RFC 7644 §3.4.2.2",
        "Fold both; a name that is not recognised must not drop the condition.",
        needs=("ann",),
    ),
    Check(
        "Somebody is found by the address of one type",
        "list",
        (
            Step('GET /Users?filter=emails[type eq "work"].value eq "{ann.userName}"', holds={"totalResults": 1}),
            Step('GET /Users?filter=emails[type eq "home"].value eq "{ann.userName}"', holds={"totalResults": 0}),
        ),
        "RFC 7644 §3.4.2.2; Entra ID",
        "All terms within the brackets hold for the same element.",
        needs=("ann",),
        must=False,
    ),
    Check(
        "and binds tighter than or",
        "list",
        (
            Step(
                f'GET /Users?filter=userName eq "{{ann.userName}}" or userName eq "{{ann.userName}}"'
                f' and externalId eq "{NOBODY}"',
                holds={"totalResults": 1},
            ),
        ),
        "RFC 7644 §3.4.2.2 (precedence)",
        "a or b and c is a or (b and c).",
        needs=("ann",),
    ),
    Check(
        "Plus signs and a trailing ampersand are read",
        "list",
        (Step('GET /Users?filter=userName+eq+"{ann.userName}"&', holds={"totalResults": 1}),),
        "OneLogin; Entra ID",
        "Decode + as a space in a query, and ignore an empty parameter.",
        needs=("ann",),
    ),
    Check(
        "A parameter that the server does not know is harmless",
        "list",
        (Step("GET /Users?aadOptscim062020&count=1"),),
        "Entra ID's flag",
        "Ignore it: administrators paste the flag into the URL.",
    ),
    Check(
        "A page holds as many as asked for, with whole numbers",
        "list",
        (
            Step(
                "GET /Users?startIndex=1&count=1",
                holds={"startIndex": 1, "itemsPerPage": 1, "Resources#": 1},
            ),
        ),
        "RFC 7644 §3.4.2.4; Okta",
        "startIndex, itemsPerPage and totalResults are JSON numbers; a page never exceeds count.",
        needs=("ann", "ben"),
    ),
    Check(
        "count=0 answers with the number only",
        "list",
        (Step("GET /Users?count=0", holds={"Resources#": 0}),),
        "RFC 7644 §3.4.2.4",
        "No resources, but totalResults.",
        must=False,
    ),
)

ERRORS: Final = (
    Check(
        "An unknown user answers 404 with a SCIM error",
        "error",
        (
            Step(
                "GET /Users/00000000-0000-7000-8000-000000000000",
                status=(404,),
                holds={"status": "404", "schemas#": 1},
            ),
        ),
        "RFC 7644 §3.12",
        "The body is an Error of SCIM, its status a text.",
    ),
    Check(
        "A request without a token is refused with 401 and a SCIM error",
        "error",
        (Step("GET /Users?count=1", status=(401,), holds={"status": "401"}, authorized=False),),
        "RFC 7644 §2, §3.12",
        "Answer 401 with WWW-Authenticate and an Error; Okta's test reads it.",
    ),
    Check(
        "A body that is no PATCH is refused",
        "error",
        (
            Step("PATCH /Users/{ann}", {"displayName": "No operation"}, (400,), {"status": "400"}),
            Step("GET /Users/{ann}", holds={"displayName": "Ann Quay"}),
        ),
        "RFC 7644 §3.5.2",
        "Answer 400 invalidSyntax; a success would be a change that never happened.",
        needs=("ann",),
    ),
)
