"""The benchmark runs from its beginning to its end, at a size that says nothing about speed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.journeys.server import CHECKOUT

pytestmark = pytest.mark.journey


def test_it_measures_ours_beside_the_floor_and_the_peer_and_nothing_fails() -> None:
    command = [sys.executable, "-m", "benchmarks.scim", "--users", "20", "--seconds", "0.2", "--walk-seconds", "1"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"\(.*\d+ failed\)", done.stdout) == []
    assert len(re.findall("No operation slower than the peer: (?:yes|no)", done.stdout)) == 1
    assert "| POST a user |" in done.stdout
    assert "MiB resident" in done.stdout
    assert re.search(r"\| 1 \| \d+\.\d \| \d+\.\d \|", done.stdout)
