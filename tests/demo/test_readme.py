"""What the pages promise to somebody who sees this for the first time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import VARIABLES, Variable

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda one: one.name)
def test_the_readme_has_each_setting_as_it_is(variable: Variable) -> None:
    default = "" if variable.default is None else f"`{variable.default}`"
    row = f"| `{variable.name}` | {variable.type} | {default} | {variable.sentence} |"
    assert row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_each_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in folder.glob("[0-9]*.md") if f"({page.name})" not in listed] == []
