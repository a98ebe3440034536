"""import-linter's contracts, so that `make test` alone tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
