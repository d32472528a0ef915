"""JSON from outside: half characters do not stand in the way of an answer, and mistakes are told in words of JSON."""

import json
from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from engine.profiles.decoding import NotJson, WrongType, decoded

anything = msgspec.json.Decoder().decode


class Visit(Struct):
    """A shape with one of each kind."""

    name: str | None = None
    count: Annotated[int, Meta(ge=0, le=9)] | None = None
    share: float | None = None
    new: bool | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    page: dict[str, Any] | None = None
    pages: list[str] | None = None


visit = msgspec.json.Decoder(Visit).decode
LARGE = "Expected a number that 64 bits can hold"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\uD83Dab"', "\ufffdab"),
        (rb'"\ude00 x"', "\ufffd x"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\ud83d\u0041"', "\ufffdA"),
        (rb'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
        (rb'"\\\ud83d\""', '\\\ufffd"'),
        (rb'{"\ud83d": 1}', {"\ufffd": 1}),
    ],
)
def test_half_characters_are_replaced(raw: bytes, said: Any) -> None:
    """Wherever they stand; whole pairs and backslashes in the text stay what they are."""
    assert decoded(anything, raw) == said


@given(st.text(st.characters(codec=None, categories=("Cs", "L", "P", "Z", "So")), max_size=20))
def test_any_text_of_a_browser_is_decoded(text: str) -> None:
    """What Python reads of the same JSON, with every half that is left as U+FFFD."""
    raw = json.dumps(text).encode()
    read = json.loads(raw)
    assert decoded(anything, raw) == "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in read)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "The JSON ends too early"),
        (rb'{"name": "\ud83d"', "The JSON ends too early"),
        (rb'{"name": "\ud8', "The JSON ends too early"),
        (b'"\xff"', "Expected UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{'name': 1}", "malformed"),
    ],
)
def test_what_is_no_json(raw: bytes, why: str) -> None:
    """Three kinds of error are one, half characters or not."""
    with pytest.raises(NotJson, match=why):
        decoded(anything, raw)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[]", "Expected an object, got a list"),
        (b'"x"', "Expected an object, got text"),
        (b'{"name": 5}', "Expected text, got a number - at name"),
        (b'{"count": "5"}', "Expected a whole number, got text - at count"),
        (b'{"count": 5.0}', "Expected a whole number, got a number with a point or an exponent - at count"),
        (b'{"count": -1}', "Expected a whole number of at least 0 - at count"),
        (b'{"count": 10}', "Expected a whole number of at most 9 - at count"),
        (b'{"share": true}', "Expected a number, got true or false - at share"),
        (b'{"new": 1}', "Expected true or false, got a number - at new"),
        (b'{"since": "x"}', "Expected a time with its zone, such as 2026-11-23T12:00:00Z - at since"),
        (b'{"since": 5}', "Expected a time with its zone, such as 2026-11-23T12:00:00Z, got a number - at since"),
        (
            b'{"since": "2026-11-23T12:00:00"}',
            "Expected a time with its zone, such as 2026-11-23T12:00:00Z - at since",
        ),
        (b'{"page": []}', "Expected an object, got a list - at page"),
        (b'{"page": {"a": 1e999}}', f"{LARGE} - at page.a"),
        (b'{"x": 1e999, "page": {"a": [1, {"b c": -1e999}]}}', f'{LARGE} - at page.a[1]["b c"]'),
        (b'{"page": {"%s": 1e999}}' % (b"a" * 100), f"{LARGE} - at page.{'a' * 64}"),
        (rb'{"page": {"a": 1e999}, "x": "\ud800"}', f"{LARGE} - at page"),
        (b'{"pages": ["a", 1]}', "Expected text, got a number - at pages[1]"),
    ],
)
def test_another_shape_in_words_of_json(raw: bytes, why: str) -> None:
    """No name of a Python type, no `$`; where, what was expected, what came."""
    with pytest.raises(WrongType) as wrong:
        decoded(visit, raw)
    assert str(wrong.value) == why
