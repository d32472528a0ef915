"""One record: what is known of one identity, and the law by which changes merge into it. Pure.

What lives here: `Change`, `Record`, the merge. What may not: bytes (`encoding`), stores, keys' meaning, the clock.

1. A record is a set of *registers*: one for each trait, one for each link. A register holds a value, the event time it
   was set, in milliseconds since 1970 UTC, and its origin: who said so, for people.
2. **Newest wins.** Of two values for one register the later one stays. At the same millisecond a removal beats a
   value, of two values the one whose canonical bytes are greater stays, and of two origins the greater text. This is a
   total order, so a register is the maximum of all that was ever said of it, and a maximum knows neither order nor
   repeats.
3. A trait set to null is removed: the register stays, without a value, so that older events cannot bring it back.
4. A link also remembers `other_ms`: when an id other than its newest was last linked. That, too, is a function of the
   set of all that was ever said.
5. **Behind its horizon a record knows nothing.** The horizon is the later one of two times that only ever rise:
   `deleted_ms`, the newest deletion; and `other_ms` of the link `user`, for on a device that two people use one after
   the other nothing that was set while somebody else was there may count for the one who is there now. What was set
   at the horizon or before is gone for good, whether it comes before or after what made the horizon; but of the link
   `user` itself, which is all that tells of the other one, only a deletion takes something. A record that holds
   nothing but its `deleted_ms` is a *tombstone*: it stays, to keep older events away.
6. At most `limits.RECORD_REGISTERS` traits are kept, the newest ones (by time, then name). That bound keeps the law:
   what falls out has that many newer ones above it; those only ever become newer, or fall behind a horizon, and then
   whatever is older is behind it as well.
7. **Therefore any order of the same changes, with any repeats, in any batches, ends in the same record.** And two
   records of one identity join into what all the changes of both would have made: the greater of each two registers.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.msgpack import Encoder

from engine.limits import RECORD_REGISTERS
from engine.profiles.ids import Key

LinkName: TypeAlias = Literal["anonymous", "user", "group"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Change(Struct, frozen=True):
    """What one event says of one identity: traits set (None: removed) and links set, at `time_ms`.

    Traits have gone through `values.normalise_traits`; a link's id is one that `ids.key` takes. `origin` is for
    people: the source's name, a blank, the event's type. With `deletes`, all that was set at `time_ms` or before is
    gone, for good.
    """

    key: Key
    time_ms: int
    traits: Mapping[str, Any] = {}
    links: Mapping[LinkName, str] = {}
    origin: str = ""
    deletes: bool = False


class Register(Struct, frozen=True, gc=False):
    """What a trait is, since when, and who said so; a value of None: it was removed."""

    time_ms: int
    value: Any
    origin: str = ""


class Link(Struct, frozen=True, gc=False):
    """Which id is linked, since when, and who said so; `other_ms`: when another one was last linked, if ever."""

    time_ms: int
    value: str
    origin: str = ""
    other_ms: int | None = None


class Record(Struct):
    """The registers of one identity."""

    traits: dict[str, Register] = {}
    links: dict[str, Link] = {}
    deleted_ms: int | None = None

    def merge(self, changes: Iterable[Change]) -> bool:
        """Let these changes in; whether any of them made a difference."""
        before = None
        different = False
        for change in changes:
            if change is not before:  # as `segment` says it of a name, many times over
                different |= self._merge(change)
                before = change
        if different:
            self._settle()
        return different

    def join(self, other: "Record") -> bool:
        """Let in all that another record of this identity was made of; whether it made a difference."""
        different = False
        for name, said in other.traits.items():
            held = self.traits.get(name)
            if held is None or held.time_ms < said.time_ms or _is_beaten(held, said):
                self.traits[name] = said
                different = True
        for link, said_of_it in other.links.items():
            different |= self._link(link, said_of_it)
        if other.deleted_ms is not None and (self.deleted_ms is None or self.deleted_ms < other.deleted_ms):
            self.deleted_ms = other.deleted_ms
            different = True
        if different:
            self._settle()
        return different

    def _merge(self, change: Change) -> bool:
        time, origin, different = change.time_ms, change.origin, False
        for name, value in change.traits.items():
            held = self.traits.get(name)
            if held is None or held.time_ms < time or (held.time_ms == time and _beats(value, origin, held)):
                self.traits[name] = Register(time, value, origin)
                different = True
        for link, id_ in change.links.items():
            different |= self._link(link, Link(time, id_, origin))
        if change.deletes and (self.deleted_ms is None or self.deleted_ms < time):
            self.deleted_ms = time
            different = True
        return different

    def _link(self, name: str, said: Link) -> bool:
        held = self.links.get(name)
        if held is not None:
            if held.value == said.value:
                newest = held if (held.time_ms, held.origin) >= (said.time_ms, said.origin) else said
                other_ms = _later(held.other_ms, said.other_ms)
            elif (said.time_ms, canonical(said.value)) > (held.time_ms, canonical(held.value)):
                # The other ids before were linked when this one was, or earlier.
                newest, other_ms = said, _later(said.other_ms, held.time_ms)
            else:
                newest, other_ms = held, _later(held.other_ms, said.time_ms)
            if newest is held and other_ms == held.other_ms:
                return False
            said = Link(newest.time_ms, newest.value, newest.origin, other_ms)
        self.links[name] = said
        return True

    def _settle(self) -> None:
        """Forget what is behind the horizon, and what is beyond the bound."""
        horizon = self.deleted_ms
        if horizon is not None:
            self.links = {name: _since(horizon, link) for name, link in self.links.items() if link.time_ms > horizon}
        user = self.links.get("user")
        if user is not None and user.other_ms is not None:
            horizon = user.other_ms  # what a deletion has left of it is later than that deletion
            since = {name: _since(horizon, link) for name, link in self.links.items() if link.time_ms > horizon}
            self.links = since | {"user": user}
        if horizon is not None:
            self.traits = {name: held for name, held in self.traits.items() if held.time_ms > horizon}
        if len(self.traits) > RECORD_REGISTERS:
            by_age = sorted(self.traits, key=lambda name: (self.traits[name].time_ms, name))
            self.traits = {name: self.traits[name] for name in by_age[-RECORD_REGISTERS:]}


def time_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware time, as registers count them."""
    return (moment - _EPOCH) // _MILLISECOND


# Equal values are equal bytes: maps are sorted by their keys, at every depth.
canonical: Final = Encoder(order="deterministic").encode


def _since(horizon: int, link: Link) -> Link:
    """A link of which nothing is known that was said at the horizon or before."""
    if link.other_ms is None or link.other_ms > horizon:
        return link
    return Link(link.time_ms, link.value, link.origin)


def _later(one: int | None, other: int | None) -> int | None:
    return one if other is None or (one is not None and one > other) else other


def _is_beaten(held: Register, said: Register) -> bool:
    return held.time_ms == said.time_ms and _beats(said.value, said.origin, held)


def _beats(value: Any, origin: str, held: Register) -> bool:
    """Which of two values set in the same millisecond stays."""
    if type(value) is str and value == held.value:  # the same event once more, as a rule; else equal is not the same
        return origin > held.origin
    if value is None or held.value is None:
        return held.value is not None or (value is None and origin > held.origin)
    said, stays = canonical(value), canonical(held.value)
    return said > stays or (said == stays and origin > held.origin)
