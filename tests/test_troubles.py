"""Trouble is told when it begins, when it becomes another kind, and when it is over; never in between."""

import logging

import pytest

from engine.troubles import Troubles


def test_trouble_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is met, and in how many steps; what never went wrong is not well *again*."""
    caplog.set_level(logging.INFO)
    troubles = Troubles("log")
    troubles.goes_well("not read")
    for failed in ("not read", "not written", "not read"):
        troubles.fails(failed, OSError("it is away"))
    for error in (ValueError("it is odd"), OSError("it is away"), ValueError("it is odd")):
        troubles.fails("not read", error)
    troubles.goes_well("not read")
    assert caplog.messages == ["log: not read: it is away", "log: not read: it is odd"]
    for _ in range(2):
        troubles.goes_well("not written")
    assert caplog.messages[2:] == ["log: all is well again"]
    troubles.fails("not read", OSError("it is away"))
    assert caplog.messages[3:] == ["log: not read: it is away"]
