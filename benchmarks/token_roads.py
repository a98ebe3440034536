"""What is asked about tokens: each time another one, or the same few again and again.

A token's text follows from its number, so that a million of them need not be told to the load generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final

from benchmarks.roads import Request, Sample

CHECK: Final = "/oauth/check"
INTROSPECT: Final = "/oauth/introspect"
REPEATED: Final = 200  # so many tokens, all in use at once
STEP: Final = 7919


def token(number: int) -> str:
    """The text of a token: of the length of a real one."""
    return f"rc_pt_{number:043}"


def _check(sample: Sample, numbers: Iterable[int]) -> Iterator[Request]:
    return (Request("GET", CHECK, authorization=f"Bearer {token(number)}") for number in numbers)


def _introspect(sample: Sample, numbers: Iterable[int]) -> Iterator[Request]:
    """`sample.token` is the Authorization header of who asks."""
    return (Request("POST", INTROSPECT, f"token={token(number)}", sample.token) for number in numbers)


def _distinct(sample: Sample) -> Iterator[int]:
    """All over the table, from the middle of the round in the measured run: warming up begins at its beginning."""
    first = 0 if sample.run else sample.total // 2
    return (n * STEP % sample.total for n in count(first))


def _repeating(sample: Sample) -> Iterator[int]:
    return (n % REPEATED * STEP % sample.total for n in count())


ROADS: Final[dict[str, Callable[[Sample], Iterator[Request]]]] = {
    "check, each time another token": lambda sample: _check(sample, _distinct(sample)),
    "check, tokens repeat": lambda sample: _check(sample, _repeating(sample)),
    "introspect, each time another token": lambda sample: _introspect(sample, _distinct(sample)),
    "introspect, tokens repeat": lambda sample: _introspect(sample, _repeating(sample)),
}
