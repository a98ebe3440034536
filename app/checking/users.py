"""Checks of ours on one user. What breaks these in the field is told in the remedy."""

from __future__ import annotations

from typing import Final

from app.checking.declarations import CHANGED, CREATED, PREFIX, USER, Check, Step, change, patch
from app.checking.places import ABSENT, ENTERPRISE

NAME: Final = PREFIX + "new-{fresh}@example.com"

CREATING: Final = (
    Check(
        "A user as Entra ID creates it, with nulls and empty lists, is created",
        "User",
        (
            Step(
                "POST /Users",
                {
                    "schemas": [USER, ENTERPRISE],
                    "userName": NAME,
                    "externalId": "ext-{fresh}",
                    "active": True,
                    "name": {"givenName": "Eve", "familyName": "Lund", "formatted": "Eve Lund"},
                    "emails": [{"primary": True, "type": "work", "value": NAME}],
                    "title": None,
                    "addresses": None,
                    "roles": [],
                    "meta": {"resourceType": "User"},
                },
                CREATED,
                {"userName": NAME, "active": True, "title": ABSENT},
                keep="eve",
            ),
            Step("GET /Users/{eve}", holds={"externalId": "ext-{fresh}", "emails[work].value": NAME}),
        ),
        "RFC 7644 §3.3; RFC 7643 §2.5",
        "Take null and [] as absent, and ignore what is read-only (meta).",
    ),
    Check(
        "A user as Okta creates it, with groups and a password, is created",
        "User",
        (
            Step(
                "POST /Users",
                {
                    "schemas": [USER],
                    "userName": NAME,
                    "name": {"givenName": "Eve", "familyName": "Lund"},
                    "emails": [{"primary": True, "value": NAME, "type": "work"}],
                    "displayName": "Eve Lund",
                    "locale": "en-US",
                    "groups": [],
                    "password": "Placeholder-{fresh}-1!",
                    "active": True,
                },
                CREATED,
                {"userName": NAME, "password": ABSENT},
                keep="eve",
            ),
        ),
        "RFC 7643 §4.1.1, §7",
        "Ignore groups, which is read-only; accept a password and never return it.",
    ),
    Check(
        "application/json is taken as well as application/scim+json",
        "User",
        (
            Step(
                "POST /Users", {"schemas": [USER], "userName": NAME}, CREATED, keep="eve", media_type="application/json"
            ),
        ),
        "RFC 7644 §8.1",
        "Accept both media types; answer with application/scim+json.",
    ),
    Check(
        "An attribute that the server does not know is ignored",
        "User",
        (
            Step(
                "POST /Users",
                {"schemas": [USER], "userName": NAME, "favouriteLock": "the third"},
                CREATED,
                keep="eve",
            ),
        ),
        "Microsoft's collection",
        "Ignore what no schema has and report it to your operators; Entra ID's mappings are typed by hand.",
        must=False,
    ),
    Check(
        "A number where a text belongs is taken",
        "User",
        (
            Step(
                "POST /Users",
                {"schemas": [USER, ENTERPRISE], "userName": NAME, ENTERPRISE: {"employeeNumber": 4711}},
                CREATED,
                {"enterprise:employeeNumber": "4711"},
                keep="eve",
            ),
        ),
        "Okta's entitlement sample",
        "Convert by the type that the schema says.",
        must=False,
    ),
    Check(
        "The same userName in other case is a conflict",
        "User",
        (
            Step(
                "POST /Users",
                {"schemas": [USER], "userName": "ROLLCALL-check-ANN-{fresh}@EXAMPLE.com"},
                (409,),
                {"scimType": "uniqueness", "status": "409"},
            ),
        ),
        "RFC 7643 §4.1.1; RFC 7644 §3.12",
        "Compare userName without case and answer 409 with scimType uniqueness; else people exist twice.",
        needs=("ann",),
    ),
    Check(
        "The userName of somebody inactive is a conflict, and the filter finds them",
        "User",
        (
            Step("POST /Users", {"schemas": [USER], "userName": "{off.userName}"}, (409,)),
            Step('GET /Users?filter=userName eq "{off.userName}"', holds={"totalResults": 1, "Resources#": 1}),
        ),
        "RFC 7644 §3.3; Okta's re-provisioning",
        "Answer 409 and let the filter find inactive users, so that the identity provider links instead of failing.",
        needs=("off",),
    ),
    Check(
        "After a DELETE the user is gone and the name is free",
        "User",
        (
            Step("DELETE /Users/{ben}", status=(204,)),
            Step("GET /Users/{ben}", status=(404,), holds={"status": "404"}),
            Step('GET /Users?filter=userName eq "{ben.userName}"', holds={"totalResults": 0}),
            Step("POST /Users", {"schemas": [USER], "userName": "{ben.userName}"}, CREATED, keep="again"),
        ),
        "RFC 7644 §3.6",
        "A deleted user answers 404, is in no list, and does not block its userName.",
        needs=("ben",),
    ),
    Check(
        "PUT of what was read, with id, meta and groups, is an update",
        "User",
        (
            Step(
                "PUT /Users/{ann}",
                {
                    "schemas": [USER],
                    "id": "{ann}",
                    "userName": "{ann.userName}",
                    "displayName": "Ann Lund",
                    "active": True,
                    "groups": [],
                    "meta": {"resourceType": "User"},
                },
                holds={"id": "{ann}", "displayName": "Ann Lund"},
            ),
            Step("GET /Groups/{crew}", holds={"members.value": frozenset({"{ann}", "{ben}"})}),
        ),
        "RFC 7644 §3.5.1",
        "Okta updates by PUT of the whole user. Ignore what is read-only; an empty groups strips nobody of a group.",
        needs=("ann", "ben", "crew"),
    ),
    Check(
        "Values come back as they were sent",
        "User",
        (
            Step(
                "GET /Users/{ann}",
                holds={"phoneNumbers[work].value": "+45 (32) 10-00 00", "userName": "{ann.userName}"},
            ),
        ),
        "Entra ID's tutorial (against RFC 7643 §4.1.2, SHOULD)",
        "Do not reformat phone numbers or fold names: Entra ID compares, and sends them again in every cycle.",
        needs=("ann",),
        must=False,
    ),
)

