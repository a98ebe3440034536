"""Cursors (RFC 9865): where a page begins, sealed so that a client can carry it and cannot read or bend it.

    Walk ──seal──▶ nextCursor, previousCursor ──client──▶ cursor ──open──▶ Walk, or the precise error

A cursor holds a place in an order (a keyset: sort value and id), never a number of rows to skip: whoever is deleted or
comes while a client walks makes nobody else be skipped or seen twice, and a deep page costs what the first one does.
The sort value may be personal and the cursor stands in a URL, hence encrypted and not only signed (RFC 7644 §7.5.2).
Nothing hangs on it beyond the place: each page is authorised by its own token, and each query holds the client.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scim.errors import ExpiredCursor, InvalidCount, InvalidCursor
from scim.store import Mark, Stretch, Walk

_NONCE: Final = 12
_FORM: Final = b"scim cursor 1"  # bound to every cursor: another form of them cannot be taken for this one
_LONGEST: Final = 8_192
_LETTERS: Final = re.compile(r"[A-Za-z0-9_-]+")  # unreserved in RFC 3986 §2.3
_FREE: Final = ("cursor", "count", "startindex")  # parameters that the fingerprint leaves out


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's cursor as typed (empty: the first page) and the fingerprint of what must stay equal."""

    text: str
    fingerprint: str


def fingerprint(kinds: Sequence[str], folded: Mapping[str, Any], order: str) -> str:
    """Of the parameters, by their names in lower case, that are the same on every page.

    `order` says how the values that are sorted by compare: a tenant that declares them otherwise ends the walk.
    """
    same = {name: value for name, value in folded.items() if name not in _FREE}
    return hashlib.sha256(orjson.dumps([list(kinds), same, order], option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list request. `key` has 32 bytes and is the client's own; `timeout` is in seconds."""

    key: bytes
    timeout: int
    fingerprint: str
    count: int

    def open(self, text: str) -> Walk:
        """The walk of a cursor; of an empty one, that from the beginning.

        Errors: `InvalidCursor`, `ExpiredCursor`, and `InvalidCount` when it was given for another count.
        """
        if not text:
            return Walk()
        issued, same, count, backwards, mark = self._unsealed(text)
        if time.time() - issued > self.timeout:
            raise ExpiredCursor(f"The cursor is older than {self.timeout} seconds: begin again with an empty one.")
        if same != self.fingerprint:
            raise InvalidCursor("Between pages only the cursor may change; another parameter did.")
        if count != self.count:
            raise InvalidCount(f"count must stay the same between pages; it was {count}.")
        return Walk(None if mark is None else Mark(*mark), backwards)

    def around(self, walk: Walk, found: Stretch) -> tuple[str | None, str | None]:
        """`nextCursor` and `previousCursor` of the page that `walk` found; None where there is no such page."""
        if walk.backwards:
            after = Walk(found.last)  # after nobody: from the beginning
            return self._seal(after), self._seal(Walk(found.first, True)) if found.more else None
        further = self._seal(Walk(found.last)) if found.more else None
        known = walk.mark is not None and found.first is not None
        return further, self._seal(Walk(found.first, True)) if known else None

    def _seal(self, walk: Walk) -> str:
        mark = None if walk.mark is None else [walk.mark.value, walk.mark.id]
        plain = orjson.dumps([int(time.time()), self.fingerprint, self.count, walk.backwards, mark])
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self.key).encrypt(nonce, plain, _FORM)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def _unsealed(self, text: str) -> Any:
        try:
            if len(text) > _LONGEST or not _LETTERS.fullmatch(text):
                raise ValueError
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return orjson.loads(AESGCM(self.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _FORM))
        except (InvalidTag, ValueError) as error:
            raise InvalidCursor("The cursor is none that was given out here: begin again with an empty one.") from error
