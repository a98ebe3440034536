"""Ctrl-C reaches every process of `serve` at once; it still ends in order, however early it comes."""

from __future__ import annotations

import pytest

from tests.journeys import server

pytestmark = pytest.mark.journey


def test_ctrl_c_right_after_the_start_ends_every_process_in_order() -> None:
    with server.running() as started:
        assert started.interrupt() == 0
        assert "refused to gracefully stop" not in started.log()
