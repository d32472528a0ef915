"""Errors with places."""

from engine.cel.errors import CelError, CelErrors, at, between
from engine.cel.tokens import tokens


def test_errors_come_in_the_order_of_the_text() -> None:
    """Whatever the order they were found in, errors are told from left to right."""
    errors = CelErrors([CelError(7, 1, "later"), CelError(2, 1, "sooner")])
    assert [error.message for error in errors.errors] == ["sooner", "later"]
    assert str(errors) == "sooner; later"


def test_places_of_tokens() -> None:
    """An error spans its token, or everything from the first to the last."""
    first, _, last = tokens("é1 + abc")[-3:]
    assert (at(last, "x").offset, at(last, "x").width) == (5, 3)
    assert (between(first, last, "x").offset, between(first, last, "x").width) == (first.offset, 8 - first.offset)
