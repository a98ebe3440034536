"""What to do about what the suites of others find: they say what is wrong, not what it means.

The first row whose pattern is found in the suite's words counts. A row that is `allowed` is the suite's opinion: the
RFC leaves it open, or some identity provider wants the opposite, so it warns instead of failing.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Advice(NamedTuple):
    """Section of an RFC (empty: as the suite says), what to do, and whether the RFC allows it as it is."""

    section: str
    remedy: str
    allowed: bool = False


NOTHING: Final = Advice("", "")
_DISCOVERY: Final = (
    "Serve /ServiceProviderConfig, /ResourceTypes and /Schemas; identity providers read them when they connect."
)
_NO_CONTENT: Final = (
    "The suite wants 200 with the resource from a PATCH. 204 is allowed, and Entra ID wants it for groups: a good "
    "server lets you choose (Rollcall: scim.user_patch_answers_204, scim.group_patch_answers_204)."
)
_STRANGER: Final = (
    "The suite adds a member whom nobody knows and expects 200. Refusing is allowed; where an identity provider may "
    "send stale ids, leave them out instead (Rollcall: scim.unknown_members_ignored)."
)
_PUBLISHED: Final = "Apply the operation, or publish the attribute as readOnly (or not at all) in /Schemas."

_ROWS: Final = (
    (r"content-type should be", Advice("RFC 7644 §8.1", "Answer with Content-Type: application/scim+json.")),
    (r"location header", Advice("RFC 7644 §3.3", "Send Location with 201; it equals meta.location.")),
    (r"meta\.(created|lastmodified)", Advice("RFC 7643 §3.1", "Show meta.created and meta.lastModified everywhere.")),
    (r"resourcetype.*does not match", Advice("RFC 7643 §3.1", "meta.resourceType is User or Group, spelt so.")),
    (r"^patch /groups/\{id\} add member .*got 40[0-9]", Advice("RFC 7644 §3.5.2", _STRANGER, allowed=True)),
    (r"^patch .*got 204", Advice("RFC 7644 §3.5.2", _NO_CONTENT, allowed=True)),
    (r"got 405", Advice("RFC 7644 §3.2", "Serve the method; Okta's App Integration Wizard updates by PUT only.")),
    (r"got 501", Advice("RFC 7644 §3.2", "Serve it, or say in /ServiceProviderConfig that it is not supported.")),
    (r"'status'", Advice("RFC 7644 §3.12", "Errors are SCIM errors and carry status as a text.")),
    (r"_attribute ", Advice("", _PUBLISHED)),
    (r"nonexistent|random_url|invalid|expect 400", Advice("RFC 7644 §3.12", "Answer with the right SCIM error.")),
    (r"attributes", Advice("RFC 7644 §3.9", "Honour attributes and excludedAttributes wherever a resource is shown.")),
    (r"object_creation|^post /", Advice("RFC 7644 §3.3", "Create the resource and answer 201 with all of it.")),
    (r"object_replacement|^put /", Advice("RFC 7644 §3.5.1", "PUT replaces the resource and answers with all of it.")),
    (r"^patch /", Advice("RFC 7644 §3.5.2", "Apply the operations and answer 200 with the resource, or 204.")),
    (r"delet", Advice("RFC 7644 §3.6", "DELETE answers 204, and the resource is 404 from then on.")),
    (r"schemas|resource_?types|service_?provider", Advice("RFC 7644 §4", _DISCOVERY)),
    (r"^get /|object_query", Advice("RFC 7644 §3.4", "Answer with the resource, or with a ListResponse.")),
)
_SECTION: Final = re.compile(r"RFC ?(\d{4}) Section ([\d.]+\d|\d)")


def about(words: str) -> Advice:
    """What is known about a finding, by its words."""
    return next((advice for pattern, advice in _ROWS if re.search(pattern, words, re.IGNORECASE)), NOTHING)


def section_of(text: str) -> str:
    """The first section of an RFC that `text` names."""
    found = _SECTION.search(text)
    return f"RFC {found[1]} §{found[2]}" if found else ""
