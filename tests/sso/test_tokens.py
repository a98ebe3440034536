"""How a request carries its token: RFC 6750 §2.1 and §3."""

from __future__ import annotations

import pytest

from sso.errors import InsufficientScopeError, MalformedTokenError, MissingTokenError
from sso.tokens import bearer


@pytest.mark.parametrize("header", ["Bearer rc_key_abc", "bearer  rc_key_abc ", "BEARER rc_key_abc"])
def test_the_scheme_is_read_in_any_case(header: str) -> None:
    assert bearer(header) == "rc_key_abc"


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "rc_key_abc"])
def test_nothing_presented_is_no_error_code(header: str | None) -> None:
    with pytest.raises(MissingTokenError) as refused:
        bearer(header)
    assert refused.value.status == 401
    assert refused.value.challenge == 'Bearer realm="rollcall"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer é", "Bearer " + "x" * 513])
def test_a_malformed_token_is_a_bad_request(header: str) -> None:
    with pytest.raises(MalformedTokenError) as refused:
        bearer(header)
    assert refused.value.status == 400
    assert 'error="invalid_request"' in refused.value.challenge


def test_the_challenge_names_the_scope_that_is_missing() -> None:
    refused = InsufficientScopeError("This needs more.", "records:write")
    assert refused.status == 403
    assert refused.challenge == (
        'Bearer realm="rollcall", error="insufficient_scope", '
        'error_description="This needs more.", scope="records:write"'
    )
