"""The schemas that every tenant has (RFC 7643 §4, errata applied) as data: core, enterprise, and our own.

What a schema is stands in `definitions`; a tenant's registry may hold more than `SCHEMAS`.
"""

from __future__ import annotations

from scim.definitions import Attribute, Place, Registry, ResourceSchemas, Schema

__all__ = [
    "CORE_GROUP",
    "CORE_USER",
    "ENTERPRISE_USER",
    "LMS_USER",
    "SCHEMAS",
    "Attribute",
    "Place",
    "Registry",
    "ResourceSchemas",
    "Schema",
]

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LMS_USER = "urn:rollcall:params:scim:schemas:lms:2.0:User"


def _listed(name: str, description: str, *types: str, value: Attribute | None = None) -> Attribute:
    """A multi-valued attribute with the default sub-attributes of RFC 7643 §2.4."""
    return Attribute(
        name,
        "complex",
        multi_valued=True,
        description=description,
        sub_attributes=(
            value or Attribute("value", description="The value itself."),
            Attribute("display", description="A name to show for the value."),
            Attribute("type", description="What the value is for.", canonical_values=types),
            Attribute("primary", "boolean", description="Whether this is the preferred value."),
        ),
    )


_NAME = Attribute(
    "name",
    "complex",
    description="The parts of the person's name.",
    sub_attributes=(
        Attribute("formatted", description="The full name, ready to be shown."),
        Attribute("familyName", description="The family name."),
        Attribute("givenName", description="The given name."),
        Attribute("middleName", description="The middle names."),
        Attribute("honorificPrefix", description="A title before the name."),
        Attribute("honorificSuffix", description="A suffix after the name."),
    ),
)

_ADDRESSES = Attribute(
    "addresses",
    "complex",
    multi_valued=True,
    description="Postal addresses.",
    sub_attributes=(
        Attribute("formatted", description="The address as it is printed."),
        Attribute("streetAddress", description="Street, house number, post box."),
        Attribute("locality", description="City or locality."),
        Attribute("region", description="State or region."),
        Attribute("postalCode", description="Postal code."),
        Attribute("country", description="Country, as a code of ISO 3166-1 alpha-2."),
        Attribute("type", description="What the address is for.", canonical_values=("work", "home", "other")),
        Attribute("primary", "boolean", description="Whether this is the preferred address."),
    ),
)

_GROUPS = Attribute(
    "groups",
    "complex",
    multi_valued=True,
    mutability="readOnly",
    description="The groups that the person belongs to.",
    sub_attributes=(
        Attribute("value", case_exact=True, mutability="readOnly", description="The group's id."),
        Attribute(
            "$ref",
            "reference",
            case_exact=True,
            mutability="readOnly",
            reference_types=("User", "Group"),
            description="The group's location.",
        ),
        Attribute("display", mutability="readOnly", description="The group's name."),
        Attribute(
            "type",
            mutability="readOnly",
            canonical_values=("direct", "indirect"),
            description="Whether the membership is direct.",
        ),
    ),
)

_USER = Schema(
    CORE_USER,
    "User",
    "User Account",
    (
        Attribute("userName", required=True, uniqueness="server", description="The name to sign in with."),
        _NAME,
        Attribute("displayName", description="The name to show."),
        Attribute("nickName", description="The casual name."),
        Attribute(
            "profileUrl",
            "reference",
            case_exact=True,
            reference_types=("external",),
            description="The address of the person's profile page.",
        ),
        Attribute("title", description="The job title."),
        Attribute("userType", description="The relation to the organisation."),
        Attribute("preferredLanguage", description="The preferred language, as in Accept-Language."),
        Attribute("locale", description="The place whose formats are used, as a language tag."),
        Attribute("timezone", description="The time zone, as a name of the IANA database."),
        Attribute("active", "boolean", description="Whether the person may use the platform."),
        Attribute(
            "password", mutability="writeOnly", returned="never", stored=False, description="Accepted, and not kept."
        ),
        _listed("emails", "E-mail addresses.", "work", "home", "other"),
        _listed("phoneNumbers", "Telephone numbers.", "work", "home", "mobile", "fax", "pager", "other"),
        _listed("ims", "Instant messaging addresses."),
        _listed(
            "photos",
            "Pictures.",
            "photo",
            "thumbnail",
            value=Attribute("value", "reference", case_exact=True, reference_types=("external",)),
        ),
        _ADDRESSES,
        _GROUPS,
        _listed("entitlements", "Things that the person is entitled to."),
        _listed("roles", "Roles, as the client names them; they feed role mappings."),
        _listed("x509Certificates", "Certificates.", value=Attribute("value", "binary", case_exact=True)),
    ),
)

_ENTERPRISE = Schema(
    ENTERPRISE_USER,
    "EnterpriseUser",
    "Enterprise User",
    (
        Attribute("employeeNumber", description="The number of the person in the organisation."),
        Attribute("costCenter", description="The cost centre."),
        Attribute("organization", description="The organisation."),
        Attribute("division", description="The division."),
        Attribute("department", description="The department."),
        Attribute(
            "manager",
            "complex",
            description="The person's manager.",
            sub_attributes=(
                Attribute("value", case_exact=True, description="The manager's id."),  # erratum 8472
                Attribute("$ref", "reference", case_exact=True, reference_types=("User",)),
                Attribute("displayName", mutability="readOnly", description="The manager's name."),
            ),
        ),
    ),
)

_LMS = Schema(
    LMS_USER,
    "LearningAccount",
    "The learning platform's account of the person",
    (
        Attribute("accountId", case_exact=True, mutability="readOnly", description="The account's id."),
        Attribute("roles", multi_valued=True, mutability="readOnly", description="The effective roles."),
        Attribute("status", mutability="readOnly", description="The account's state."),
    ),
)

_GROUP = Schema(
    CORE_GROUP,
    "Group",
    "Group",
    (
        Attribute("displayName", required=True, description="The group's name."),  # erratum 5368
        Attribute(
            "members",
            "complex",
            multi_valued=True,
            description="The members: users, and groups of the same client.",
            sub_attributes=(
                Attribute("value", case_exact=True, mutability="immutable", description="The member's id."),
                Attribute(
                    "$ref",
                    "reference",
                    case_exact=True,
                    mutability="immutable",
                    reference_types=("User", "Group"),
                    description="The member's location.",
                ),
                Attribute(
                    "type", mutability="immutable", canonical_values=("User", "Group"), description="The member's kind."
                ),
                Attribute("display", mutability="immutable", description="The member's name."),  # erratum 6011
            ),
        ),
    ),
)

SCHEMAS = Registry(
    user=ResourceSchemas("User", "/Users", "User Account", _USER, (_ENTERPRISE, _LMS)),
    group=ResourceSchemas("Group", "/Groups", "Group", _GROUP),
)
