"""What the server offers (RFC 7644 §4): ServiceProviderConfig, ResourceTypes, Schemas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scim.errors import NotFound
from scim.events import security_events
from scim.rendering import LIST_RESPONSE
from scim.roles import ROLE
from scim.schemas import LMS_USER, ResourceSchemas, Schema
from scim.store import Features, Limits

_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"


def service_provider_config(base_url: str, limits: Limits, features: Features) -> dict[str, Any]:
    """RFC 7643 §5, with `pagination` of RFC 9865 §4.

    `securityEvents` is absent where nobody hears events (RFC 9967 §4).
    """
    events = {"securityEvents": security_events(features.event_uris)} if features.event_uris else {}
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": limits.bulk_operations,
            "maxPayloadSize": limits.body,
        },
        "filter": {"supported": True, "maxResults": limits.page},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page,
            "maxPageSize": limits.page,
            "cursorTimeout": limits.cursor_timeout,
        },
        "etag": {"supported": True},
        **events,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token of one source of one tenant, in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2.0 client credentials",
                "description": "Client id with a secret or a signed assertion at /oauth/token, scope scim.",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6749",
                "primary": False,
            },
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }


def resource_types(base_url: str, features: Features) -> dict[str, Any]:
    """All resource types as a ListResponse (RFC 7643 §6)."""
    return _listed([_resource_type(kind, base_url, features) for kind in _kinds(features)])


def resource_type(id: str, base_url: str, features: Features) -> dict[str, Any]:
    """One resource type, or `NotFound`."""
    for kind in _kinds(features):
        if kind.kind.lower() == id.lower():
            return _resource_type(kind, base_url, features)
    raise NotFound(f"There is no resource type {id[:200]!r}.")


def schemas(base_url: str, features: Features) -> dict[str, Any]:
    """All schemas as a ListResponse (RFC 7643 §7)."""
    return _listed([schema.as_json(base_url) for schema in _published(features)])


def schema(id: str, base_url: str, features: Features) -> dict[str, Any]:
    """One schema by its URN, or `NotFound`."""
    for known in _published(features):
        if known.id.lower() == id.lower():
            return known.as_json(base_url)
    raise NotFound(f"There is no schema {id[:200]!r}.")


def _kinds(features: Features) -> list[ResourceSchemas]:
    """Users first: Microsoft's collection expects them there."""
    return [*features.schemas.kinds(), *([ROLE] if features.roles_endpoint else [])]


def _published(features: Features) -> list[Schema]:
    return [*_shown(features.schemas.schemas(), features), *([ROLE.core] if features.roles_endpoint else [])]


def _shown(schemas: Iterable[Schema], features: Features) -> list[Schema]:
    return [schema for schema in schemas if features.account_extension or schema.id != LMS_USER]


def _resource_type(kind: ResourceSchemas, base_url: str, features: Features) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "schemas": [_RESOURCE_TYPE],
        "id": kind.kind,
        "name": kind.kind,
        "endpoint": kind.endpoint,
        "description": kind.description,
        "schema": kind.core.id,
        "meta": {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{kind.kind}"},
    }
    extensions = _shown(kind.extensions, features)
    if extensions:
        shown["schemaExtensions"] = [{"schema": extension.id, "required": False} for extension in extensions]
    return shown


def _listed(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": len(resources),
        "startIndex": 1,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
