"""The visitors of a store, all or a sample of them, one profile after the other; with a bar where somebody looks.

1. Ids first, then profiles: the sample is drawn by id (`review.sampling`), and only its profiles are read, in few trips
   (`profiles.gathering`).
2. A question makes no store: without a data folder there is nothing to ask, and that is told.
3. Profiles with a damaged record are left out; `Visitors.damaged` counts them.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from engine import limits
from engine.cli import options
from engine.cli.kinds import Whole
from engine.cli.options import SETTLED
from engine.cli.screen import fail
from engine.cli.trouble import told
from engine.node import open_store
from engine.profiles.gathering import profiles
from engine.profiles.ids import id_of
from engine.profiles.store import Store
from engine.profiles.valkey.address import address
from engine.review.sampling import Sample, sample
from engine.settings import Settings
from engine.shared import is_shared
from engine.words import Profile

T = TypeVar("T")
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def sampled(command: Decorated) -> Decorated:
    """The options `--sample` and `--all`; together they are the argument `size` of `visitors`."""
    some = click.option(
        "--sample",
        "size",
        metavar="N",
        type=Whole(1),
        default=limits.VISITORS_SAMPLED,
        show_default=True,
        help="Look at so many of a larger store, always the same ones.",
    )
    everyone = click.option("--all", "everyone", is_flag=True, help="Look at all that is stored.")
    return some(everyone(command))


class Visitors:
    """The chosen visitors of an open store, to be gone through once."""

    def __init__(self, store: Store, chosen: Sample) -> None:
        self.chosen = chosen
        self.damaged = 0
        self._store = store

    def profiles(self) -> Iterator[Profile]:
        """Their profiles. Raises StoreError."""
        for profile in profiles(self._store, bar(self.chosen.ids, len(self.chosen.ids), "visitors")):
            if profile.degraded:
                self.damaged += 1
            else:
                yield profile


def stored_settings(rules: Path, data: Path, stored: str) -> Settings:
    """Where profiles are kept, by the option `options.stored`."""
    url = options.variables().store if stored == SETTLED else stored
    if url is not None and "://" not in url:
        fail(f"--store {'…' if '@' in url else url}: expected a URL; for the store under --data put --store last")
    return options.settings(rules=rules, data=data, store=url)


def named(settings: Settings) -> str:
    """Where profiles are kept, without a password."""
    url = settings.write_store or settings.store or settings.read_store
    with told():
        return str(settings.data if url is None else address(url))


@contextmanager
def visitors(settings: Settings, size: int | None) -> Iterator[Visitors]:
    """At most `size` visitors of the store that the settings name; with None all of them."""
    if not is_shared(settings) and not settings.data.exists():
        fail(f"{settings.data}: no such folder, so nothing is stored; `mutiny-edge import` stores visitors")
    with told(), closing(open_store(settings, read_only=True)) as store:
        keys = bar(store.scan("visitor"), store.stats().records, "ids")
        yield Visitors(store, sample((id_of(key) for key, _ in keys), size))


def of_them(chosen: Sample) -> str:
    """`3,000 stored visitors`, or `a sample of 20,000 of 1,234,567 stored visitors`."""
    if chosen.is_all:
        return f"{chosen.total:,} stored visitor{'' if chosen.total == 1 else 's'}"
    return f"a sample of {len(chosen.ids):,} of {chosen.total:,} stored visitors"


def left_out(damaged: int) -> str:
    """A sentence about damaged records, or nothing."""
    return f"{damaged:,} left out: their records are damaged" if damaged else ""


def bar(items: Iterable[T], length: int, label: str) -> Iterator[T]:
    """The same items; a terminal shows how far it is, a pipe stays quiet."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=length, label=label, file=sys.stderr, update_min_steps=100) as shown:
        yield from shown


@contextmanager
def bytes_bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """To be told how many bytes more are read; a terminal shows how far it is, a pipe stays quiet."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield shown.update
