"""What a relying party demands survives its time in the store."""

from __future__ import annotations

import pytest

from sso.demands import Demands


@pytest.mark.parametrize(
    ("demands", "document"),
    [
        (Demands(), {}),
        (Demands(max_age=0), {"max_age": 0}),
        (
            Demands(force=True, max_age=60, contexts=("a", "b"), login_hint="x@example.com"),
            {"force": True, "max_age": 60, "contexts": ["a", "b"], "login_hint": "x@example.com"},
        ),
    ],
)
def test_demands_come_back_as_they_were(demands: Demands, document: dict[str, object]) -> None:
    assert demands.document() == document
    assert Demands.of(document) == demands
