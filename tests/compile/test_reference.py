"""Questions to the reference implementation: whole conditions and parts, with what they need and no more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cel.parse import parse
from engine.cel.scope import VISIT
from engine.cel.tree import Call
from engine.cel.wire import read
from engine.compile.reference import Reference


def reference(text: str) -> Reference:
    """A whole condition."""
    checked = parse(text)
    return Reference(checked, read(checked), VISIT)


@pytest.mark.parametrize(
    ("text", "traits", "expected"),
    [
        ("traits.a.map(x, x + 1) == [2]", {"a": [1]}, True),
        ("traits.a.map(x, x + 1) == [2]", {"a": [2]}, False),
        ("traits.a.map(x, x + 1) == [2]", {}, None),
        ('traits["a"] == 1 && has(traits.b)', {"a": 1, "b": 2}, True),
        ("traits.?a.orValue(3) == 3 && traits[?'b'].hasValue()", {"b": 1}, True),
        ("traits == {'a': 1}", {"a": 1}, True),
        ("traits.exists(k, k == 'b')", {"a": 1, "b": 2}, True),
        ("traits[traits.a] == 2", {"a": "b", "b": 2}, True),
        ("traits.a", {"a": 5}, None),
    ],
)
def test_answers(visitor: Any, text: str, traits: dict[str, Any], expected: bool | None) -> None:
    """However an expression asks for a root, it gets what it asks for."""
    assert reference(text)(*visitor(**traits)) is expected


def test_a_part_of_a_condition(visitor: Any) -> None:
    """A part is evaluated as it was checked within the whole."""
    checked = parse('traits.a == 1 && now - duration("1h") < now')
    whole = read(checked)
    assert isinstance(whole, Call)
    assert Reference(checked, whole.args[0], VISIT)(*visitor(a=2)) is False
    assert Reference(checked, whole.args[1], VISIT)(*visitor()) is True


def test_timestamps_in_maps(visitor: Any) -> None:
    """A typed trait is a timestamp there as well."""
    roots = visitor(since=datetime(2026, 11, 1, tzinfo=UTC), other=datetime(2026, 11, 2, tzinfo=UTC))
    assert reference('traits.since.getHours("Asia/Tokyo") == 9')(*roots) is True


def test_only_what_is_asked_for(visitor: Any) -> None:
    """What the expression does not name is not looked at, so nothing strange in it can do harm."""
    assert reference("math.abs(traits.a) == 1")(*visitor(a=-1, strange=object())) is True
