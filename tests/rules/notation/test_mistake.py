"""`Mistake`, and how it moves."""

from engine.rules.notation.mistake import Mistake


def test_moving_keeps_everything_but_the_offset() -> None:
    """A mistake found in a part of a text is the same mistake of the whole text, further on."""
    moved = Mistake("no such thing", "this instead", 3, 5).moved(10)
    assert (moved.message, moved.hint, moved.offset, moved.width) == ("no such thing", "this instead", 13, 5)


def test_it_reads_as_its_message() -> None:
    """Printed, a mistake is its message."""
    assert str(Mistake("no such thing", "this instead")) == "no such thing"
