"""Who is meant by a deletion, and what stays of a message of which some are to be forgotten.

What lives here: the person behind an identity, the time of their deletion, the rest of a message. What may not: which
log, how a line is overwritten, the steps of a deletion (`erasure`). A store is only read.

1. A person is a user with all anonymous ids whose newest link is to that user, and all visitors whose newest link leads
   to one of these. A device that somebody else uses by now is theirs, not this person's. Before there is an anonymous
   id a visitor is sent under their own, as by servers: so the anonymous ids that are equal to these visitors' ids are
   meant as well, though mostly there is no record of them, but lines of the log. Who names such a one alone means it
   alone: it leads to nobody.
2. **A replay of the log without them ends in the same records as the store does.** The store forgets what was set until
   the deletion (`moment`: not earlier than anything that is stored of them) and keeps their tombstones; the log forgets
   what only their records would show, and keeps the deletions.
3. So what stays of a message is what it says of others: account traits without who sent them; and a link that stands in
   the record of somebody who is not deleted, with the id that it names. Without it a shared device would forget that it
   is one, and show the traits of before to who uses it now. Its type stays, for that is part of origins, and what a
   message of its type must have.
4. A message whose person stays only loses the ids that are deleted. What stays is never longer, as JSON.
5. Names (`identity.sightings`) hold nobody's values: they stay in the store, though a replay without the messages that
   showed them knows less of them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import re2

from engine.profiles.encoding import BadRecord, decode, deleted_ms, facts
from engine.profiles.ids import BadId, Key, id_of, key, kind_of
from engine.profiles.read import leads_to
from engine.profiles.store import Found, Store
from engine.segment.identity import changes, identities, person_of
from engine.segment.message import VISITOR_TRAIT, Message, Person, understood
from engine.segment.reasons import Unacceptable

_ANY_TIME_MS: Final = 2**53  # only who is named in it is asked
_REQUIRED: Final = {"track": ("event",), "alias": ("previousId", "userId"), "group": ("groupId", "traits")}
_FEW: Final = 16  # texts that are looked for one after the other
_ROOMY: Final = re2.Options()
_ROOMY.max_mem = 256 * 2**20
_ROOMY.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they are
_IMPERSONAL: Final = ("messageId", "type", "timestamp", "originalTimestamp", "sentAt", "receivedAt")


def people(store: Store, firsts: Sequence[Key]) -> list[frozenset[Key]]:
    """All identities of the people whose visitor, anonymous or user records these are, in one look at all devices and
    visitors. Raises StoreError, NotAtOnce.
    """
    ways = [_down(store, first) for first in firsts]
    users = {way[-1] for way in ways if kind_of(way[-1]) == "user"}
    devices = _holders(store, "anonymous", users)
    meant = [{*way, *devices.get(way[-1], ())} for way in ways]
    visitors = _holders(store, "visitor", frozenset[Key]().union(*meant))
    for one in meant:
        one |= {visitor for identity in [*one] for visitor in visitors.get(identity, ())}
        one |= {account for visitor in [*one] if (account := _own_account(store, visitor)) is not None}
        one.update(_own_devices(store, one))
    return [frozenset(one) for one in meant]


def _down(store: Store, first: Key) -> list[Key]:
    """From this record by the newest links to the last one of a person."""
    way = [first]
    for found in store.chain(first, _leads_to_person):
        next_ = _leads_to_person(found)
        if next_ is not None:
            way.append(next_)
    return way


def _holders(store: Store, kind: Person, of: AbstractSet[Key]) -> dict[Key, list[Key]]:
    """Which records of this kind lead to each of these."""
    holders: dict[Key, list[Key]] = {}
    for holder, found in store.scan(kind) if of else ():
        next_ = _leads_to_person(found)
        if next_ in of and next_ is not None:
            holders.setdefault(next_, []).append(holder)
    return holders


def _own_account(store: Store, visitor: Key) -> Key | None:
    """The account that an import made for this visitor alone, under the visitor's own id."""
    if kind_of(visitor) != "visitor":
        return None
    [found] = store.get([visitor])
    try:
        links = facts(found).links if isinstance(found, bytes) else {}
    except BadRecord:
        return None
    return key("group", id_of(visitor)) if links.get("group") == id_of(visitor) else None


def _own_devices(store: Store, person: AbstractSet[Key]) -> set[Key]:
    """The anonymous ids that are these visitors' own ids, but for those that somebody else uses by now."""
    own = [key("anonymous", id_of(one)) for one in sorted(person) if kind_of(one) == "visitor"]
    ways = zip(own, map(_leads_to_person, store.get(own)), strict=True)
    return {device for device, next_ in ways if next_ is None or next_ in person}


def moment(store: Store, gone: AbstractSet[Key], now_ms: int) -> int:
    """The time to delete these identities at: now, or that of what is stored of them, if a clock was ahead.

    Raises StoreError, NotAtOnce.
    """
    keys = sorted(gone)
    return max(now_ms, *(_newest_ms(found) for found in store.get(keys))) if keys else now_ms


def ever_deleted(store: Store, keys: Sequence[Key]) -> frozenset[Key]:
    """Which of these identities were ever deleted. Raises StoreError, NotAtOnce."""
    found = zip(keys, store.get(keys), strict=True)
    return frozenset(key_ for key_, body in found if _deleted_ms(body) is not None)


