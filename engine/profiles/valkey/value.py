"""The bytes under which a record stands in a shared store, and where it leads. Pure.

What lives here: the form of a value, the route of a record, which records may expire. What may not: servers, and what
lies under a key that a route names.

1. A value is `sum | n | n times (length | key) | body`: CRC-32 over the record's key and all that follows the sum (4
   bytes), the number of route keys (1 byte), each with its length (2 bytes), and the record as `encoding` has it.
   Numbers are big-endian. What does not fit its sum is `DAMAGED`: under another key it is another person's.
2. **The route is what a reader will want next**, so that it comes in one more trip, whoever asks: first the key that
   the record leads to (`read.leads_to`; empty where it leads nowhere), then its own account and the Salesforce records
   of its email. What follows are *hints*: the routes of the records behind it, as whoever read them last has noted.
3. The first of a route is always true, for it is made of the same body. Hints may be old; a reader that finds them so
   puts them right (`along`), and a write keeps them where the record still leads where it led.
4. Only profiles of which nobody knows whose they are may expire: visitor and anonymous records without a link to a
   user. What was deleted must not: its `deleted_ms` keeps older events away.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

from engine.profiles.encoding import BadRecord, deleted_ms, facts
from engine.profiles.ids import BadId, Key, key, prefix
from engine.profiles.read import leads_to, salesforce
from engine.profiles.store import DAMAGED, Found

ROUTE_KEYS: Final = 8  # user, account, lead and contact of a visitor, and as many of an anonymous record between them
_SUM_BYTES: Final = 4
_LENGTH_BYTES: Final = 2
_SALESFORCE: Final = frozenset(prefix(kind) for kind in ("lead", "contact"))
_LEADING: Final = frozenset(prefix(kind) for kind in ("visitor", "anonymous", "user"))
_EXPIRING: Final = frozenset(prefix(kind) for kind in ("visitor", "anonymous"))

Route = tuple[bytes, ...]


def packed(key_: Key, body: bytes, route_: Sequence[bytes] = ()) -> bytes:
    """The value of a record."""
    keys = b"".join(len(one).to_bytes(_LENGTH_BYTES, "big") + one for one in route_)
    rest = bytes([len(route_)]) + keys + body
    return crc32(rest, crc32(key_)).to_bytes(_SUM_BYTES, "big") + rest


def unpacked(key_: Key, raw: bytes) -> Found:
    """The body in a value."""
    if len(raw) <= _SUM_BYTES or crc32(memoryview(raw)[_SUM_BYTES:], crc32(key_)) != int.from_bytes(raw[:4], "big"):
        return DAMAGED
    place = _SUM_BYTES + 1
    for _ in range(raw[_SUM_BYTES]):
        place += _LENGTH_BYTES + (raw[place] << 8 | raw[place + 1])
    return raw[place:]


def route(raw: bytes) -> Route:
    """The route in a value that is not damaged."""
    keys = []
    place = _SUM_BYTES + 1
    for _ in range(raw[_SUM_BYTES]):
        begin = place + _LENGTH_BYTES
        place = begin + (raw[place] << 8 | raw[place + 1])
        keys.append(raw[begin:place])
    return tuple(keys)


def own_route(key_: Key, body: bytes) -> Route:
    """What a record itself says of what a reader will want next."""
    if key_[:2] not in _LEADING:
        return ()
    try:
        said = facts(body)
        lead = leads_to(said) or b""
        others = [key("group", said.links["group"])] if "group" in said.links else []
    except (BadRecord, BadId):
        return ()
    others += salesforce(said.traits.get("email"))
    keys = [lead, *(one for one in others if one != lead)]
    return tuple(keys) if any(keys) else ()


def leading(route_: Route) -> list[Key]:
    """The records of a route through which a chain may go: all but Salesforce's."""
    return [Key(one) for one in route_ if one and one[:2] not in _SALESFORCE]


def along(chain: Iterable[tuple[Key, bytes]]) -> Route:
    """The route of the first of these records, in the order in which each leads to the next."""
    keys = [one for key_, body in chain for one in own_route(key_, body)]
    return tuple(dict.fromkeys([*keys[:1], *filter(None, keys[1:])]))[:ROUTE_KEYS]


def kept(key_: Key, body: bytes, before: Route) -> Route:
    """The route of a record that is written: as it was before, if all that the record itself says of it is the same."""
    own = own_route(key_, body)
    return before if before[: len(own)] == own else own


def may_expire(key_: Key, body: bytes) -> bool:
    """Is this of nobody who is known, and no trace of a deletion?"""
    if key_[:2] not in _EXPIRING:
        return False
    try:
        return "user" not in facts(body).links and deleted_ms(body) is None
    except BadRecord:
        return False
