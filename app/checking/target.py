"""The server that is checked: its address, the token, one HTTP session."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MEDIA_TYPE: Final = "application/scim+json"
_TOLD: Final = ("Content-Type", "Location", "ETag", "WWW-Authenticate", "Allow")


class UnreachableError(Exception):
    """The server cannot be asked at all; the message says why, without the token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the JSON body; None where there is none that can be read."""

    status: int
    headers: Mapping[str, str]
    body: Any


class _Bearer(AuthBase):
    """Set as the session's authentication, since a header would yield to a .netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Target:
    """A SCIM service at `base_url`; `token` None sends none. Redirects are shown, not followed.

    A server that answers 429 is asked again after the time that it names, three times at most.
    """

    def __init__(self, base_url: str, token: str | None, timeout: float = 30) -> None:
        self.base_url, self.token, self.timeout = base_url.rstrip("/"), token, timeout
        self._session = requests.Session()
        retry = Retry(total=3, connect=0, read=0, status_forcelist=[429], allowed_methods=None, raise_on_status=False)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def close(self) -> None:
        self._session.close()

    def ask(
        self, method: str, path: str, body: Any = None, *, authorized: bool = True, media_type: str = MEDIA_TYPE
    ) -> Answer:
        """One request; `path` is below the base URL.

        Raises:
            UnreachableError: there was no answer.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": MEDIA_TYPE} | ({} if data is None else {"Content-Type": media_type})
        answered = self._send(method, self.base_url + path, data, headers, authorized=authorized)
        try:
            parsed = answered.json() if answered.content else None
        except ValueError:
            parsed = None
        return Answer(answered.status_code, answered.headers, parsed)

    def check_reachable(self) -> None:
        """Raises:
        UnreachableError: nobody answers, or the token is refused: each check would then fail alike.
        """
        answer = self.ask("GET", "/Users?count=1")
        if answer.status in (401, 403):
            raise UnreachableError(
                f"{self.base_url} refuses the token ({answer.status})"
                if self.token
                else f"{self.base_url} wants a token ({answer.status}): use --token-stdin or --token-env"
            )
        if answer.status >= 500 or not isinstance(answer.body, dict):
            raise UnreachableError(
                f"GET {self.base_url}/Users answers {answer.status} and no JSON object; is this the SCIM base URL?"
            )

    def passed_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application that passes requests on to the server, for a client that speaks WSGI."""
        request = Request(environ)
        split = urlsplit(self.base_url)
        url = f"{split.scheme}://{split.netloc}{request.full_path.rstrip('?')}"
        headers = {name: value for name, value in request.headers if name not in ("Host", "Content-Length")}
        answered = self._send(request.method, url, request.get_data(), headers)
        shown = {name: answered.headers[name] for name in _TOLD if name in answered.headers}
        return Response(answered.content, answered.status_code, shown)(environ, start_response)

    def masked(self, text: str) -> str:
        """`text` without the token."""
        return text.replace(self.token, "(token)") if self.token else text

    def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str], *, authorized: bool = True
    ) -> requests.Response:
        auth = _Bearer(self.token if authorized else None)
        try:
            return self._session.request(
                method, url, data=data, headers=headers, auth=auth, timeout=self.timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise UnreachableError(self.masked(f"{method} {url}: {_reason(error)}")) from error


def _reason(error: requests.RequestException) -> str:
    """What a person can act on: the library's own words name its classes and repeat the address."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate is not trusted, or there is no TLS ({error})"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        causes = [text for text in ("Connection refused", "Name or service not known") if text in str(error)]
        return f"no connection{''.join(f' ({text})' for text in causes)}"
    return f"{type(error).__name__}: {error}"
