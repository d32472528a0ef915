"""A body, read within its bounds."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.web.refusal import Refused
from engine.web.request import Gone, Request


def read(chunks: Iterable[bytes], most: int, headers: dict[bytes, bytes] | None = None, ends: bool = True) -> bytes:
    """The body that arrives in these pieces; without an end the client goes away behind the last of them."""
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or not ends}

    return asyncio.run(Request("POST", headers or {}, b"", None, receive).json(most))


def code_of(chunks: Iterable[bytes], most: int, name: bytes = b"x", value: bytes = b"") -> str:
    """How it is refused."""
    with pytest.raises(Refused) as refused:
        read(chunks, most, {name: value})
    return refused.value.code


@given(chunks=st.lists(st.binary(max_size=5), min_size=1, max_size=5), most=st.integers(0, 15))
def test_a_body_is_its_pieces_or_too_large(chunks: list[bytes], most: int) -> None:
    """However the network cuts it."""
    whole = b"".join(chunks)
    if len(whole) <= most:
        assert read(chunks, most) == whole
    else:
        assert code_of(chunks, most) == "body-too-large"


def test_a_length_that_is_too_large_is_enough() -> None:
    """Not a byte is read then."""
    assert code_of([], 10, b"content-length", b"11") == "body-too-large"
    assert code_of([], 10, b"content-length", b"9" * 5_000) == "body-too-large"


@pytest.mark.parametrize("length", [b"-1", b"x", b"", b"1,1", "²".encode()])
def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    """No server should pass it on."""
    assert code_of([b"1"], 10, b"content-length", length) == "bad-length"


def test_a_client_that_goes_away_is_no_refusal() -> None:
    """Before the first piece, or behind one that was not the last."""
    for chunks in ([], [b"a"]):
        with pytest.raises(Gone):
            read(chunks, 10, ends=False)


@pytest.mark.parametrize("kind", [b"application/json", b"Application/JSON ; charset=x", b"text/plain", b""])
def test_json_and_text_are_read(kind: bytes) -> None:
    """Whatever parameters they have."""
    assert read([b"1"], 10, {b"content-type": kind}) == b"1"


@pytest.mark.parametrize("kind", [b"text/html", b"application/jsonp", b"\xff", b"multipart/form-data; boundary=x"])
def test_other_types_are_refused(kind: bytes) -> None:
    """Before the body is read."""
    assert code_of([], 10, b"content-type", kind) == "unsupported-media-type"


@pytest.mark.parametrize("coding", [b"gzip", b"Deflate", b"br", b"gzip, identity", b"\xff", b"x" * 1_000])
def test_packed_bodies_are_refused_by_name(coding: bytes) -> None:
    """Nothing is unpacked here, and nobody should hear that their packed body "is not JSON"."""
    with pytest.raises(Refused, match="Content-Encoding: ") as refused:
        read([], 10, {b"content-encoding": coding})
    assert refused.value.status == 415
    assert len(refused.value.detail) < 100
    assert coding != b"gzip" or "gzip" in refused.value.detail


@pytest.mark.parametrize("coding", [b"identity", b" Identity ", b""])
def test_a_body_as_it_is_may_say_so(coding: bytes) -> None:
    """`identity` is no coding."""
    assert read([b"1"], 10, {b"content-encoding": coding}) == b"1"
