"""Pictures of the console for the documentation: python -m tools.screenshots TAKEN docs/screenshots

    tests/journeys/test_console_pages.py ─JOURNEY_SCREENSHOTS─▶ TAKEN ─pngquant─▶ <page>-<width>-<theme>.png

`make screenshots` does both steps. The folder is made anew: what has no page any more goes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

COLOURS: Final = "48"  # pages are drawn with few
PREFIX: Final = "console-"


def main(taken: Path, kept: Path) -> str:
    """Reduce what was taken; says how much it is."""
    program = shutil.which("pngquant")
    if program is None:
        raise SystemExit("pngquant is needed (Debian: apt-get install pngquant)")
    pictures = sorted(taken.glob(f"{PREFIX}*.png"))
    if not pictures:
        raise SystemExit(f"{taken} holds no picture of the console")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for picture in pictures:
        to = kept / picture.name.removeprefix(PREFIX)
        subprocess.run([program, "--speed", "3", "--strip", "--output", str(to), COLOURS, str(picture)], check=True)
    size = sum(file.stat().st_size for file in kept.iterdir())
    return f"{len(pictures)} pictures, {size / 2**20:.1f} MiB, in {kept}"


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1]), Path(sys.argv[2])) + "\n")
