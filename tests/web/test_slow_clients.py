"""Clients that begin and do not go on are ended in time, and nobody else notices them.

1. Each bad client is a connection of its own: it stops in the middle of its head or body, sends a byte now and then,
   never says anything, or asks for ever and never reads. All at once, a few hundred of them, to one worker.
2. Honest clients ask at full speed meanwhile; each gets every answer.
3. How long a bad client is suffered is a promise of the service, with the sweep and a busy machine counted in.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

HONEST = 8
MUTE = 5
HEAD = b"POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n"
HEADS_WITHIN_S = 10.0
BODIES_WITHIN_S = 20.0
MUTE_WITHIN_S = 40.0
NOW_AND_THEN_S = 0.7


async def closed(connection: Any) -> bool:
    """Wait for the service's end; was it the end of the connection alone, or with a 408?"""
    try:
        return b" 408 " in await connection.rest()
    except OSError:
        return False


async def stop_after(connection: Any, sent: bytes, held: Callable[[], set[int]]) -> bool:
    """Say this, and no more."""
    connection.writer.write(sent)
    return await closed(connection)


async def trickle_after(connection: Any, sent: bytes, held: Callable[[], set[int]]) -> bool:
    """Say this, then a byte now and then."""

    async def trickle() -> None:
        while True:
            connection.writer.write(b"x")
            await asyncio.sleep(NOW_AND_THEN_S)

    connection.writer.write(sent)
    trickling = asyncio.ensure_future(trickle())
    try:
        return await closed(connection)
    finally:
        trickling.cancel()


async def never_read(connection: Any, sent: bytes, held: Callable[[], set[int]]) -> bool:
    """Ask as long as somebody holds the connection, and take no answer, not even the kernel's that it is over."""
    connection.reader._transport.pause_reading()
    while connection.port in held():
        with suppress(OSError, TimeoutError):
            for _ in range(200):
                connection.writer.write(sent)
                await asyncio.wait_for(connection.writer.drain(), 1)
        await asyncio.sleep(0.1)
    return False


async def attack(
    open_one: Callable[[], Awaitable[Any]],
    held: Callable[[], set[int]],
    count: int,
    act: Any,
    sent: bytes,
    within: float,
) -> tuple[int, int]:
    """So many of a kind: how many were told 408, and how many not before their time was over."""
    told = late = 0

    async def one() -> None:
        nonlocal told, late
        connection = await open_one()
        begun = time.monotonic()
        was_told = await act(connection, sent, held)
        told += was_told
        late += time.monotonic() - begun > within
        connection.writer.transport.abort()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())
    return told, late


SHORT = [
    (100, stop_after, b"POST /v1/dec", HEADS_WITHIN_S),
    (100, stop_after, HEAD, HEADS_WITHIN_S),
    (100, trickle_after, HEAD + b"x-more: ", HEADS_WITHIN_S),
]
LONG = [
    (300, stop_after, HEAD, HEADS_WITHIN_S),
    (300, trickle_after, HEAD + b"x-more: ", HEADS_WITHIN_S),
    (300, stop_after, HEAD + b"\r\n{", BODIES_WITHIN_S),
    (300, trickle_after, HEAD + b"\r\n{", BODIES_WITHIN_S),
    (300, stop_after, b"", BODIES_WITHIN_S),
    # Larger requests, so that not too many of them fit into one piece: that would be refused.
    (MUTE, never_read, b"POST /v1/decide HTTP/1.1\r\ncontent-length: 8000\r\n\r\n" + b"x" * 8_000, MUTE_WITHIN_S),
]


@pytest.mark.parametrize("kinds", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"])
def test_clients_that_stop_are_ended_and_cost_nobody_an_answer(
    standing: Any, wire: Any, until: Callable[..., None], kinds: list[Any]
) -> None:
    """All are gone in time, those that had begun were told why, and honest clients miss nothing."""
    address = wire.at(standing.url)
    ended: list[tuple[int, int]] = []

    async def attacks() -> None:
        def open_one(act: Any) -> Callable[[], Awaitable[Any]]:
            return lambda: wire.Wire.open(address, 4096 if act is never_read else None)

        def held() -> set[int]:
            return set(wire.peers_of(standing.process.pid))

        ended.extend(await asyncio.gather(*(attack(open_one(kind[1]), held, *kind) for kind in kinds)))

    tally = wire.beside(address, HONEST, attacks, 0.2)
    for (count, act, sent, within_s), (told, late) in zip(kinds, ended, strict=True):
        print(f"{count} x {act.__name__} {sent[-12:]!r}: {told} were told 408, {late} later than {within_s} s")
        assert late == 0
        assert told == (0 if act is never_read or not sent else count)
    if LONG is kinds:
        until(lambda: any(f"slow-reader {MUTE}" in line for line in standing.log))
    print(f"honest clients: {tally.answers} answers on {tally.connections} connections")
    assert (tally.faults, tally.cut, tally.connections) == ([], {}, HONEST)
    assert tally.answers > 100 * HONEST
