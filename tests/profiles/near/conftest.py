"""A near-cache in a test's own event loop, the store that it reads, and waiting for what is bound to happen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import pytest

from engine.profiles.near.near import Near, near_to
from engine.profiles.store import NotAtOnce, Reads
from engine.profiles.valkey.address import address, addresses
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.store import ValkeyStore

T = TypeVar("T")
SOON_S = 60.0  # only ends what hangs


@pytest.fixture(scope="session")
def written() -> Callable[[str], ValkeyStore]:
    """`written(url)`: the blocking store at this address."""
    return lambda url: ValkeyStore(address(url), node="tests")


@pytest.fixture(scope="session")
def near_at(written: Callable[[str], ValkeyStore]) -> Callable[..., AbstractAsyncContextManager[Near]]:
    """`async with near_at(url) as near`: connected, unless it need not be `up`."""

    @asynccontextmanager
    async def near_at(
        url: str, *, most_bytes: int = 2**20, replicas: bool = False, up: bool = True, **said: Any
    ) -> AsyncIterator[Near]:
        where, attempts = addresses(url), Attempts()
        store = ValkeyStore(where[0], node="tests", attempts=attempts)
        near = near_to(
            where,
            prefix="mutiny:",
            most_bytes=most_bytes,
            attempts=attempts,
            note=store.note_route,
            replicas=replicas,
            **said,
        )
        running = asyncio.ensure_future(near.run())
        try:
            async with asyncio.timeout(SOON_S):
                while up and not near.up:  # noqa: ASYNC110 - it is no event of ours
                    await asyncio.sleep(0.001)
            yield near
        finally:
            while not running.done():
                running.cancel()
                await asyncio.wait((running,), timeout=1.0)
            store.close()
            assert running.cancelled() or running.exception() is None

    return near_at


@pytest.fixture(scope="session")
def soon() -> Callable[..., Any]:
    """`await soon(holds)`: wait until it does."""

    async def soon(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON_S):
            while not holds():  # noqa: ASYNC110 - it is no event of ours
                await asyncio.sleep(0.001)

    return soon


@pytest.fixture(scope="session")
def asked() -> Callable[..., Any]:
    """`await asked(near, ask)`: what `ask` says once all is there, and how often it had to wait."""

    async def asked(near: Reads, ask: Callable[[Reads], T]) -> tuple[T, int]:
        waited = 0
        async with asyncio.timeout(SOON_S):
            while True:
                try:
                    return ask(near), waited
                except NotAtOnce as missed:
                    waited += 1
                    near = getattr(near, "again", near)
                    await asyncio.wait((missed.arrival,))

    return asked
