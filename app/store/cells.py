"""Cells of CSV files for spreadsheets: none is taken for a formula, and each comes back as it went out."""

from __future__ import annotations

from typing import Final

# What begins a formula; and the apostrophe itself, so that one that was there is told from one of ours.
_MARKED: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def plain(text: str) -> str:
    """The text as a cell, with an apostrophe before what a spreadsheet would work out."""
    return f"'{text}" if text.startswith(_MARKED) else text


def meant(cell: str) -> str:
    """The text of a cell that `plain` made, or that somebody typed."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_MARKED) else cell
