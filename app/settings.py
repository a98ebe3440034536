"""The environment, in one table: name, type, default, sentence.

Nothing else reads environment variables. `load` checks all of them at once, so that a wrong one is found at the start.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

PREFIX: Final = "ROLLCALL_"

Type = Literal["text", "path", "whole number", "URL", "log level", "secret keys", "networks"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_KEY_BYTES: Final = 32


class SettingsError(ValueError):
    """The environment is wrong. The message names each variable and says what is expected of it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `default` is None where the absence of a value has a meaning of its own.

    `least` and `most` bound a whole number, both inclusive.
    """

    name: str
    type: Type
    default: str | None
    sentence: str
    least: int = 0
    most: int = 2**31 - 1
    secret: bool = False

    @property
    def field(self) -> str:
        """The attribute of `Settings` that holds it."""
        return self.name.removeprefix(PREFIX).lower()


VARIABLES: Final = (
    Variable(
        "DATABASE_URL",
        "URL",
        None,
        "The PostgreSQL (14 or newer) to use, as postgresql://user:password@host:port/name. "
        "Without it an embedded PostgreSQL runs in ROLLCALL_DATA_DIR.",
        secret=True,
    ),
    Variable("ROLLCALL_DATA_DIR", "path", "var", "The folder of the embedded PostgreSQL and its log."),
    Variable("ROLLCALL_HOST", "text", "127.0.0.1", "The address that `rollcall serve` listens on."),
    Variable("ROLLCALL_PORT", "whole number", "8080", "The port that `rollcall serve` listens on.", 1, 65535),
    Variable("ROLLCALL_WORKERS", "whole number", "2", "Web worker processes; one a core is a good start.", 1, 256),
    Variable(
        "ROLLCALL_PUBLIC_URL",
        "URL",
        None,
        "How clients reach the server from outside, without a path at its end (https://rollcall.example.com). "
        "Without it http://host:port is assumed.",
    ),
    Variable(
        "ROLLCALL_LOG_LEVEL", "log level", "info", "The least severe log line written: debug, info, warning, error."
    ),
    Variable(
        "ROLLCALL_POOL_SIZE", "whole number", "5", "Database connections that each worker process may hold.", 1, 500
    ),
    Variable(
        "ROLLCALL_LOCK_TIMEOUT_MS",
        "whole number",
        "3000",
        "Milliseconds that a write waits for a lock before it gives up; the client is then told to try again.",
        1,
        600_000,
    ),
    Variable(
        "ROLLCALL_SECRET_KEY",
        "secret keys",
        None,
        "Encrypts stored secrets (signing keys, receivers' tokens): 32 random bytes in base64, as "
        "`openssl rand -base64 32` prints. Several separated by commas: the first encrypts, all decrypt. "
        "With the embedded PostgreSQL one is made in ROLLCALL_DATA_DIR.",
        secret=True,
    ),
    Variable(
        "ROLLCALL_OUTBOUND_NETWORKS",
        "networks",
        None,
        "Private networks that receivers and issuers may be in, besides the public internet, as 10.1.0.0/16, fd00::/8. "
        "Loopback too while ROLLCALL_PUBLIC_URL is on loopback.",
    ),
    Variable(
        "ROLLCALL_TRUSTED_PROXIES",
        "networks",
        None,
        "Networks of the proxies in front, as 10.0.0.0/8, 127.0.0.1/32: from them X-Forwarded-For is believed, read "
        "from the right. Without it a request's address, by which sign-ins are logged and paced, is whoever "
        "reached us.",
    ),
)

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment, checked. `data_dir` is absolute; `public_url` has no slash at its end."""

    database_url: str | None = None
    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 2
    public_url: str = "http://127.0.0.1:8080"
    log_level: str = "info"
    pool_size: int = 5
    lock_timeout_ms: int = 3000
    secret_key: tuple[bytes, ...] | None = field(default=None, repr=False)
    outbound_networks: tuple[Network, ...] | None = None
    trusted_proxies: tuple[Network, ...] | None = None
    data_dir_chosen: bool = False

    @property
    def scim_base_url(self) -> str:
        """Where an identity provider is pointed at."""
        return f"{self.public_url}/scim/v2"


def load(environ: Mapping[str, str]) -> Settings:
    """Reads the settings from `environ`; an empty value counts as absent.

    Raises:
        SettingsError: a value is not of its type, or a ROLLCALL_* variable is not in the table.
    """
    errors = [_unknown(name) for name in sorted(environ) if name.startswith(PREFIX) and name not in _NAMES]
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        text = environ.get(variable.name, "").strip() or variable.default
        try:
            values[variable.field] = None if text is None else _READERS[variable.type](variable, text)
        except ValueError as error:
            errors.append(f"{variable.name}: {error}")
    if errors:
        raise SettingsError("\n".join(errors))
    if values["public_url"] is None:
        values["public_url"] = local_url(values["host"], values["port"])
    return Settings(**values, data_dir_chosen=bool(environ.get("ROLLCALL_DATA_DIR", "").strip()))


def local_url(host: str, port: int) -> str:
    """The address of a server that listens on `host` and `port`, as seen from this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def read_keys(text: str) -> tuple[bytes, ...]:
    """Secret keys: each 32 bytes in base64, of either alphabet, separated by commas.

    Raises:
        ValueError: one is something else.
    """
    return tuple(_key(part.strip()) for part in text.split(","))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        key = b""
    if len(key) != SECRET_KEY_BYTES:
        raise ValueError(f"expected {SECRET_KEY_BYTES} random bytes in base64, as `openssl rand -base64 32` prints")
    return key


def _unknown(name: str) -> str:
    return f"{name}: there is no such setting; `rollcall config list` shows all of them"


def _text(_variable: Variable, text: str) -> str:
    return text


def _path(_variable: Variable, text: str) -> Path:
    return Path(text).expanduser().absolute()


def _whole_number(variable: Variable, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not variable.least <= int(text) <= variable.most:
        raise ValueError(f"expected a whole number from {variable.least} to {variable.most}, found {text!r}")
    return int(text)


def _url(variable: Variable, text: str) -> str:
    schemes = ("postgresql://", "postgres://") if variable.name == "DATABASE_URL" else ("http://", "https://")
    text = text.replace("postgresql+psycopg://", "postgresql://", 1)
    if not text.startswith(schemes):
        raise ValueError(f"expected an address that begins with {' or '.join(schemes)}")
    return text.rstrip("/")


def _log_level(_variable: Variable, text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"expected one of {', '.join(LOG_LEVELS)}, found {text!r}")
    return text.lower()


def _secret_keys(_variable: Variable, text: str) -> tuple[bytes, ...]:
    return read_keys(text)


def _networks(_variable: Variable, text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


_READERS: Final[Mapping[Type, Callable[[Variable, str], Any]]] = {
    "text": _text,
    "path": _path,
    "whole number": _whole_number,
    "URL": _url,
    "log level": _log_level,
    "secret keys": _secret_keys,
    "networks": _networks,
}
_NAMES: Final = frozenset(variable.name for variable in VARIABLES)
