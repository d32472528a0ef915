"""Clients that begin and do not go on are ended in time, and nobody else notices them.

1. Each bad client is a connection of its own: it stops in the middle of its head or body, sends a byte now and then,
   or never says anything; all at once, a few hundred of each kind, to one worker. A few ask for ever and never read.
2. Honest clients ask at full speed meanwhile; each gets every answer.
3. How long a bad client is suffered is a promise of the service, with the sweep and a busy machine counted in.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

HONEST = 8
MUTE = 2
HEAD = b"POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n"
HEADS_WITHIN_S = 10.0
BODIES_WITHIN_S = 20.0
MUTE_WITHIN_S = 30.0
NOW_AND_THEN_S = 0.7


async def closed(connection: Any) -> bool:
    """Wait for the service's end; was it the end of the connection alone, or with a 408?"""
    try:
        return b" 408 " in await connection.rest()
    except OSError:
        return False


async def stop_after(connection: Any, sent: bytes) -> bool:
    """Say this, and no more."""
    connection.writer.write(sent)
    return await closed(connection)


async def trickle_after(connection: Any, sent: bytes) -> bool:
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


async def attack(
    open_one: Callable[[], Awaitable[Any]], count: int, act: Any, sent: bytes, within_s: float
) -> tuple[int, int]:
    """So many of a kind: how many were told 408, and how many not before their time was over."""
    told = late = 0

    async def one() -> None:
        nonlocal told, late
        connection = await open_one()
        begun = time.monotonic()
        was_told = await act(connection, sent)
        told += was_told
        late += time.monotonic() - begun > within_s
        connection.writer.transport.abort()

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())
    return told, late


def slow_readers(log: list[str]) -> int:
    """How many the service counted."""
    return sum(json.loads(line)["refused"]["slow-reader"] for line in log if "slow-reader " in line)


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
]


@pytest.mark.parametrize("kinds", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"])
def test_clients_that_stop_are_ended_and_cost_nobody_an_answer(standing: Any, wire: Any, kinds: list[Any]) -> None:
    """All are gone in time, those that had begun were told why, and honest clients miss nothing."""
    address = wire.at(standing.url)
    ended: list[tuple[int, int]] = []

    async def attacks() -> None:
        ended.extend(await asyncio.gather(*(attack(lambda: wire.Wire.open(address), *kind) for kind in kinds)))

    tally = wire.beside(address, HONEST, attacks, 0.2)
    for (count, act, sent, within_s), (told, late) in zip(kinds, ended, strict=True):
        print(f"{count} x {act.__name__} {sent[-12:]!r}: {told} were told 408, {late} later than {within_s} s")
        assert late == 0
        assert told == (count if sent else 0)
    print(f"honest clients: {tally.answers} answers on {tally.connections} connections")
    assert (tally.faults, tally.cut, tally.connections) == ([], {}, HONEST)
    assert tally.answers > 100 * HONEST


@pytest.mark.long
def test_clients_that_never_read_are_left(standing: Any, wire: Any, until: Callable[..., None]) -> None:
    """The service stops listening to them when it cannot write, and lets them go in the end, as what they are."""
    address = wire.at(standing.url)
    # Large, so that not too many of them fit into one piece: that would be refused.
    asked = b"POST /v1/decide HTTP/1.1\r\ncontent-length: 8000\r\n\r\n" + b"x" * 8_000

    async def never_read() -> float:
        """Ask as long as somebody holds the connection. A full window keeps even the reset from arriving."""
        connection = await wire.Wire.open(address, 4096)
        connection.writer.write(asked)
        await connection.answer()
        connection.reader._transport.pause_reading()
        stuck = time.monotonic()
        while connection.port in wire.peers_of(standing.process.pid):
            with suppress(OSError, TimeoutError):
                for _ in range(200):
                    connection.writer.write(asked)
                    await asyncio.wait_for(connection.writer.drain(), 1)
                    stuck = time.monotonic()
            await asyncio.sleep(0.1)
        connection.writer.transport.abort()
        return time.monotonic() - stuck

    stuck_s: list[float] = []

    async def attacks() -> None:
        stuck_s.extend(await asyncio.gather(*(never_read() for _ in range(MUTE))))

    tally = wire.beside(address, 1, attacks)
    print(f"let go {stuck_s} s after they were stuck; {tally.answers} answers for an honest client meanwhile")
    assert max(stuck_s) < MUTE_WITHIN_S
    assert (tally.faults, tally.cut) == ([], {})
    until(lambda: slow_readers(standing.log) == MUTE)
    assert not any("Traceback" in line for line in standing.log)
