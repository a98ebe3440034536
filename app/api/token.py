"""POST /oauth/token: credentials, a code or a refresh token become tokens (RFC 6749). Errors are OAuth's own."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs

from flask import Response, request

from app.api import bodies
from app.api.auth import Door
from app.api.problems import Problem
from app.api.routes import Route, json
from app.api.schemas import TokenErrorSchema, TokenSchema
from sso import cross_origin
from sso.assertions import ASSERTION_TYPE
from sso.provider import GRANT_TYPES, TokenRequest

LARGEST: Final = 16 * 1024
MOST_PARAMETERS: Final = 50
FORM: Final = "application/x-www-form-urlencoded"


def issue(door: Door) -> Response:
    """A token, or the RFC's refusal. Parameters in the address are not read: they end up in logs."""
    try:
        form = _form()
    except (Problem, ValueError):
        limits = f"{LARGEST} bytes and {MOST_PARAMETERS} parameters"
        return _refused(f"Send the parameters as {FORM} in UTF-8, at most {limits}.")
    answer = door.provider.token(TokenRequest(dict(request.headers), form))
    response = json(answer.body, answer.status)
    for name, value in answer.headers:
        response.headers[name] = value
    if door.people is not None:
        response.headers.update(cross_origin.of_form(door.people.keeper, form, request.headers.get("Origin")))
    return response


def _form() -> dict[str, list[str]]:
    if request.mimetype != FORM:
        raise ValueError(request.mimetype)
    text = bodies.read_bytes(LARGEST).decode("utf-8")
    return parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)


def _refused(description: str) -> Response:
    return json({"error": "invalid_request", "error_description": description}, 400)


def _error(description: str) -> dict[str, Any]:
    return {"description": description, "schema": TokenErrorSchema}


ROUTES: Final = (
    Route(
        "POST",
        "/oauth/token",
        issue,
        {
            "operationId": "issueToken",
            "summary": "Tokens for client credentials, a code or a refresh token (RFC 6749)",
            "description": "The client proves who it is by HTTP Basic, with client_id and client_secret in the form, "
            "or with client_id and an assertion of its issuer (RFC 7523); a public client sends its client_id alone. "
            "A token lives one hour, two for SCIM, ten minutes when it is a JWT. Refresh tokens change at each use.",
            "tags": ["Authentication"],
            "security": [{}],
            "requestBody": {
                "required": True,
                "content": {
                    FORM: {
                        "schema": {
                            "type": "object",
                            "required": ["grant_type"],
                            "properties": {
                                "grant_type": {"type": "string", "enum": list(GRANT_TYPES)},
                                "code": {"type": "string", "format": "password"},
                                "code_verifier": {"type": "string", "description": "PKCE: of every client."},
                                "redirect_uri": {"type": "string", "format": "uri"},
                                "refresh_token": {"type": "string", "format": "password"},
                                "scope": {
                                    "type": "string",
                                    "description": "Some of the client's scopes; without: all.",
                                },
                                "client_id": {"type": "string"},
                                "client_secret": {"type": "string", "format": "password"},
                                "client_assertion_type": {"type": "string", "const": ASSERTION_TYPE},
                                "client_assertion": {"type": "string", "format": "password"},
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": {"description": "The token.", "schema": TokenSchema},
                "400": _error("The request is wrong."),
                "401": _error("The client did not prove who it is."),
            },
        },
    ),
)
