"""Which server has which slot, and where marks are."""

import pytest
from redis.crc import key_slot

from engine.limits import VALKEY_MARK_TAGS
from engine.profiles.valkey import slots
from engine.profiles.valkey.address import Server

A, B, C = ("a", 1), ("b", 2), ("c", 3)


def spread(*servers: Server) -> list[Server | None]:
    """All slots, in equal parts."""
    return [servers[slot * len(servers) // slots.SLOTS] for slot in range(slots.SLOTS)]


def test_a_map_is_what_a_node_says() -> None:
    """Slots without a primary have none; a node that does not know its own name means itself."""
    said = [[0, 99, [b"a", 1, b"id"], [b"replica", 9, b"id"]], [200, 200, [b"", 2, b"id"]]]
    found = slots.owners(said, ("b", 7))
    assert found[:100] == [A] * 100
    assert found[100:200] == [None] * 100
    assert found[200] == B
    assert not any(found[201:])


@pytest.mark.parametrize("servers", [(A,), (A, B, C), tuple((f"n{n}", n) for n in range(40))])
def test_every_primary_has_a_place_for_marks(servers: tuple[Server, ...]) -> None:
    """Also where there are more primaries than tags."""
    of = spread(*servers)
    tags = slots.tags(of)
    assert {of[key_slot(b"x{%b}y" % tag)] for tag in tags} == set(servers)
    assert len(set(tags)) == len(tags)


def test_tags_stay_when_slots_move() -> None:
    """A primary of a single slot gets a tag in addition; nobody else's changes."""
    before = slots.tags(spread(A, B, C))
    of = spread(A, B, C)
    of[5] = ("d", 4)
    after = slots.tags(of)
    assert len(before) == VALKEY_MARK_TAGS
    assert after[: len(before)] == before
    assert [key_slot(tag) for tag in after[len(before) :]] == [5]