PATCHING: Final = (
    Check(
        "An op in capitals is understood",
        "User",
        (
            Step("PATCH /Users/{ann}", patch(change("Replace", "Ann Lund", "displayName")), CHANGED),
            Step("GET /Users/{ann}", holds={"displayName": "Ann Lund"}),
        ),
        "Entra ID without its flag aadOptscim062020",
        "Compare op without case: Entra ID sends Add, Replace, Remove.",
        needs=("ann",),
    ),
    Check(
        'active as the text "False" deactivates',
        "User",
        (
            Step("PATCH /Users/{ann}", patch(change("Replace", "False", "active")), CHANGED),
            Step("GET /Users/{ann}", holds={"active": False}),
        ),
        "Entra ID without its flag aadOptscim062020",
        'Convert by the type that the schema says: "False" is false. A text that is kept means that leavers stay.',
        needs=("ann",),
    ),
    Check(
        "A PATCH without a path deactivates",
        "User",
        (
            Step("PATCH /Users/{ann}", patch(change("replace", {"active": False})), CHANGED),
            Step("GET /Users/{ann}", holds={"active": False, "displayName": "Ann Quay"}),
        ),
        "RFC 7644 §3.5.2.3; Okta",
        "Without path the value is an object of attributes; those not named stay.",
        needs=("ann",),
    ),
    Check(
        "A PATCH without a path takes keys with dots and URNs",
        "User",
        (
            Step(
                "PATCH /Users/{ann}",
                patch(change("replace", {"name.givenName": "Anna", f"{ENTERPRISE}:department": "Bridges"})),
                CHANGED,
            ),
            Step(
                "GET /Users/{ann}",
                holds={"name.givenName": "Anna", "name.familyName": "Quay", "enterprise:department": "Bridges"},
            ),
        ),
        "Entra ID with its flag aadOptscim062020",
        "Read each key of such a value as a path.",
        needs=("ann",),
    ),
    Check(
        "Replacing the work address of somebody without any makes one",
        "User",
        (
            Step(
                "PATCH /Users/{ben}",
                patch(change("replace", "{ben.userName}", 'emails[type eq "work"].value')),
                CHANGED,
            ),
            Step("GET /Users/{ben}", holds={"emails[work].value": "{ben.userName}", "emails#": 1}),
        ),
        "RFC 7644 erratum 8097; Entra ID",
        "Where no element matches a filter made of eq terms, make one (by the RFC's letter it is 400 noTarget).",
        needs=("ben",),
    ),
    Check(
        "A second change of the work address makes no second one",
        "User",
        (
            Step(
                "PATCH /Users/{ann}",
                patch(change("Add", "b-{fresh}@example.com", 'emails[type eq "work"].value')),
                CHANGED,
            ),
            Step("GET /Users/{ann}", holds={"emails[work].value": "b-{fresh}@example.com", "emails#": 1}),
        ),
        "RFC 7644 §3.5.2.1",
        "A value path names the element: change it, do not append another of the same type.",
        needs=("ann",),
    ),
    Check(
        "The manager as a bare id is understood",
        "User",
        (
            Step("PATCH /Users/{ann}", patch(change("Add", "{ben}", f"{ENTERPRISE}:manager")), CHANGED),
            Step("GET /Users/{ann}", holds={"enterprise:manager.value": "{ben}"}),
        ),
        "Entra ID",
        "Take a text for {value: text}; Entra ID sends the manager no other way.",
        needs=("ann", "ben"),
    ),
    Check(
        "The manager as an empty text is cleared",
        "User",
        (
            Step("PATCH /Users/{ann}", patch(change("add", {"value": "{ben}"}, f"{ENTERPRISE}:manager")), CHANGED),
            Step("PATCH /Users/{ann}", patch(change("replace", "", f"{ENTERPRISE}:manager")), CHANGED),
            Step("GET /Users/{ann}", holds={"enterprise:manager.value": ABSENT}),
        ),
        "Microsoft's validation template",
        'Take "" for "no manager".',
        needs=("ann", "ben"),
    ),
    Check(
        "Of a PATCH with one wrong operation nothing is applied",
        "User",
        (
            Step(
                "PATCH /Users/{ann}",
                patch(change("replace", "Applied", "displayName"), change("replace", "x", "emails[type eq")),
                (400,),
                {"status": "400"},
            ),
            Step("GET /Users/{ann}", holds={"displayName": "Ann Quay"}),
        ),
        "RFC 7644 §3.5.2",
        "Apply all operations of a request or none: a half change is never corrected by the identity provider.",
        needs=("ann",),
    ),
    Check(
        "A PATCH that changes nothing leaves the time of the last change",
        "User",
        (
            Step("GET /Users/{ann}", learn={"before": "meta.lastModified"}),
            Step("PATCH /Users/{ann}", patch(change("replace", "Ann Quay", "displayName")), CHANGED),
            Step("GET /Users/{ann}", holds={"meta.lastModified": "{before}"}),
        ),
        "RFC 7644 §3.5.2.1",
        "Compare before writing: identity providers repeat themselves, and each repetition would look like news.",
        needs=("ann",),
        must=False,
    ),
)
