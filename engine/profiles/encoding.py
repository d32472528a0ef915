"""The bytes of a record, and back. Pure.

What lives here: the one form in which every store keeps a record, the quick reading that a decision needs, and the
merge of changes, or of a whole record, into bytes. What may not: which value wins (`record`), checksums (a store's).

1. A MessagePack array `[traits, links, trait times, link times, removed]`. The first two are maps from name to value;
   times stand in the order of those maps' names; `removed` maps the names of removed traits to times. That, without
   the times, and the names in `others` is all that a decision decodes (`Facts`).
2. Where there are origins, other ids or a deletion it goes on: `[…, origins, trait origins, link origins, removed
   origins, others, deleted]`. `origins` is a sorted list of texts, the next three are places in it, in the order of
   names; `others` maps links to their `other_ms`; `deleted` is a time or null. A body without them is as good.
3. Map keys are sorted at every depth, and there is one way to write each thing: **equal records are equal bytes.**
4. `facts_decoder` reads only the traits that somebody looks at, and steps over the others: of 50 traits three take a
   third of the time of all, of 500 a sixth. Looking for many names among many traits is dearer than reading them all.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Generic, TypeAlias, TypedDict, TypeVar

from msgspec import Meta, Raw, Struct
from msgspec.msgpack import Decoder

from engine.profiles.record import Change, Link, LinkName, Record, Register, canonical

Place: TypeAlias = Annotated[int, Meta(ge=0)]
T = TypeVar("T")

MOST_NAMES: Final = 16  # that are looked for; the decoder compares every trait with every name
_CUTS: Final = 512  # sets of names whose decoder is kept; a ruleset has one for each set of experiences on a page


class BadRecord(ValueError):
    """Bytes that are no record: written by another program, or by a later version of this one."""


class Facts(Struct, Generic[T], array_like=True, gc=False):
    """The part of an encoded record that a decision needs. Times are not decoded; who needs one asks `link_time`."""

    traits: T
    links: dict[str, str]
    trait_times: Raw = Raw()
    link_times: Raw = Raw()
    removed: dict[str, int] = {}
    origins: Raw = Raw()
    trait_origins: Raw = Raw()
    link_origins: Raw = Raw()
    removed_origins: Raw = Raw()
    others: dict[str, int] = {}

    @property
    def is_shared(self) -> bool:
        """Have several users been linked to this, as to a device that is passed on?"""
        return "user" in self.others

    def link_time(self, name: LinkName) -> int:
        """When this link was set; there must be one. Raises BadRecord."""
        try:
            return _times(self.link_times)[list(self.links).index(name)]
        except (ValueError, IndexError) as error:
            raise BadRecord(f"not a record: {error}") from None


class _Stored(Struct, array_like=True):
    traits: dict[str, Any]
    links: dict[str, str]
    trait_times: list[int]
    link_times: list[int]
    removed: dict[str, int]
    origins: list[str] = []
    trait_origins: list[Place] = []
    link_origins: list[Place] = []
    removed_origins: list[Place] = []
    others: dict[str, int] = {}
    deleted_ms: int | None = None


_typed_dict: Any = TypedDict  # called with names that are not known when types are checked
NO_FACTS: Final = (ValueError, RecursionError)  # msgspec's own errors are ValueErrors

_stored: Final = Decoder(_Stored).decode
_times: Final = Decoder(list[int]).decode
_parts: Final = Decoder(list[Raw]).decode
_deleted: Final = Decoder(int | None).decode
_DELETED: Final = 10  # its place


def merged(body: bytes | None, changes: Iterable[Change]) -> bytes | None:
    """The record's bytes after these changes; None is the record of which nothing was ever said. Raises BadRecord."""
    record = Record() if body is None else decode(body)
    return encode(record) if record.merge(changes) else body


def joined(body: bytes | None, other: bytes) -> bytes:
    """The bytes of both records of one identity in one. Raises BadRecord."""
    record, said = Record() if body is None else decode(body), decode(other)
    after = encode(record) if record.join(said) else body
    if after is None:
        raise BadRecord("not a record: it is empty")
    return after


def encode(record: Record) -> bytes | None:
    """The canonical bytes of a record; None for an empty one, which is not stored."""
    traits = sorted((name, held) for name, held in record.traits.items() if held.value is not None)
    removed = sorted((name, held) for name, held in record.traits.items() if held.value is None)
    links = sorted(record.links.items())
    if not traits and not links and not removed and record.deleted_ms is None:
        return None
    first = (
        {name: held.value for name, held in traits},
        {name: held.value for name, held in links},
        [held.time_ms for _, held in traits],
        [held.time_ms for _, held in links],
        {name: held.time_ms for name, held in removed},
    )
    others = {name: link.other_ms for name, link in links if link.other_ms is not None}
    origins = sorted({held.origin for of in (traits, removed, links) for _, held in of})
    if not others and record.deleted_ms is None and origins == [""]:
        return canonical(first)
    places = {origin: place for place, origin in enumerate(origins)}
    per_kind = ([places[held.origin] for _, held in of] for of in (traits, links, removed))
    return canonical((*first, origins, *per_kind, others, record.deleted_ms))


def decode(body: bytes) -> Record:
    """The whole record. Raises BadRecord."""
    try:
        stored = _stored(body)
        origins = stored.origins or [""]
        removed: dict[str, Any] = dict.fromkeys(stored.removed)
        traits = _registers(stored.traits, stored.trait_times, stored.trait_origins, origins)
        traits |= _registers(removed, list(stored.removed.values()), stored.removed_origins, origins)
        links = {
            name: Link(held.time_ms, held.value, held.origin, stored.others.get(name))
            for name, held in _registers(stored.links, stored.link_times, stored.link_origins, origins).items()
        }
        return Record(traits, links, stored.deleted_ms)
    except (ValueError, IndexError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise BadRecord(f"not a record: {error}") from None


@lru_cache(maxsize=_CUTS)
def facts_decoder(names: frozenset[str] | None) -> Callable[[bytes], Facts[dict[str, Any]]]:
    """What reads values and links alone, of the traits at least those of these names; None: all.

    Of what is no record it raises `NO_FACTS`; it is called for every visitor, and so is msgspec's own.
    """
    # msgspec 0.22 takes the empty name for one with letters beyond ASCII, in a TypedDict.
    cut = names is not None and len(names) <= MOST_NAMES and all(map(str.isascii, names))
    shape: Any = _typed_dict("Traits", dict.fromkeys(sorted(names or ()), Any), total=False) if cut else dict[str, Any]
    return Decoder(Facts[shape]).decode


_all_facts: Final = facts_decoder(None)


def facts(body: bytes) -> Facts[dict[str, Any]]:
    """Values and links alone, in about a microsecond. Raises BadRecord."""
    try:
        return _all_facts(body)
    except NO_FACTS as error:
        raise BadRecord(f"not a record: {error}") from None


def deleted_ms(body: bytes) -> int | None:
    """When this identity was last deleted, if ever; the rest is not decoded. Raises BadRecord."""
    try:
        parts = _parts(body)
        return _deleted(parts[_DELETED]) if len(parts) > _DELETED else None
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise BadRecord(f"not a record: {error}") from None


def _registers(
    values: Mapping[str, Any], times: list[int], places: list[int], origins: list[str]
) -> dict[str, Register]:
    # Maps keep the order in which they were written, and the times were written in that order.
    rows = zip(values.items(), times, places or [0] * len(times), strict=True)
    return {name: Register(time, value, origins[place]) for (name, value), time, place in rows}
