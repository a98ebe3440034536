"""RSA keys for tests, made once a process: making one takes longer than what most tests do with it.

Within a test no key comes twice; the next test begins with the first again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import rsa

from sso import keys, saml_keys

_made: dict[object, list[Any]] = {}


@contextmanager
def handed_out() -> Iterator[None]:
    """In the block the makers of keys give ready ones, as far as there are any."""
    given: Counter[object] = Counter()
    make_one = keys.make

    def one(kind: object, make: Callable[[], Any]) -> Any:
        ready = _made.setdefault(kind, [])
        given[kind] += 1
        if given[kind] > len(ready):
            ready.append(make())
        return ready[given[kind] - 1]

    def signing_key(algorithm: str = keys.ES256) -> keys.MadeKey:
        made: keys.MadeKey = one(algorithm, lambda: make_one(algorithm))
        return made

    def private_key(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        made: rsa.RSAPrivateKey = one(key_size, lambda: rsa.generate_private_key(public_exponent, key_size))
        return made

    maker = SimpleNamespace(generate_private_key=private_key, RSAPrivateKey=rsa.RSAPrivateKey)
    with patch.object(keys, "make", signing_key), patch.object(saml_keys, "rsa", maker):
        yield
