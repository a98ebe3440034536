"""A tenant's schemas for the tests: one of each type and of each characteristic, for users and for groups."""

from __future__ import annotations

from typing import Any

from scim.extensions import declared
from scim.schemas import SCHEMAS

LEARNER = "urn:ietf:params:scim:schemas:extension:Academy:2.0:User"  # the form of Entra's documentation
COHORT = "urn:example:params:scim:schemas:cohort:1.0:Group"


def learner() -> dict[str, Any]:
    """The declaration for users."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": LEARNER,
        "name": "Learner",
        "description": "What the academy knows of a learner",
        "attributes": [
            {"name": "track", "type": "string", "canonicalValues": ["sales", "support"]},
            {"name": "code", "type": "string", "caseExact": True},
            {"name": "level", "type": "integer"},
            {"name": "score", "type": "decimal"},
            {"name": "mentor", "type": "boolean"},
            {"name": "hiredAt", "type": "dateTime"},
            {"name": "portfolio", "type": "reference", "referenceTypes": ["external"]},
            {"name": "badgeImage", "type": "binary"},
            {"name": "tags", "type": "string", "multiValued": True},
            {"name": "years", "type": "integer", "multiValued": True},
            {
                "name": "site",
                "type": "complex",
                "subAttributes": [
                    {"name": "city", "type": "string"},
                    {"name": "floor", "type": "integer"},
                    {"name": "alarmCode", "type": "string", "returned": "request"},
                ],
            },
            {
                "name": "badges",
                "type": "complex",
                "multiValued": True,
                "subAttributes": [
                    {"name": "value", "type": "string"},
                    {"name": "type", "type": "string"},
                    {"name": "earnedAt", "type": "dateTime"},
                    {"name": "points", "type": "integer"},
                    {"name": "skills", "type": "string", "multiValued": True},
                    {"name": "proof", "type": "string", "returned": "never"},
                ],
            },
            {"name": "cohortId", "type": "string", "mutability": "immutable"},
            {"name": "rank", "type": "string", "mutability": "readOnly"},
            {"name": "pin", "type": "string", "mutability": "writeOnly"},
            {"name": "notes", "type": "string", "returned": "request"},
            {"name": "secret", "type": "string", "returned": "never"},
            {"name": "region", "type": "string", "returned": "always"},
            {"name": "nullable", "type": "string"},
        ],
    }


def cohort() -> dict[str, Any]:
    """The declaration for groups."""
    return {
        "id": COHORT,
        "name": "Cohort",
        "attributes": [
            {"name": "seats", "type": "integer"},
            {"name": "startsAt", "type": "dateTime"},
            {"name": "internal", "type": "string", "returned": "request"},
        ],
    }


REGISTRY = SCHEMAS.extended([("User", declared(learner(), SCHEMAS)), ("Group", declared(cohort(), SCHEMAS))])