def deleted(store: Store, message: Message) -> frozenset[Key]:
    """Who of those that a message names was deleted later than what it says. Raises StoreError, NotAtOnce."""
    named = identities(message)
    return frozenset(
        key_
        for key_, found in zip(named, store.get(named), strict=True)
        if (time := _deleted_ms(found)) is not None and time >= message.time_ms
    )


def left_over(body: dict[str, Any], gone: AbstractSet[Key]) -> dict[str, Any] | None:
    """What stays of a message of the log without these identities: all of it, some, or None for nothing."""
    try:
        message = understood(body, "", _ANY_TIME_MS)
    except Unacceptable:
        return None if Names(gone).stand_in(json.dumps(body).encode()) else body
    if message.type == "delete" or gone.isdisjoint(identities(message)):
        return body
    needed = frozenset(_needed(message, gone))
    owner = person_of(message)
    if owner is not None and owner not in gone:
        return _without(body, message, {key_ for key_ in identities(message) if key_ in needed or key_ not in gone})
    if not needed:
        return None
    return _impersonal(body, message, needed)


class Names:
    """The ids of these identities, to be looked for in JSON, or in what was JSON once."""

    def __init__(self, gone: Iterable[Key]) -> None:
        texts: set[str] = set()
        for id_ in map(id_of, gone):
            texts |= {json.dumps(id_), json.dumps(id_, ensure_ascii=False)}
            texts |= {f":{blank}{id_}{end}" for blank in ("", " ") for end in ",}] " if id_.isdigit()}
        self._texts = [text.encode() for text in sorted(texts)]
        # Hundreds of devices are looked for at once, in one pass.
        many = len(self._texts) > _FEW
        self._pattern = re2.compile(b"|".join(map(re2.escape, self._texts)), _ROOMY) if many else None

    def stand_in(self, raw: bytes) -> bool:
        """Does one of them stand there, as a text or a number?"""
        if self._pattern is not None:
            return self._pattern.search(raw) is not None
        return any(text in raw for text in self._texts)


def _needed(message: Message, gone: AbstractSet[Key]) -> Iterator[Key]:
    """Whose names must stay so that the records of those who stay end as they are."""
    for change in changes(message):
        if change.key not in gone:
            yield change.key
            for name, id_ in change.links.items():
                yield key(name, id_)


def _without(body: dict[str, Any], message: Message, named: AbstractSet[Key]) -> dict[str, Any]:
    """The message, with no other ids than these."""
    rest = dict(body)
    if message.anonymous_id is not None and key("anonymous", message.anonymous_id) not in named:
        del rest["anonymousId"]
    if message.visitor_id is not None and key("visitor", message.visitor_id) not in named:
        _forget_visitor(rest)
    return rest


def _forget_visitor(rest: dict[str, Any]) -> None:
    """Take `mutinyVisitorId` out, so that no other traits than before are the person's."""
    own = rest.get("traits")
    if rest["type"] == "identify" and own:
        rest["traits"] = {name: value for name, value in own.items() if name != VISITOR_TRAIT}
        if rest["traits"] or not (rest.get("context") or {}).get("traits"):
            return
        traits = {}  # those in the context stood behind its own, and would begin to count
    else:
        traits = {name: value for name, value in rest["context"]["traits"].items() if name != VISITOR_TRAIT}
    rest["context"] = {**rest["context"], "traits": traits}


def _impersonal(body: dict[str, Any], message: Message, needed: AbstractSet[Key]) -> dict[str, Any]:
    """The message with nothing but these names, times, and what is of an account."""
    rest: dict[str, Any] = {name: body[name] for name in _IMPERSONAL if name in body}
    rest |= {name: body[name] for name in _REQUIRED.get(message.type, ()) if name in body}
    if message.anonymous_id is not None and key("anonymous", message.anonymous_id) in needed:
        rest["anonymousId"] = body["anonymousId"]
    if message.user_id is not None and key("user", message.user_id) in needed:
        rest["userId"] = body["userId"]
    if message.visitor_id is not None and key("visitor", message.visitor_id) in needed:
        rest |= _visitor(body)
    return rest


def _visitor(body: dict[str, Any]) -> dict[str, Any]:
    """`mutinyVisitorId` alone, as and where the message has it."""
    own = body.get("traits") if body["type"] == "identify" else None
    if own:
        return {"traits": {VISITOR_TRAIT: own[VISITOR_TRAIT]}}
    return {"context": {"traits": {VISITOR_TRAIT: body["context"]["traits"][VISITOR_TRAIT]}}}


def _leads_to_person(found: Found) -> Key | None:
    try:
        next_ = leads_to(facts(found)) if isinstance(found, bytes) else None
    except (BadRecord, BadId):
        return None
    return None if next_ is None or kind_of(next_) == "group" else next_


def _deleted_ms(found: Found) -> int | None:
    try:
        return deleted_ms(found) if isinstance(found, bytes) else None
    except BadRecord:
        return None


def _newest_ms(found: Found) -> int:
    try:
        record = decode(found) if isinstance(found, bytes) else None
    except BadRecord:
        return 0
    if record is None:
        return 0
    times = [held.time_ms for held in record.traits.values()] + [link.time_ms for link in record.links.values()]
    return max(times, default=0)
