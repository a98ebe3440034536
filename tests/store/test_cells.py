"""Cells of CSV files."""

from __future__ import annotations

import pytest

from app.store.cells import meant, plain


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM", "\tx", "\rx", "'=x", "'", "it's", "plain", "", "''"])
def test_a_cell_comes_back_as_it_went_out_and_is_no_formula(text: str) -> None:
    cell = plain(text)
    assert meant(cell) == text
    assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_what_somebody_typed_is_meant_as_it_stands() -> None:
    assert [meant(cell) for cell in ("O'Hara", "'tis", "Staff")] == ["O'Hara", "'tis", "Staff"]
