"""A store that nodes share: opened as the settings say, and read by who can wait and by who cannot.

What lives here: what `store`, `read_store` and `write_store` mean together, waiting within a budget. What may not: how
such a store is written (`profiles.valkey`) and remembered (`profiles.near`), when a process opens it (`node`).

1. `--store` is read and written; `--read-store` and `--write-store` count before it. Written is at one address, read at
   the nearest of several. Only where `--read-store` says so are replicas read: they may be behind. While none of them
   can be read, or what is written does not come to them, the store that is written is read.
2. The store that is written is opened without a question, so that a service begins while it is down; who only reads,
   or asks for it, is told at once that it cannot be reached.
3. `patiently` waits for what is on its way, all in all no longer than the budget, and then takes what there is.
4. A process that has no such store does not load what speaks to one: a sixth of a second and 13 MB.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from engine.events.node_id import node_id
from engine.profiles.ids import Key, prefix
from engine.profiles.store import NotAtOnce, Reads, Store, StoreUnavailable
from engine.profiles.valkey.address import address, addresses
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.profiles.near.near import Near
    from engine.profiles.valkey.store import ValkeyStore

T = TypeVar("T")


def is_shared(settings: Settings) -> bool:
    """Is the store elsewhere than in the data folder?"""
    return any((settings.store, settings.read_store, settings.write_store))


def open_shared(
    settings: Settings,
    *,
    read_only: bool = False,
    asked: bool = True,
    rest: Callable[[], None] = lambda: None,
) -> "ValkeyStore":
    """The store, for threads; `asked`: only if it answers. Raises StoreError, LogError.

    With `read_only` it is the first that `--read-store` names.
    """
    from engine.profiles.valkey.store import ValkeyStore  # noqa: PLC0415 - 4.

    text = _read_at(settings) if read_only else settings.write_store or settings.store
    if text is None:
        raise StoreUnavailable("--read-store alone: nothing could be written; give --store or --write-store as well")
    store = ValkeyStore(
        addresses(text)[0] if read_only else address(text),
        node=node_id(settings.data, makes=not read_only),
        prefix=settings.store_prefix,
        idle_s=settings.store_ttl_s,
        breaks=not (asked or read_only),
        rest=rest,
    )
    if asked:
        store.one(Key(prefix("visitor")))
    return store


def open_near(settings: Settings, written_by: Store | None = None) -> "Near":
    """What is remembered of a shared store, for an event loop. Raises StoreError.

    `written_by`: what writes it in this process, if anything does; hints that were wrong are mended by that.
    """
    from engine.profiles.near.near import near_to  # noqa: PLC0415 - 4.
    from engine.profiles.valkey.attempts import Attempts  # noqa: PLC0415 - 4.
    from engine.profiles.valkey.store import ValkeyStore  # noqa: PLC0415 - 4.

    store = written_by if isinstance(written_by, ValkeyStore) else None
    written = settings.write_store or settings.store
    spare = address(written) if written and settings.read_store not in (None, written) else None
    if spare is not None and spare.form == "cluster":
        spare = None  # it is no server that could stand in for another one
    return near_to(
        addresses(_read_at(settings) or ""),
        prefix=settings.store_prefix,
        most_bytes=settings.near_bytes,
        attempts=Attempts() if store is None else store.attempts,
        note=_noted_nowhere if store is None else store.note_route,
        replicas=settings.read_store is not None,
        spare=spare,
        histories=frozenset if store is None or spare is None else lambda: store.histories,
    )


def _noted_nowhere(*_: object) -> None:
    """Who only reads mends nothing."""


def _read_at(settings: Settings) -> str | None:
    return settings.read_store or settings.store or settings.write_store


async def patiently(
    near: Reads, hurried: Reads, ask: Callable[[Reads], T], budget_s: float, missed: NotAtOnce | None = None
) -> T:
    """What `ask` says, asked of `near` until all is there; of `hurried` when that takes longer than the budget.

    `missed` is what `ask` has raised just now.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + budget_s
    again: Reads = getattr(near, "again", near)  # of a near-cache: counts nobody twice
    if missed is None:
        try:
            return ask(near)
        except NotAtOnce as error:
            missed = error
    while True:
        left_s = end - loop.time()
        arrival = asyncio.ensure_future(missed.arrival)  # others wait for it too: it must not be cancelled
        if left_s <= 0 or not (await asyncio.wait((arrival,), timeout=left_s))[0]:
            return ask(hurried)
        try:
            return ask(again)
        except NotAtOnce as error:
            missed = error
