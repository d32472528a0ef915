"""The merge law: any order of the same changes, with any repeats, in any batches, ends in the same bytes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.limits import RECORD_REGISTERS
from engine.profiles.ids import Key, Kind, key
from engine.profiles.record import BadRecord, Change, LinkName, Record, decode, encode, facts, merged, time_ms

KINDS: tuple[Kind, ...] = get_args(Kind)
LINKS: tuple[LinkName, ...] = get_args(LinkName)

# Few names, few times and look-alike values, so that changes collide all the time.
LOOK_ALIKE = st.sampled_from([True, False, 1, 0, 1.0, 0.0, -0.0, "1", "", "a", [], {}, [1], {"b": 1, "a": [True]}])
VALUES = (
    st.none()
    | LOOK_ALIKE
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.dictionaries(st.text(max_size=2), LOOK_ALIKE, max_size=3)
)
CHANGES = st.builds(
    Change,
    key=st.sampled_from([key(kind, id_) for kind in KINDS for id_ in ("1", "2")]),
    time_ms=st.integers(-1, 2) | st.sampled_from([2**40, 2**40 + 1]),
    traits=st.dictionaries(st.sampled_from(["a", "b", "plan", "é"]), VALUES, max_size=3),
    links=st.dictionaries(st.sampled_from(LINKS), st.sampled_from(["1", "2", "10"]), max_size=2),
)


def stored_after(batches: Sequence[Sequence[Change]]) -> dict[Key, bytes]:
    """What a store holds when these batches came in this order."""
    bodies: dict[Key, bytes] = {}
    for batch in batches:
        for key_ in {change.key for change in batch}:
            body = merged(bodies.get(key_), [change for change in batch if change.key == key_])
            if body is not None:
                bodies[key_] = body
    return bodies


def by_the_book(changes: Sequence[Change]) -> dict[str, tuple[int, Any]]:
    """The traits that changes to one key end in, put down as slowly and plainly as the law reads."""
    said = [(name, change.time_ms, value) for change in changes for name, value in change.traits.items()]
    said.sort(key=lambda one: (one[1], one[2] is None, msgspec.msgpack.encode(one[2], order="deterministic")))
    return {name: (time, value) for name, time, value in said}


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=12), st.data())
def test_order_repeats_and_batches_leave_no_trace(changes: list[Change], data: st.DataObject) -> None:
    """Shuffled, repeated and cut into other batches, the same changes end in the same bytes, over all kinds."""
    repeats = data.draw(st.lists(st.sampled_from(changes), max_size=6)) if changes else []
    shuffled = data.draw(st.permutations(changes + repeats))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    assert stored_after(batches) == stored_after([changes])


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=12))
def test_each_trait_ends_as_the_law_reads(changes: list[Change]) -> None:
    """The merge agrees with a plain sort by time, removal, value bytes."""
    same = [msgspec.structs.replace(change, key=key("user", "1")) for change in changes]
    body = merged(None, same)
    ended = decode(body).traits if body is not None else {}
    expected = by_the_book(same)
    assert msgspec.msgpack.encode(ended, order="sorted") == msgspec.msgpack.encode(expected, order="sorted")


@settings(deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=12))
def test_a_record_survives_its_encoding(changes: list[Change]) -> None:
    """Decoding and encoding again gives the same bytes, and merging nothing changes nothing."""
    for body in stored_after([changes]).values():
        assert encode(decode(body)) == body
        assert merged(body, []) == body


@settings(deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=12))
def test_facts_are_the_record_without_times_and_removed_traits(changes: list[Change]) -> None:
    """What a decision decodes agrees with the whole record."""
    for body in stored_after([changes]).values():
        whole, quick = decode(body), facts(body)
        assert quick.traits == {name: value for name, (_, value) in whole.traits.items() if value is not None}
        assert quick.links == {name: value for name, (_, value) in whole.links.items()}


def test_the_order_of_members_does_not_show() -> None:
    """Maps that are equal are equal bytes, at every depth, however their members were put."""
    one = {"a": {"x": 1, "y": [{"p": 1, "q": 2}]}, "b": 1}
    other = {"b": 1, "a": {"y": [{"q": 2, "p": 1}], "x": 1}}
    bodies = {merged(None, [Change(key("user", "1"), 1, {"trait": value, **value})]) for value in (one, other)}
    assert len(bodies) == 1


def test_the_newest_value_stays() -> None:
    """A later event wins, whichever comes first."""
    early = Change(key("user", "1"), 1, {"plan": "free"}, {"group": "old"})
    late = Change(key("user", "1"), 2, {"plan": "pro"}, {"group": "new"})
    for order in ([early, late], [late, early]):
        body = merged(None, order)
        assert body is not None
        assert (facts(body).traits, facts(body).links) == ({"plan": "pro"}, {"group": "new"})


def test_a_removed_trait_stays_removed_against_older_events_alone() -> None:
    """Null takes a trait away from everything up to its own time; a newer value brings it back."""
    person = key("user", "1")
    removed = merged(None, [Change(person, 5, {"plan": None})])
    for time, left in [(4, {}), (5, {}), (6, {"plan": "free"})]:
        body = merged(removed, [Change(person, time, {"plan": "free"})])
        assert body is not None
        assert facts(body).traits == left


def test_links_do_not_touch_traits_of_the_same_name() -> None:
    """A trait called `group` and the link `group` are two registers."""
    body = merged(None, [Change(key("user", "1"), 1, {"group": "trait"}, {"group": "link"})])
    assert body is not None
    assert (facts(body).traits, facts(body).links) == ({"group": "trait"}, {"group": "link"})


def test_of_whom_nothing_was_said_there_is_no_record() -> None:
    """An empty change makes no record."""
    assert merged(None, [Change(key("user", "1"), 1)]) is None
    assert encode(Record({}, {})) is None


def test_the_bound_on_traits_keeps_the_law() -> None:
    """Beyond the limit the newest traits stay, in whatever order and batches they came."""
    person = key("user", "1")
    random = Random(3)
    changes = [Change(person, random.randrange(3), {f"t{n % 2500}": n}) for n in range(3_000)]
    ends = set()
    for _ in range(4):
        random.shuffle(changes)
        size = random.randrange(100, 3_000)
        body: bytes | None = None
        for at in range(0, len(changes), size):
            body = merged(body, changes[at : at + size])
        ends.add(body)
    assert len(ends) == 1
    kept = decode(ends.pop() or b"").traits
    oldest_kept = min((time, name) for name, (time, _) in kept.items())
    ended = by_the_book(changes)
    assert len(kept) == RECORD_REGISTERS
    assert all((time, name) < oldest_kept for name, (time, _) in ended.items() if name not in kept)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"text",
        msgspec.msgpack.encode([{}, {}, [1], [], {}]),
        msgspec.msgpack.encode([{"a": 1}, {"group": 1}, [1], [1], {}]),
        b"\x92\x81\xa1\xff\x01\x80",
    ],
)
def test_other_bytes_are_no_record(body: bytes) -> None:
    """Foreign bytes are refused as such, not taken for a person without traits, and nothing else is raised."""
    with pytest.raises(BadRecord):
        decode(body)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Whatever stands in a store, reading it ends in a record or in BadRecord."""
    for read in (decode, facts):
        try:
            read(body)
        except BadRecord:
            continue


def test_deeply_nested_bytes_are_no_record() -> None:
    """A thousand levels end in BadRecord too."""
    for read in (decode, facts):
        with pytest.raises(BadRecord):
            read(b"\x95" + b"\x81\xa1a" * 5_000 + b"\x01")


def test_times_are_whole_milliseconds() -> None:
    """Event times count from 1970 in UTC, before it downwards."""
    assert time_ms(datetime(1970, 1, 1, 0, 0, 1, 2_999, tzinfo=UTC)) == 1_002
    assert time_ms(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1_000
