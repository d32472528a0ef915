"""The catalogue: every trait, account trait and event by name, as the store has them. Pure: rows of a scan go in.

What lives here: counting, and the one form that programs get (`to_json`). What may not: stores, rules, the clock.

1. Two sources. The records themselves: types, shares, examples, and what was last set when and by which source. And
   the *name records* (kind "name", made of every message): they know events, first times, and names that no record
   holds any more. They hold no value, so deleting a person needs nothing there.
2. A share is of records that hold any trait at all: of people (visitor, anonymous, user) for a trait, of groups for an
   account trait. Somebody with a user record and an anonymous one counts as two: which belong together is known by
   following links, and that is not worth a get for each record of a large store.
3. Examples are shown of a trait with few values (`limits.CATALOGUE_VALUES`), and only values that several records of
   one kind hold: what one person alone has is theirs. Long texts, lists and maps are no examples.
4. Memory is bounded whatever is stored: so many values a name, so many names, and with a `size` so many records that
   are held until all were seen. Those with the smallest hashes of their keys are chosen, always the same ones.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappush, heappushpop
from typing import Any, Final, Literal, TypeAlias

import mmh3
import msgspec
from msgspec import Struct

from engine.limits import CATALOGUE_NAMES, CATALOGUE_TEXT_CHARS, CATALOGUE_VALUES
from engine.profiles.encoding import BadRecord, decode
from engine.profiles.ids import Key, Kind, id_of, kind_of
from engine.profiles.record import Record
from engine.profiles.store import Found

TypeName: TypeAlias = Literal["string", "boolean", "number", "timestamp", "list", "map"]
Readable: TypeAlias = Callable[[str], Iterable[str]]  # the `traits:` types that would take this text

_TYPES: Final[dict[type, TypeName]] = {
    str: "string", bool: "boolean", int: "number", float: "number", datetime: "timestamp", list: "list", dict: "map",
}  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LINKS: Final = frozenset({"mutinyVisitorId"})  # sent like a trait, kept as a link: no rule can ask for it
_FIRST, _LAST, _SOURCE = "first", "last", "source:"  # the registers of a name record


class Entry(Struct, frozen=True):
    """One name. `held` records hold it; `types` and `readable` (what their texts could be read as) count those."""

    name: str
    held: int = 0
    share: float = 0.0
    types: Mapping[str, int] = {}
    readable: Mapping[str, int] = {}
    examples: tuple[Any, ...] = ()
    sources: tuple[str, ...] = ()
    first_ms: int | None = None
    last_ms: int | None = None


class Looked(Struct, frozen=True):
    """Of how many records it is: so many there are, so many were looked at, so many of those hold any trait."""

    records: int
    looked: int
    holding: int

    @property
    def is_all(self) -> bool:
        """Was none left out?"""
        return self.looked == self.records


class Catalogue(Struct, frozen=True):
    """Every name. `complete` is false where there are more names than are counted; damaged records are left out."""

    people: Looked
    groups: Looked
    traits: tuple[Entry, ...]
    account: tuple[Entry, ...]
    events: tuple[Entry, ...]
    damaged: int
    complete: bool

    @property
    def is_all(self) -> bool:
        """Was every record looked at?"""
        return self.people.is_all and self.groups.is_all


def catalogue(
    rows: Iterable[tuple[Key, Found]], size: int | None = None, readable: Readable = lambda _: ()
) -> Catalogue:
    """What a scan of all kinds shows, at most `size` records of people and of groups looked into; None is all."""
    names = _Names()
    people, groups = _Drawn(size, readable), _Drawn(size, readable)
    draws: dict[str, _Drawn] = dict.fromkeys(("visitor", "anonymous", "user"), people) | {"group": groups}
    damaged = 0
    for key, found in rows:
        kind = _kind(key)
        if kind is None or not isinstance(found, bytes):
            damaged += 1
        elif kind in draws:
            draws[kind].add(key, found)
        elif kind == "name":
            names.add(id_of(key), found)
    counted = people.finish(), groups.finish()
    traits, account = (count.entries(names.of[of]) for count, of in zip(counted, ("trait", "account"), strict=True))
    parts = (*counted, names)
    return Catalogue(
        people.looked(), groups.looked(), traits, account, names.events(),
        damaged + sum(part.damaged for part in parts), all(part.complete for part in parts),
    )  # fmt: skip


def moment(time_ms: int) -> datetime:
    """The time that a register counts in milliseconds."""
    return _EPOCH + timedelta(milliseconds=time_ms)


def to_json(found: Catalogue) -> dict[str, Any]:
    """The form for programs, of plain JSON values: `mutiny-edge traits --format json` and `GET /v1/traits`."""
    plain: dict[str, Any] = msgspec.to_builtins(
        {
            "people": found.people,
            "groups": found.groups,
            "damaged": found.damaged,
            "complete": found.complete,
            "traits": [_trait_json(entry) for entry in found.traits],
            "accountTraits": [_trait_json(entry) for entry in found.account],
            "events": [_seen_json(entry) for entry in found.events],
        }
    )
    return plain


def _trait_json(entry: Entry) -> dict[str, Any]:
    figures = {"held": entry.held, "share": entry.share, "types": entry.types, "examples": entry.examples}
    return {"name": entry.name, **figures, **_seen_json(entry)}


def _seen_json(entry: Entry) -> dict[str, Any]:
    first, last = (None if time is None else moment(time) for time in (entry.first_ms, entry.last_ms))
    return {"name": entry.name, "sources": entry.sources, "firstSeen": first, "lastSeen": last}


class _Trait:
    """What is counted of one name."""

    def __init__(self) -> None:
        self.held = 0
        self.types: Counter[str] = Counter()
        self.readable: Counter[str] = Counter()
        self.values: dict[tuple[type, Any], Counter[Kind]] | None = {}  # None: too many, or none that could be shown
        self.sources: set[str] = set()
        self.first_ms: int | None = None
        self.last_ms: int | None = None

    def add(self, kind: Kind, value: Any, readable: Readable) -> None:
        self.held += 1
        type_ = type(value)
        self.types[_TYPES.get(type_, "map")] += 1
        if type_ is str:
            self.readable.update(readable(value))
        if self.values is not None:
            if type_ in {list, dict} or (type_ is str and len(value) > CATALOGUE_TEXT_CHARS):
                self.values = None
                return
            self.values.setdefault((type_, value), Counter())[kind] += 1
            if len(self.values) > CATALOGUE_VALUES:
                self.values = None

    def seen(self, time_ms: int, sources: Iterable[str]) -> None:
        self.first_ms = time_ms if self.first_ms is None else min(time_ms, self.first_ms)
        self.last_ms = time_ms if self.last_ms is None else max(time_ms, self.last_ms)
        self.sources.update(sources)

    def note(self, entry: Entry) -> None:
        for time_ms in (entry.first_ms, entry.last_ms):
            if time_ms is not None:
                self.seen(time_ms, entry.sources)

    def examples(self) -> tuple[Any, ...]:
        shared = {held: kinds for held, kinds in (self.values or {}).items() if max(kinds.values()) > 1}
        ranked = sorted(shared, key=lambda held: (-shared[held].total(), str(held[1])))
        return tuple(value for _, value in ranked)

    def entry(self, name: str, of: int) -> Entry:
        return Entry(
            name, self.held, self.held / of if of else 0.0, dict(self.types), dict(self.readable), self.examples(),
            tuple(sorted(self.sources)), self.first_ms, self.last_ms,
        )  # fmt: skip


class _Count:
    """The traits of the records that are looked into."""

    def __init__(self, readable: Readable) -> None:
        self.looked = self.holding = self.damaged = 0
        self.complete = True
        self._readable = readable
        self._traits: dict[str, _Trait] = {}

    def add(self, kind: Kind, body: bytes) -> None:
        self.looked += 1
        try:
            registers = decode(body).traits
        except BadRecord:
            self.damaged += 1
            return
        self.holding += any(register.value is not None for register in registers.values())
        for name, register in registers.items():
            trait = self._trait(name) if register.value is not None else None
            if trait is not None:
                trait.add(kind, register.value, self._readable)
                trait.seen(register.time_ms, _source(register.origin))

    def entries(self, named: Mapping[str, Entry]) -> tuple[Entry, ...]:
        """The most common first; with what the name records know."""
        for name, entry in named.items():
            trait = self._trait(name) if name not in _LINKS else None
            if trait is not None:
                trait.note(entry)
        made = [trait.entry(name, self.holding) for name, trait in self._traits.items()]
        return tuple(sorted(made, key=lambda entry: (-entry.held, entry.name)))

    def _trait(self, name: str) -> _Trait | None:
        found = self._traits.get(name)
        if found is None and len(self._traits) < CATALOGUE_NAMES:
            found = self._traits[name] = _Trait()
        self.complete &= found is not None
        return found


class _Drawn:
    """The records that are looked into: all at once, or those with the smallest hashes once all were seen."""

    def __init__(self, size: int | None, readable: Readable) -> None:
        self._size = size
        self._records = 0
        self._held: list[tuple[int, Key, bytes]] = []  # a heap: the greatest hash, negated, is the first to go
        self._count = _Count(readable)

    def add(self, key: Key, body: bytes) -> None:
        self._records += 1
        if self._size is None:
            self._count.add(kind_of(key), body)
            return
        item = -mmh3.hash(key, 0, signed=False), key, body
        if len(self._held) < self._size:
            heappush(self._held, item)
        else:
            heappushpop(self._held, item)

    def finish(self) -> _Count:
        for _, key, body in self._held:
            self._count.add(kind_of(key), body)
        self._held.clear()
        return self._count

    def looked(self) -> Looked:
        return Looked(self._records, self._count.looked, self._count.holding)


class _Names:
    """The name records: traits, account traits and events by name; others are none of the catalogue's."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, Entry]] = {"trait": {}, "account": {}, "event": {}}
        self.damaged = 0
        self.complete = True

    def add(self, id_: str, body: bytes) -> None:
        of, _, name = id_.partition(":")
        held = self.of.get(of)
        if held is None:
            return
        if len(held) >= CATALOGUE_NAMES:
            self.complete = False
            return
        try:
            held[name] = named(name, decode(body))
        except BadRecord:
            self.damaged += 1

    def events(self) -> tuple[Entry, ...]:
        return tuple(entry for _, entry in sorted(self.of["event"].items()))


def named(name: str, record: Record) -> Entry:
    """What a name record says. The first time is kept under its negation, so that the earliest is the newest."""
    times = {which: held.value for which in (_FIRST, _LAST) if (held := record.traits.get(which)) is not None}
    sources = sorted(name.removeprefix(_SOURCE) for name in record.traits if name.startswith(_SOURCE))
    return Entry(name, sources=tuple(sources), first_ms=times.get(_FIRST), last_ms=max(times.values(), default=None))


def _kind(key: Key) -> Kind | None:
    try:
        return kind_of(key)
    except KeyError:  # the key itself is damaged
        return None


def _source(origin: str) -> Iterable[str]:
    """`website identify` is of the source `website`, `import` of none but itself."""
    return (origin.partition(" ")[0],) if origin else ()
