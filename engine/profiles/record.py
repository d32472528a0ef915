"""One record: what is known of one identity, and the law by which changes merge into it. Pure.

What lives here: `Change`, `Record`, the merge, the encoding. What may not: stores, keys' meaning, the clock.

1. A record is a set of *registers*: one for each trait, one for each link. A register holds a value and the event
   time it was set, in milliseconds since 1970 UTC.
2. **Newest wins.** Of two values for one register the later one stays. At the same millisecond a removal beats a
   value, and of two values the one whose canonical bytes are greater stays. This is a total order, so a register
   is the maximum of all that was ever said of it, and a maximum knows neither order nor repeats.
3. A trait set to null is removed: the register stays, without a value, so that older events cannot bring it back.
4. At most `limits.RECORD_REGISTERS` traits are kept, the newest ones (by time, then name). That bound keeps the
   law: what falls out has that many newer ones above it, and registers only ever become newer.
5. **Therefore any order of the same changes, with any repeats, in any batches, ends in the same bytes.**
6. The encoding is a MessagePack array `[traits, links, trait times, link times, removed]`. The first two are maps
   from name to value, which is all that a decision decodes (`Facts`); times stand in the order of those maps'
   names; `removed` maps names to times. Map keys are sorted at every depth: equal records are equal bytes.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from engine.limits import RECORD_REGISTERS
from engine.profiles.ids import Key

LinkName: TypeAlias = Literal["anonymous", "user", "group"]
Register: TypeAlias = tuple[int, Any]  # event time in ms; the value, None where it was removed

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Change(Struct, frozen=True):
    """What one event says of one identity: traits set (None: removed) and links set, at `time_ms`.

    Traits have gone through `values.normalise_traits`; a link's id is one that `ids.key` takes.
    """

    key: Key
    time_ms: int
    traits: Mapping[str, Any] = {}
    links: Mapping[LinkName, str] = {}


class Record(Struct):
    """The registers of one identity."""

    traits: dict[str, Register]
    links: dict[str, Register]


class Facts(Struct, array_like=True, gc=False):
    """The part of an encoded record that a decision needs: values without their times."""

    traits: dict[str, Any]
    links: dict[str, str]


class _Stored(Struct, array_like=True):
    traits: dict[str, Any]
    links: dict[str, str]
    trait_times: list[int]
    link_times: list[int]
    removed: dict[str, int]


class BadRecord(ValueError):
    """Bytes that are no record: written by another program, or by a later version of this one."""


_canonical: Final = Encoder(order="deterministic").encode
_stored: Final = Decoder(_Stored).decode
_facts: Final = Decoder(Facts).decode


def time_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware time, as registers count them."""
    return (moment - _EPOCH) // _MILLISECOND


def merged(body: bytes | None, changes: Iterable[Change]) -> bytes | None:
    """The record's bytes after these changes; None is the record of which nothing was ever said. Raises BadRecord."""
    record = Record({}, {}) if body is None else decode(body)
    for change in changes:
        _set(record.traits, change.time_ms, change.traits)
        _set(record.links, change.time_ms, change.links)
    return encode(record)


def encode(record: Record) -> bytes | None:
    """The canonical bytes of a record; None for an empty one, which is not stored."""
    kept = _newest(record.traits)
    traits = sorted(kept.items())
    links = sorted(record.links.items())
    if not traits and not links:
        return None
    return _canonical(
        _Stored(
            traits={name: value for name, (_, value) in traits if value is not None},
            links={name: value for name, (_, value) in links},
            trait_times=[time for _, (time, value) in traits if value is not None],
            link_times=[time for _, (time, _) in links],
            removed={name: time for name, (time, value) in traits if value is None},
        )
    )


def decode(body: bytes) -> Record:
    """The whole record, with times. Raises BadRecord."""
    try:
        stored = _stored(body)
        traits = _registers(stored.traits, stored.trait_times)
        traits |= {name: (time, None) for name, time in stored.removed.items()}
        return Record(traits, _registers(stored.links, stored.link_times))
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise BadRecord(f"not a record: {error}") from None


def facts(body: bytes) -> Facts:
    """Values and links alone, in about a microsecond. Raises BadRecord."""
    try:
        return _facts(body)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise BadRecord(f"not a record: {error}") from None


def _registers(values: dict[str, Any], times: list[int]) -> dict[str, Register]:
    # Maps keep the order in which they were written, and the times were written in that order.
    return {name: (time, value) for (name, value), time in zip(values.items(), times, strict=True)}


def _set(registers: dict[str, Register], time: int, values: Mapping[Any, Any]) -> None:
    for name, value in values.items():
        held = registers.get(name)
        if held is None or held[0] < time or (held[0] == time and _beats(value, held[1])):
            registers[name] = (time, value)


def _beats(value: Any, held: Any) -> bool:
    """Which of two values set in the same millisecond stays."""
    if value is None or held is None:
        return held is not None
    return _canonical(value) > _canonical(held)


def _newest(registers: dict[str, Register]) -> dict[str, Register]:
    if len(registers) <= RECORD_REGISTERS:
        return registers
    by_age = sorted(registers, key=lambda name: (registers[name][0], name))
    return {name: registers[name] for name in by_age[-RECORD_REGISTERS:]}
