"""What is remembered: only for its seconds, never past its end, and not without bound."""

from __future__ import annotations

from app.adapters.remembered import Remembered


class Clocks:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.passed = 100.0

    def __call__(self) -> float:
        return self.passed


def kept(clocks: Clocks, most: int = 10) -> Remembered[str, str]:
    return Remembered(1.0, most, steady=clocks, calendar=clocks)


def test_it_is_over_after_its_seconds_counted_from_before_the_reading() -> None:
    clocks = Clocks()
    found = kept(clocks)
    began = clocks()
    clocks.passed += 0.4  # so long the reading took
    found.put("key", "value", began)
    clocks.passed += 0.59
    assert found.get("key") == "value"
    clocks.passed += 0.01
    assert found.get("key") is None


def test_its_own_end_comes_first() -> None:
    clocks = Clocks()
    found = kept(clocks)
    found.put("key", "value", clocks(), ends=100.5)
    assert found.get("key") == "value"
    clocks.passed = 100.5
    assert found.get("key") is None


def test_it_is_bounded_and_what_is_over_is_forgotten() -> None:
    clocks = Clocks()
    found = kept(clocks, most=10)
    for number in range(1_000):
        found.put(str(number), "value", clocks())
        assert len(found) <= 10
    assert found.get("999") == "value"
    for number in range(3):
        clocks.passed += 1.0
        found.put(f"later {number}", "value", clocks())
    assert len(found) == 2


def test_newer_takes_the_place_of_older() -> None:
    clocks = Clocks()
    found = kept(clocks)
    found.put("key", "old", clocks())
    clocks.passed += 1.0
    found.put("key", "new", clocks())
    assert found.get("key") == "new"


def test_nothing_is_kept_for_no_seconds() -> None:
    found: Remembered[str, str] = Remembered(0.0)
    found.put("key", "value", found.steady())
    assert len(found) == 0
