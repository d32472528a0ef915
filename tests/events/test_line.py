"""A line says what was put into it, is known to be whole or not, and can be written over in its own length."""

import json
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events.line import HEAD_BYTES, Entry, TooLong, encode, entry, rewritten, sealed, unsealed
from engine.limits import EVENT_BYTES, EVENT_LINE_BYTES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=4)
MESSAGES = st.one_of(
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()),
    OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\r\n").encode()),
)
TIMES = st.integers(0, 2**53)


def read(line: bytes) -> Entry:
    """What the line says."""
    rest = unsealed(line)
    assert rest is not None
    return entry(len(line), rest)


def test_a_line_looks_as_it_is_documented() -> None:
    """Nothing but these four members, in this order."""
    rest = b'"received":1795435200000,"source":"website","message":{"type":"track"}}'
    line = encode(1_795_435_200_000, "website", b'{"type":"track"}')
    assert line == b'{"crc":"%08x",%b\n' % (crc32(rest), rest)
    assert list(json.loads(line)) == ["crc", "received", "source", "message"]


@given(TIMES, TEXT, MESSAGES)
def test_what_is_put_in_comes_out(received: int, source: str, message: bytes) -> None:
    """Any JSON object and any name of a source; one line, and JSON as a whole."""
    line = encode(received, source, message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    found = read(line)
    assert (found.end, found.received_ms, found.source) == (len(line), received, source)
    assert found.message is not None
    assert json.loads(found.message) == json.loads(message)
    if b"\n" not in message:
        assert found.message == message
    assert json.loads(line)["message"] == json.loads(message)


@given(TIMES, TEXT, MESSAGES, st.data())
def test_any_changed_byte_is_noticed(received: int, source: str, message: bytes, data: st.DataObject) -> None:
    """Wherever it is; the newline is the reader's."""
    line = bytearray(encode(received, source, message))
    at = data.draw(st.integers(0, len(line) - 2))
    line[at] ^= data.draw(st.integers(1, 255))
    assert unsealed(bytes(line)) is None


@given(TIMES, TEXT, MESSAGES)
def test_the_beginning_of_a_line_is_no_line(received: int, source: str, message: bytes) -> None:
    """Cut anywhere and ended with a newline: nothing of it is believed."""
    line = encode(received, source, message)
    assert [cut for cut in range(len(line) - 1) if unsealed(line[:cut] + b"\n") is not None] == []


@given(TIMES, TEXT, MESSAGES, MESSAGES)
def test_a_line_is_written_over_in_its_length(received: int, source: str, message: bytes, other: bytes) -> None:
    """Without its message, and with another that is not longer: the same length, the rest as it was."""
    shorter, longer = sorted((message, other), key=len)
    line = encode(received, source, longer)
    rest = unsealed(line)
    assert rest is not None
    for shall in (None, shorter):
        new = sealed(rewritten(rest, shall), len(line))
        assert len(new) == len(line)
        assert (read(new).received_ms, read(new).source) == (received, source)
        assert json.loads(read(new).message or b"null") == json.loads(shall or b"null") == json.loads(new)["message"]
    gone = sealed(rewritten(rest, None), len(line))
    again = unsealed(gone)
    assert again is not None
    assert sealed(rewritten(again, None), len(line)) == gone


def test_an_empty_message_can_be_written_over_too() -> None:
    """`null` is longer than `{}`: such a line has its blanks from the beginning."""
    line = encode(0, "", b"{}")
    rest = unsealed(line)
    assert rest is not None
    assert len(sealed(rewritten(rest, None), len(line))) == len(line)
    assert read(line).message == b"{}"


@pytest.mark.parametrize("message", [b"", b"null", b"[]", b'"text"', b"{", b"1}", b" "])
def test_a_message_is_an_object(message: bytes) -> None:
    """Or else `null` would read as gone."""
    with pytest.raises(ValueError, match="a message is a JSON object"):
        encode(0, "website", message)


def test_a_message_has_a_bound() -> None:
    """The longest fits into the longest line; one more byte is refused."""
    longest = b'{"a":"%b"}' % (b"x" * (EVENT_BYTES - 8))
    assert len(encode(2**53, "s" * 64, longest)) <= EVENT_LINE_BYTES
    with pytest.raises(TooLong, match="at most 65,536 bytes, this one has 65,537"):
        encode(0, "website", b'{"a":"%b"}' % (b"x" * (EVENT_BYTES - 7)))


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"}",
        b'"received":1,"source":"a"}',
        b'"received":x,"source":"a","message":{}}',
        b'"received":1,"source":"\\x","message":{}}',
        b'"received":1,"source":"\xff","message":{}}',
    ],
)
def test_a_whole_line_that_is_no_event(rest: bytes) -> None:
    """A `ValueError`, whatever stands there."""
    assert unsealed(sealed(rest)) == rest
    with pytest.raises(ValueError, match=r"."):
        entry(0, rest)


def test_a_source_cannot_pretend_to_be_more() -> None:
    """Quotes and commas in its name end nothing."""
    for source in ('a","message":{"x":1},"b":"', "a\\", '\\"', ',"source":"', '","message":'):
        line = encode(7, source, b'{"a":1}')
        assert read(line) == Entry(len(line), 7, source, b'{"a":1}')
        assert msgspec.json.decode(line)["source"] == source


def test_the_head_is_as_long_as_it_says() -> None:
    """Everything before the rest."""
    assert encode(0, "", b"{}")[:HEAD_BYTES].endswith(b'",')
