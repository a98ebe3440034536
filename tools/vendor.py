"""Other people's files for the console, copied from npm's packages: python -m tools.vendor NODE_MODULES

    package-lock.json ─npm ci─▶ NODE_MODULES ─▶ app/static/vendor/<package>/… + files.json (sha256, package, version)

`make vendor` does both steps. The icons of `icons.txt` become one sprite. tests/guards/test_vendored.py compares.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Final

VENDOR: Final = Path(__file__).resolve().parents[1] / "app" / "static" / "vendor"
MANIFEST: Final = "files.json"
ICONS: Final = "icons.txt"
SPRITE: Final = "tabler-icons/icons.svg"

# where it comes to lie: the package, and the file in it
COPIED: Final = {
    "htmx/htmx.min.js": ("htmx.org", "dist/htmx.min.js"),
    "htmx/LICENSE": ("htmx.org", "LICENSE"),
    "tabler/tabler.min.css": ("@tabler/core", "dist/css/tabler.min.css"),
    "tabler-icons/LICENSE": ("@tabler/icons", "LICENSE"),
    "uplot/uPlot.iife.min.js": ("uplot", "dist/uPlot.iife.min.js"),
    "uplot/uPlot.min.css": ("uplot", "dist/uPlot.min.css"),
    "uplot/LICENSE": ("uplot", "LICENSE"),
}
# Its package has no licence file; the stylesheet's first lines name the licence and who holds the rights.
TABLER_RIGHTS: Final = "Copyright 2018-2026 The Tabler Authors\nCopyright 2018-2026 codecalm.net Paweł Kuna"


def main(modules: Path) -> None:
    """Copy everything anew, and write down what it is."""
    for folder in VENDOR.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    written = {name: package for name, (package, _) in COPIED.items()}
    for name, (package, path) in COPIED.items():
        _write(name, _without_map((modules / package / path).read_bytes()))
    _write("tabler/LICENSE", _tabler_licence(modules).encode())
    _write(SPRITE, _sprite(modules / "@tabler" / "icons").encode())
    written |= {"tabler/LICENSE": "@tabler/core", SPRITE: "@tabler/icons"}
    files = {
        name: {
            "package": package,
            "version": json.loads((modules / package / "package.json").read_bytes())["version"],
            "sha256": hashlib.sha256((VENDOR / name).read_bytes()).hexdigest(),
        }
        for name, package in sorted(written.items())
    }
    (VENDOR / MANIFEST).write_text(json.dumps(files, indent=2) + "\n", encoding="utf-8")


def _write(name: str, content: bytes) -> None:
    path = VENDOR / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _without_map(content: bytes) -> bytes:
    """Source maps are not copied; a browser's tools would ask for them in vain."""
    content = re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", content)
    return re.sub(rb"\n?/\*# sourceMappingURL=\S+ \*/\s*$", b"\n", content)


def _tabler_licence(modules: Path) -> str:
    banner = (modules / "@tabler/core/dist/css/tabler.min.css").read_text(encoding="utf-8")[:400]
    for line in (*TABLER_RIGHTS.splitlines(), "Licensed under MIT"):
        if line not in banner:
            raise SystemExit(f"Tabler's stylesheet no longer says {line!r}: correct its licence in tools/vendor.py")
    terms = (modules / "@tabler/icons/LICENSE").read_text(encoding="utf-8")
    return re.sub(r"Copyright \(c\).*", TABLER_RIGHTS, terms)


def _sprite(package: Path) -> str:
    names = (VENDOR / ICONS).read_text(encoding="utf-8").split()
    symbols = [_symbol(name, (package / "icons/outline" / f"{name}.svg").read_text(encoding="utf-8")) for name in names]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])


def _symbol(name: str, drawing: str) -> str:
    paths = re.findall(r'<path d="[^"]+" />', drawing)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(paths).replace(" />", "/>")}</symbol>'


if __name__ == "__main__":
    main(Path(sys.argv[1]))
