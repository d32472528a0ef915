"""The parts of a JSON text are found by its brackets, whatever stands in them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.segment.slices import NotClosed, deeper_than, elements, members

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8") | st.sampled_from('"\\{}[],:')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
layouts = st.sampled_from([None, 1])  # one line, or laid out


def depth_of(value: Any) -> int:
    """Levels of objects and lists."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(st.lists(values, max_size=5), layouts, st.booleans())
def test_elements_are_those_of_a_decoder(value: list[Any], indent: int | None, ascii_only: bool) -> None:
    """On every list."""
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert [json.loads(part) for part in elements(raw, 9)] == value
    assert elements(raw, 1) == elements(raw, 9)[:2]


@given(st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), values, max_size=5), layouts)
def test_members_are_those_of_a_decoder(value: dict[str, Any], indent: int | None) -> None:
    """On every object whose names need no escape."""
    found = members(json.dumps(value, indent=indent).encode())
    assert {name.decode(): json.loads(part) for name, part in found.items()} == value


@given(values, st.integers(0, 4))
def test_depth_is_that_of_the_value(value: Any, most: int) -> None:
    """Brackets in texts do not count."""
    assert deeper_than(json.dumps(value).encode(), most) == (depth_of(value) > most)


@given(st.binary(max_size=60) | st.text('{}[],:"\\ a', max_size=60).map(str.encode))
def test_any_bytes_are_cut_or_refused(raw: bytes) -> None:
    """Parts, put together again, are what was there; nothing else is raised."""
    deeper_than(raw, 3)
    with suppress(NotClosed):
        assert all(part in raw for part in elements(raw, 9))
    with suppress(NotClosed):
        assert all(part in raw for part in members(raw).values())


@pytest.mark.parametrize("raw", [b"", b"5", b'"[]"', b"[", b"]", b"[] []", b"[[]", b'["]', b"{}"])
def test_what_is_no_list(raw: bytes) -> None:
    """From its beginning to its end."""
    with pytest.raises(NotClosed):
        elements(raw, 9)


@pytest.mark.parametrize("raw", [b"", b"[]", b'"{}"', b"{", b'{"a": 1', b"{} x", b'{"a": "}'])
def test_what_is_no_object(raw: bytes) -> None:
    """From its beginning to its end."""
    with pytest.raises(NotClosed):
        members(raw)


def test_parts_need_not_be_json() -> None:
    """Each is for its own decoder to refuse."""
    assert elements(b"[NaN, , 'x', {[}], \xff]", 9) == [b"NaN", b"", b"'x'", b"{[}]", b"\xff"]
    assert members(b'{"a": NaN, "b", "a": +1}') == {b"a": b"+1"}


def test_depth_costs_nothing() -> None:
    """A hundred thousand levels are levels too."""
    deep = b"[" * 100_000 + b"]" * 100_000
    assert deeper_than(deep, 32)
    assert elements(b"[" + deep + b", 1]", 9) == [deep, b"1"]
