"""Thousands of requests that are nearly right: none is answered with a 5xx, and each 4xx is a problem with its code.

1. A good request is spoilt in one to three ways by a fixed seed, every second one only behind its first line: bytes
   flipped, lost, doubled, lines swapped, something put in that parsers stumble over, cut off, or two requests grown
   together. One in ten arrives byte by byte.
2. Each has a connection of its own and ends with half-closing it, so that nobody waits for what never comes. All that
   comes back must be whole answers.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from engine.web.refusal import CODES

AT_ONCE = 40
STUMBLES = (
    *(b"\r\n", b"\n", b"\r", b"\x00", b"\xff", b" ", b"\t", b":", b"%", b"%ff", b"%00", b"?", b"#", b"//", b"/../"),
    *(b"content-length: 5", b"content-length: -1", b"content-length: 99999999999999999999", b"content-length: 16385"),
    *(b"transfer-encoding: chunked", b"transfer-encoding: gzip, chunked", b"transfer-encoding: x"),
    *(b"expect: 100-continue", b"expect: x", b"connection: upgrade\r\nupgrade: h2c", b"connection: close", b"host: b"),
    *(b"x: " + b"y" * 20_000, b"a: b\r\n" * 150, b"/" + b"z" * 9_000, b" " * 17_000, b"[" * 2_000),
    *(b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"5;" + b"e" * 300 + b"\r\n", b"HTTP/1.0", b"HTTP/2.0"),
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HEAD ", b"CONNECT ", b"\xef\xbb\xbf", b"\xc0\x80"),
    *(b'"\\ud800"', b"1e999", b"null", b"{", b"}", b'"', b",", b'{"a":' * 1_100),
)


def good(wire: Any) -> list[bytes]:
    """Requests that are answered with 200 or 204."""
    return [
        wire.post(),
        wire.post(None, "origin: https://www.example.com", "accept-language: de", "x-forwarded-for: 192.0.2.1"),
        wire.post(None, "expect: 100-continue"),
        wire.chunked(wire.decision()),
        wire.chunked(wire.decision(), 3, trailers="x: y\r\n"),
        wire.get("/v1/decide?visitorId=v1&url=https%3A%2F%2Fwww.example.com%2F"),
        wire.get("/healthz"),
        wire.get("/readyz", "connection: close"),
        wire.get("/v1/decide", "origin: https://a.example", "access-control-request-method: POST", method="OPTIONS"),
    ]


def spoilt(request: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The request with one to three things wrong."""
    first, end, rest = request.partition(b"\r\n")
    kept, spoilt = (first + end, rest) if chance.random() < 0.5 else (b"", request)
    for _ in range(chance.randint(1, 3)):
        spoilt = chance.choice(WAYS)(spoilt, others, chance)
    return kept + spoilt


def flipped(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """One bit."""
    at = chance.randrange(len(request) + 1)
    return request[:at] + bytes(byte ^ 1 << chance.randrange(8) for byte in request[at : at + 1]) + request[at + 1 :]


def lost(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """A few bytes."""
    at = chance.randrange(len(request) + 1)
    return request[:at] + request[at + chance.randrange(10) :]


def doubled(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """A stretch, twice."""
    at, to = sorted(chance.randrange(len(request) + 1) for _ in range(2))
    return request[:to] + request[at:]


def swapped(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """Lines in another order."""
    lines = request.split(b"\r\n")
    chance.shuffle(lines)
    return b"\r\n".join(lines)


def cut_off(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """Ends too early."""
    return request[: chance.randrange(len(request) + 1)]


def grown_together(request: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Another request within it."""
    at = chance.randrange(len(request) + 1)
    return request[:at] + chance.choice(others) + request[at:]


def stumbling(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """Something put in anywhere."""
    at = chance.randrange(len(request) + 1)
    return request[:at] + chance.choice(STUMBLES) + request[at:]


def another_line(request: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """Something put in as a line of its own."""
    lines = request.split(b"\r\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(STUMBLES))
    return b"\r\n".join(lines)


WAYS = (flipped, lost, doubled, swapped, cut_off, grown_together, stumbling, another_line, another_line)


def answers(received: bytes, wire: Any) -> list[Any]:
    """The stream, cut into answers; it holds nothing else."""
    found = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        assert end, received
        first, *lines = head.decode("latin-1").split("\r\n")
        assert first.startswith("HTTP/1.1 "), received
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", "0"))
        if rest.startswith(b"HTTP/1.1 ") or not rest:
            length = 0  # the answer to HEAD
        assert len(rest) >= length, received
        found.append(wire.Answer(int(first.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found


async def said(address: tuple[str, int], request: bytes, *, byte_by_byte: bool, wire: Any) -> bytes:
    """Send it, half-close, and all that comes back."""
    connection = await wire.Wire.open(address)
    received = asyncio.ensure_future(connection.rest())
    try:
        for start in range(0, len(request), 1) if byte_by_byte else ():
            connection.writer.write(request[start : start + 1])
            await asyncio.sleep(0)
        if not byte_by_byte:
            connection.writer.write(request)
        if not connection.writer.transport.is_closing():
            connection.writer.write_eof()
        return bytes(await received)
    except OSError:
        return b""
    finally:
        await connection.close()


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_nothing_that_a_client_sends_is_a_fault_of_ours(standing: Any, wire: Any, count: int) -> None:
    """No 5xx, no traceback, every 4xx with its code; and good requests are answered all the while."""
    chance, requests = random.Random(count), good(wire)
    statuses: Counter[int] = Counter()
    codes: Counter[str] = Counter()
    silent = 0
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(request: bytes, byte_by_byte: bool) -> None:
        nonlocal silent
        async with turn:
            received = await said(wire.at(standing.url), request, byte_by_byte=byte_by_byte, wire=wire)
        found = answers(received, wire)
        silent += not found
        for answer in found:
            statuses[answer.status] += 1
            assert answer.status < 500, (request, answer)
            if answer.status >= 400 and answer.body:
                codes[answer.code] += 1

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(one(spoilt(chance.choice(requests), requests, chance), number % 10 == 0))

    asyncio.run(run())
    print(
        f"{count} requests: {dict(sorted(statuses.items()))}, {silent} without an answer, {dict(codes.most_common())}"
    )
    assert codes.keys() <= CODES.keys()
    assert codes.total() > count / 3
    assert len(codes) >= 8
    assert codes["not-http"] > count / 10
    assert not any("Traceback" in line for line in standing.log), "\n".join(standing.log[:60])
    assert standing.decide().edition == "1"
