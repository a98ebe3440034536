"""Whether a token is good, for the OpenAPI document: the two doors in front of the others (`app.front`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.api.schemas import TokenErrorSchema
from sso import forward_auth, introspection
from sso.provider_metadata import INTROSPECT

_TEXT: Final = {"text/plain": {"schema": {"type": "string"}}}
_TOLD: Final = ("X-Auth-Account", "X-Auth-Tenant", "X-Auth-Roles", "X-Auth-Client", "X-Auth-Scopes", "X-Auth-Email")
_ACTIVE: Final = {
    "type": "object",
    "required": ["active"],
    "properties": {
        "active": {"type": "boolean", "description": "false: nothing else is told."},
        "token_use": {"type": "string", "enum": ["access", "refresh"]},
        **{
            name: {"type": "string"}
            for name in ("token_type", "scope", "client_id", "sub", "aud", "iss", "jti", "tenant", "acr")
        },
        **{name: {"type": "integer", "description": "Epoch seconds."} for name in ("iat", "exp", "auth_time")},
        **{name: {"type": "array", "items": {"type": "string"}} for name in ("amr", "roles")},
        **{name: {"type": "string"} for name in ("username", "email")},
    },
}


def _json(description: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _plain(description: str) -> dict[str, Any]:
    return {"description": description, "content": _TEXT}


PATHS: Final[Mapping[str, Mapping[str, Any]]] = {
    INTROSPECT: {
        "post": {
            "operationId": "introspectToken",
            "summary": "What is this token (RFC 7662)",
            "description": "The asker proves who it is as at /oauth/token, or by an API key or access token with the "
            "scope tokens:introspect. Of a token that it may not hear of it hears what is said of one that is none.",
            "tags": ["Authentication"],
            "security": [{}],
            "requestBody": {
                "required": True,
                "content": {
                    introspection.FORM: {
                        "schema": {
                            "type": "object",
                            "required": ["token"],
                            "properties": {"token": {"type": "string", "format": "password"}},
                        }
                    }
                },
            },
            "responses": {
                "200": _json("Whether it is good, and of what it stands for.", _ACTIVE),
                "400": _json("The request is wrong.", TokenErrorSchema),
                "401": _json("The asker did not prove who it is.", TokenErrorSchema),
            },
        }
    },
    forward_auth.PATH: {
        "get": {
            "operationId": "checkRequest",
            "summary": "May this request pass? For a proxy in front of an application",
            "description": "By an access token, or with `tenant` by the browser's session there. Any method does.",
            "tags": ["Authentication"],
            "security": [{"bearer": []}, {}],
            "parameters": [
                {
                    "in": "query",
                    "name": name,
                    "schema": {"type": "array", "items": {"type": "string"}},
                    "explode": True,
                    "description": "All of them." if name == "scope" else "One of them.",
                }
                for name in forward_auth.DEMANDS
            ],
            "responses": {
                "204": {
                    "description": "It may; the headers say who it is.",
                    "headers": {name: {"schema": {"type": "string"}} for name in _TOLD},
                },
                "400": _plain("The address demands something unknown."),
                "401": _plain("No good token or session."),
                "403": _plain("A good one, which lacks what is demanded."),
            },
        }
    },
}
