"""A segment matches where every `when` is true and no `except` is known to be true."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.compile.segments import segment
from engine.words import Segment


@pytest.mark.parametrize(
    ("traits", "matches"),
    [
        ({"employees": 12}, True),
        ({"employees": 12, "is_customer": False}, True),
        ({"employees": 12, "is_customer": True}, False),
        ({"employees": 12, "is_customer": "yes"}, True),
        ({"employees": 120}, False),
        ({"employees": "12"}, False),
        ({}, False),
    ],
)
def test_matches(segment_of: Callable[..., Segment], visitor: Any, traits: dict[str, Any], matches: bool) -> None:
    """An unknown `when` leaves out, an unknown `except` does not."""
    small = segment(segment_of("traits.employees < 50", excepts=("traits.is_customer",)))
    assert small(*visitor(**traits)) is matches


def test_several_conditions(segment_of: Callable[..., Segment], visitor: Any) -> None:
    """All of `when`, any of `except`."""
    both = segment(segment_of("traits.a", "traits.b", excepts=("traits.c", "traits.d")))
    assert both(*visitor(a=True, b=True))
    assert not both(*visitor(a=True))
    assert not both(*visitor(a=True, b=True, d=True))


def test_compiled_on_first_call(segment_of: Callable[..., Segment], visitor: Any) -> None:
    """Even a segment whose bytes are damaged loads; it shows when it is asked."""
    broken = segment_of("true")
    broken = Segment(broken.key, broken.name, (type(broken.when[0])("", broken.place, b"?"),), (), broken.place)
    lazy = segment(broken)
    with pytest.raises(ValueError, match="checked expression"):
        lazy(*visitor())
