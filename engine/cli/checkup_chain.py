"""What was heard of the chain from Segment to lift, read for `doctor`: sources, names, the two logs.

What lives here: reading, in time that does not grow with what is stored. What may not: judging it (`checkup_links`).

1. Names of traits, events and sources are in name records (`profiles.catalogue`), a few hundred in all.
2. Clocks are compared by the newest lines of the event log: when a library said that it sent them, and when they came.
   The median, for a message may have waited, and a phone may be a year ahead.
3. It reads beside a running service, and changes nothing. What cannot be read is told as the trouble of the chain.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine import limits
from engine.cli.checkup_links import EXPOSURE, Chain, Refused
from engine.events.line import Entry as Logged
from engine.events.reading import entries, files
from engine.events.recovery import torn
from engine.events.rejected import Rejected, rejections
from engine.profiles.catalogue import Entry, named
from engine.profiles.encoding import BadRecord, decode
from engine.profiles.ids import id_of
from engine.profiles.record import Record
from engine.profiles.store import Store, StoreError
from engine.segment.message import VISITOR_TRAIT
from engine.segment.moments import moment_ms
from engine.segment.sources import Sources, SourcesError
from engine.settings import Settings

_LINE_BYTES: Final = 2_048  # of an event, as a rule
_SOURCE: Final = "source:"


class _Times(Struct, rename="camel"):
    sent_at: Any = None
    received_at: Any = None


_times: Final = msgspec.json.Decoder(_Times).decode


def look(settings: Settings, store: Store, goals: Mapping[str, str], now: datetime) -> Chain:
    """Read all of it. `goals`: the events of the rules' goals, by key. It does not raise."""
    try:
        names = _names(store, {f"event:{event}" for event in (EXPOSURE, *goals.values())} | {f"trait:{VISITOR_TRAIT}"})
        return Chain(
            now=now,
            sources=tuple(source.name for source in Sources(settings.data).all()),
            heard=heard(store),
            traits=names["trait"],
            unusable=names["unusable"],
            events=names["event"],
            goals=goals,
            skews_s=skews_s(settings.logs.events),
            rejected=tuple(refused(rejections(settings.logs.rejected))),
            torn=tuple(path.name for path in torn(settings.logs.events)),
        )
    except (SourcesError, StoreError) as error:
        return Chain(now, trouble=str(error))
    except OSError as error:
        return Chain(now, trouble=f"{error.filename}: {error.strerror}")


def heard(store: Store) -> dict[str, int]:
    """When each source that ever sent did so last: the newest of all names that came from it. Raises StoreError."""
    last: dict[str, int] = {}
    for _, record in _records(store):
        for name, register in record.traits.items():
            if name.startswith(_SOURCE):
                source = name.removeprefix(_SOURCE)
                last[source] = max(register.time_ms, last.get(source, register.time_ms))
    return last


def _names(store: Store, wanted: set[str]) -> dict[str, dict[str, Entry]]:
    """Traits and events by name: the first ones of very many, and in any case those that are `wanted`."""
    kept: dict[str, dict[str, Entry]] = {"trait": {}, "event": {}, "unusable": {}}
    for id_, record in _records(store):
        of, _, name = id_.partition(":")
        if of in kept and (len(kept[of]) < limits.CATALOGUE_NAMES or id_ in wanted):
            kept[of][name] = named(name, record)
    return kept


def _records(store: Store) -> Iterator[tuple[str, Record]]:
    for key, found in store.scan("name"):
        if isinstance(found, bytes):
            try:
                yield id_of(key), decode(found)
            except BadRecord:
                continue  # counted among the damaged ones


def skews_s(folder: Path) -> dict[str, float]:
    """How many seconds each source's clock is behind ours, by the newest events. Raises OSError."""
    found: dict[str, list[float]] = defaultdict(list)
    for logged in _newest(folder):
        try:
            times = _times(logged.message or b"{}")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        sent, came = moment_ms(times.sent_at), moment_ms(times.received_at)
        if sent is not None:
            found[logged.source].append(((came or logged.received_ms) - sent) / 1000)
    return {source: median(skews) for source, skews in sorted(found.items())}


def _newest(folder: Path) -> Iterator[Logged]:
    """Some hundred events from the end of the newest file that has any."""
    for path in reversed(files(folder)):
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - limits.CLOCK_LINES * _LINE_BYTES)
            file.seek(max(0, start - 1))
            start = 0 if start == 0 else start - 1 + len(file.readline())  # where a line begins
        events = [found for found in entries(path, start) if isinstance(found, Logged)]
        if events:
            yield from events
            return


def refused(rejected: Iterable[Rejected]) -> list[Refused]:
    """How many messages were rejected for each reason, the most common first, with the newest one's words."""
    counts: dict[str, int] = defaultdict(int)
    last: dict[str, tuple[int, str]] = {}
    for one in rejected:
        counts[one.code] += 1
        last[one.code] = max(last.get(one.code, (one.received_ms, one.reason)), (one.received_ms, one.reason))
    ranked = sorted(counts, key=lambda code: (-counts[code], code))
    return [Refused(code, counts[code], last[code][1]) for code in ranked]
