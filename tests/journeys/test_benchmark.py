"""The benchmark runs from its beginning to its end, at a size that says nothing about speed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.journeys.server import CHECKOUT

pytestmark = pytest.mark.journey


def _printed(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"\(.*\d+ failed\)", done.stdout) == []
    return done.stdout


def test_tokens_are_checked_and_a_revocation_shows_within_a_second() -> None:
    said = _printed("benchmarks.tokens", "--sessions", "2000", "--accounts", "200", "--seconds", "0.3", "--acts", "2")
    assert len(re.findall(r"^\| (?:check|introspect), ", said, re.MULTILINE)) == 4
    slowest = re.findall(r"^\| (?:deactivated over SCIM|session ended) \| 2 \| (\d\.\d+) \|", said, re.MULTILINE)
    assert [each for each in slowest if float(each) >= 1.0] == []
    assert len(slowest) == 2


def test_it_measures_ours_beside_the_floor_and_the_peer_and_nothing_fails() -> None:
    said = _printed("benchmarks.scim", "--users", "20", "--seconds", "0.2", "--walk-seconds", "1")
    assert len(re.findall("No operation slower than the peer: (?:yes|no)", said)) == 1
    assert "| POST a user |" in said
    assert "MiB resident" in said
    assert re.search(r"\| 1 \| \d+\.\d \| \d+\.\d \|", said)
