"""Which slot of a cluster has which server, and where a node's marks stand in one. Pure.

What lives here: reading `CLUSTER SLOTS`, hash tags. What may not: connections, what a mark says.

1. A cluster has 16,384 slots. A key's slot is a hash of what stands between its first `{` and `}`, its *tag*, or of all
   of it. So a tag decides where a key lies.
2. `tags` are places for marks: `limits.VALKEY_MARK_TAGS` tags, whose slots are spread evenly, and one more for each
   primary that has none of those slots. **Every primary has one**, and whatever a primary loses it loses with its mark.
3. They are the same whoever asks, and stay when slots move: a mark moves with its slot, and the least of all counts.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import count
from typing import Any, Final

from redis.crc import key_slot

from engine.limits import VALKEY_MARK_TAGS
from engine.profiles.valkey.address import Server

SLOTS: Final = 16_384


def owners(answer: Sequence[Any], asked: Server) -> list[Server | None]:
    """The primary of each slot, as `CLUSTER SLOTS` says."""
    found: list[Server | None] = [None] * SLOTS
    for first, last, primary, *_ in answer:
        found[first : last + 1] = [server(primary, asked)] * (last + 1 - first)
    return found


def server(node: Sequence[Any], asked: Server) -> Server:
    """`[host, port, id, …]`, as a node of a cluster is called there; one that does not know its own name means itself.

    `asked` is who says it.
    """
    return (node[0].decode() if node[0] else asked[0]), int(node[1])


def tags(of: Sequence[Server | None]) -> tuple[bytes, ...]:
    """The tags under which marks are kept."""
    spread = _spread()
    with_one = {of[slot] for slot in spread}
    others: dict[Server, int] = {}
    for slot, server in enumerate(of):
        if server is not None and server not in with_one:
            others.setdefault(server, slot)
    return (*spread.values(), *map(_tag, others.values()))


@cache
def _spread() -> dict[int, bytes]:
    """A tag in each of so many equal ranges of slots."""
    found: dict[int, tuple[int, bytes]] = {}
    for number in _numbers():
        slot = key_slot(number)
        found.setdefault(slot * VALKEY_MARK_TAGS // SLOTS, (slot, number))
        if len(found) == VALKEY_MARK_TAGS:
            return dict(found[part] for part in range(VALKEY_MARK_TAGS))
    raise AssertionError


@cache
def _tag(slot: int) -> bytes:
    """The first number whose slot this is."""
    return next(number for number in _numbers() if key_slot(number) == slot)


def _numbers() -> Iterable[bytes]:
    return (b"%d" % number for number in count())
