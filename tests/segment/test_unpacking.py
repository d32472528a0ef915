"""gzip is undone within bounds; whatever is not whole is refused."""

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.segment.reasons import Unacceptable
from engine.segment.unpacking import unpacked


def refusal(raw: bytes, encoding: bytes = b"gzip", most: int = 1000) -> str:
    """The code with which this body is refused."""
    with pytest.raises(Unacceptable) as refused:
        unpacked(raw, encoding, most)
    return refused.value.code


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP", b" x-gzip "])
def test_what_was_packed_is_unpacked(encoding: bytes) -> None:
    """By the name that the header gives it."""
    assert unpacked(gzip.compress(b"{}"), encoding) == b"{}"


@pytest.mark.parametrize("encoding", [b"", b"identity"])
def test_what_was_not_packed_stays(encoding: bytes) -> None:
    """Without a name nothing is undone."""
    assert unpacked(b"{}", encoding) == b"{}"


@pytest.mark.parametrize("encoding", [b"br", b"deflate", b"gzip, gzip", b"\xff"])
def test_other_packings_are_refused(encoding: bytes) -> None:
    """No library of Segment's uses them."""
    assert refusal(b"{}", encoding) == "bad-encoding"


def test_exactly_as_much_as_may_be() -> None:
    """The bound itself is within."""
    assert len(unpacked(gzip.compress(bytes(1000)), b"gzip", 1000)) == 1000
    assert refusal(gzip.compress(bytes(1001))) == "body-too-large"


def test_a_bomb_does_not_go_off() -> None:
    """A hundred megabytes in a hundred kilobytes."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packing.compress(bytes(1024 * 1024)) for _ in range(100)) + packing.flush()
    assert refusal(bomb) == "body-too-large"


def test_what_is_no_gzip() -> None:
    """JSON that only says it was packed, another packing, nothing, a wrong checksum, something behind the end."""
    whole = gzip.compress(b"hello")
    for raw in (b"{}", zlib.compress(b"hello"), b"", whole[:-8] + bytes(8), whole + b"x", whole + whole):
        assert refusal(raw) == "bad-encoding"


def test_gzip_that_was_cut_short() -> None:
    """At every byte."""
    whole = gzip.compress(b"hello, hello, hello")
    assert {refusal(whole[:end]) for end in range(len(whole))} == {"bad-encoding"}


@given(st.binary(max_size=200), st.sampled_from([b"", b"gzip", b"br"]))
def test_any_bytes_are_undone_or_refused(raw: bytes, encoding: bytes) -> None:
    """Nothing else is raised, and never more comes out than may."""
    with suppress(Unacceptable):
        assert len(unpacked(raw, encoding, 1000)) <= 1000
