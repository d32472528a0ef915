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
from engine.profiles.encoding import decode, facts, joined, merged
from engine.profiles.ids import Key, Kind, key
from engine.profiles.record import Change, Link, LinkName, Record, Register, canonical, time_ms

KINDS: tuple[Kind, ...] = get_args(Kind)
LINKS: tuple[LinkName, ...] = get_args(LinkName)
ANN = key("anonymous", "ann")

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
    time_ms=st.integers(-1, 5) | st.sampled_from([2**40, 2**40 + 1]),
    traits=st.dictionaries(st.sampled_from(["a", "b", "plan", "é"]), VALUES, max_size=3),
    links=st.dictionaries(st.sampled_from(LINKS), st.sampled_from(["1", "2", "10"]), max_size=2),
    origin=st.sampled_from(["", "website identify", "import"]),
    deletes=st.sampled_from([False, False, False, True]),
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


def by_the_book(changes: Sequence[Change]) -> Record:
    """What changes to one key end in, put down as slowly and plainly as the law reads."""
    deleted = max((change.time_ms for change in changes if change.deletes), default=None)
    left = [change for change in changes if deleted is None or change.time_ms > deleted]
    users = [change for change in left if "user" in change.links]
    horizon = newest_link(users, "user").other_ms if users else None
    after = [change for change in left if horizon is None or change.time_ms > horizon]
    linked = {name: [change for change in after if name in change.links] for name in LINKS} | {"user": users}
    links = {name: newest_link(of, name) for name, of in linked.items() if of}
    said = [
        (name, Register(change.time_ms, value, change.origin))
        for change in after
        for name, value in change.traits.items()
    ]
    said.sort(key=lambda one: (one[1].time_ms, one[1].value is None, canonical(one[1].value), one[1].origin))
    newest = sorted(dict(said).items(), key=lambda one: (one[1].time_ms, one[0]))
    return Record(dict(newest[-RECORD_REGISTERS:]), links, deleted)


def newest_link(changes: Sequence[Change], name: LinkName) -> Link:
    """The register of a link of which all this was said."""
    said = max(changes, key=lambda change: (change.time_ms, canonical(change.links[name]), change.origin))
    others = [change.time_ms for change in changes if change.links[name] != said.links[name]]
    return Link(said.time_ms, said.links[name], said.origin, max(others, default=None))


def in_bytes(record: Record) -> bytes:
    """Equal records, and no others, are equal so: 1 is not True here."""
    return msgspec.msgpack.encode(record, order="sorted")


@settings(max_examples=300)
@given(st.lists(CHANGES, max_size=12), st.data())
def test_order_repeats_and_batches_leave_no_trace(changes: list[Change], data: st.DataObject) -> None:
    """Shuffled, repeated and cut into other batches, the same changes end in the same bytes, over all kinds."""
    repeats = data.draw(st.lists(st.sampled_from(changes), max_size=6)) if changes else []
    shuffled = data.draw(st.permutations(changes + repeats))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    assert stored_after(batches) == stored_after([changes])


@settings(max_examples=300)
@given(st.lists(CHANGES, max_size=12))
def test_each_register_ends_as_the_law_reads(changes: list[Change]) -> None:
    """The merge agrees with a plain sort by time, removal, value bytes, origin, behind a plain horizon."""
    same = [msgspec.structs.replace(change, key=ANN) for change in changes]
    body = merged(None, same)
    ended = Record() if body is None else decode(body)
    assert in_bytes(ended) == in_bytes(by_the_book(same))


def parts_of(changes: Sequence[Change], data: st.DataObject) -> list[Record]:
    """What three stores know of one identity that each heard some of this, some of it twice."""
    heard = st.sets(st.sampled_from(range(3)), min_size=1)
    who = [data.draw(heard) for _ in changes]
    records = [Record(), Record(), Record()]
    for place, record in enumerate(records):
        record.merge([change for change, those in zip(changes, who, strict=True) if place in those])
    return records


def in_one(*records: Record) -> Record:
    """All of them joined, in this order."""
    one = Record()
    for record in records:
        one.join(record)
    return one


@settings(max_examples=150)
@given(st.lists(CHANGES.map(lambda change: msgspec.structs.replace(change, key=ANN)), max_size=12), st.data())
def test_records_join_into_what_all_their_changes_make(changes: list[Change], data: st.DataObject) -> None:
    """In any order, in any grouping, and any number of times: the join is the merge of all that any of them heard."""
    a, b, c = parts_of(changes, data)
    all_of_it = Record()
    all_of_it.merge(changes)
    whole = in_bytes(all_of_it)
    assert in_bytes(in_one(a, b, c)) == in_bytes(in_one(c, b, a)) == whole
    assert in_bytes(in_one(in_one(a, b), c)) == in_bytes(in_one(a, in_one(b, c))) == whole
    assert in_bytes(in_one(a, b, c, a, all_of_it, b)) == whole
    assert not all_of_it.join(all_of_it)


@settings(max_examples=200)
@given(st.lists(CHANGES, min_size=1, max_size=8), st.data())
def test_joined_bytes_are_what_merged_changes_are(changes: list[Change], data: st.DataObject) -> None:
    """The same of bodies, as stores join them; and an equal record is left byte for byte as it is."""
    same = [msgspec.structs.replace(change, key=ANN) for change in changes]
    cut = data.draw(st.integers(0, len(same)))
    one, other, both = merged(None, same[:cut]), merged(None, same[cut:]), merged(None, same)
    if other is not None:
        assert joined(one, other) == both
        assert joined(both, other) == both
        assert joined(other, other) == joined(None, other) == other
    if one is not None and both is not None:
        assert joined(both, one) == joined(one, both) == both


def test_the_join_keeps_the_bound_on_traits() -> None:
    """Two records of as many traits as there may be become one of the newest, whatever fell out of each before."""
    random = Random(5)
    changes = [Change(ANN, random.randrange(40), {f"t{n % 4500}": n}) for n in range(6_000)]
    one, other, both = Record(), Record(), Record()
    one.merge(changes[::2])
    other.merge(changes[1::2])
    both.merge(changes)
    assert len(one.traits) == len(other.traits) == RECORD_REGISTERS
    assert in_bytes(in_one(one, other)) == in_bytes(in_one(other, one)) == in_bytes(both)


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


def test_a_value_knows_who_said_it() -> None:
    """The origin goes with the value that stays."""
    body = merged(None, [Change(ANN, 1, {"plan": "pro"}, {"user": "u"}, "website identify")])
    body = merged(body, [Change(ANN, 2, {"age": 3}, origin="backend track")])
    assert body is not None
    record = decode(body)
    assert record.traits == {"plan": Register(1, "pro", "website identify"), "age": Register(2, 3, "backend track")}
    assert record.links == {"user": Link(1, "u", "website identify")}


def test_a_link_remembers_when_another_id_was_linked_last() -> None:
    """However often they take turns, and whatever comes late."""
    turns = [
        Change(ANN, time, links={"user": user}) for time, user in [(1, "a"), (4, "b"), (2, "c"), (6, "b"), (3, "a")]
    ]
    body = merged(None, turns)
    assert body is not None
    assert decode(body).links["user"] == Link(6, "b", "", 3)


def test_what_was_set_while_somebody_else_was_there_is_forgotten() -> None:
    """Traits and links of a shared device count from after the other one on; whoever it was."""
    record = Record()
    record.merge([Change(ANN, time, {f"t{time}": time}, {"group": "g"} if time < 3 else {}) for time in range(6)])
    record.merge([Change(ANN, 1, links={"user": "a"})])
    assert len(record.traits) == 6
    record.merge([Change(ANN, 5, links={"user": "b"}), Change(ANN, 3, links={"user": "a"})])
    assert sorted(record.traits) == ["t4", "t5"]
    assert record.links == {"user": Link(5, "b", "", 3)}


def test_a_deletion_leaves_a_tombstone_that_keeps_older_events_away() -> None:
    """Nothing of before comes back, however late it comes; what is said later is a new beginning."""
    body = merged(None, [Change(ANN, 5, {"plan": "pro"}, {"user": "u"}), Change(ANN, 7, deletes=True)])
    assert body is not None
    assert decode(body) == Record(deleted_ms=7)
    assert merged(body, [Change(ANN, 7, {"plan": "pro"}, {"user": "u"}), Change(ANN, 6, deletes=True)]) == body
    body = merged(body, [Change(ANN, 8, {"plan": "free"})])
    assert body is not None
    assert decode(body) == Record({"plan": Register(8, "free")}, {}, 7)


@pytest.mark.parametrize("horizon", [1, 8])
@pytest.mark.parametrize("other", [{"deletes": True}, {"links": {"user": "b"}}])
def test_the_bound_on_traits_keeps_the_law(other: dict[str, Any], horizon: int) -> None:
    """Beyond the limit the newest traits stay, in whatever order and batches they and a horizon came."""
    random = Random(3)
    changes = [Change(ANN, random.randrange(20), {f"t{n % 2500}": n}) for n in range(3_000)]
    changes += [Change(ANN, horizon, **other), Change(ANN, 25, links={"user": "a"})]
    ends = set()
    for _ in range(4):
        random.shuffle(changes)
        size = random.randrange(100, 3_000)
        body: bytes | None = None
        for at in range(0, len(changes), size):
            body = merged(body, changes[at : at + size])
        ends.add(body)
    assert len(ends) == 1
    kept = decode(ends.pop() or b"")
    assert in_bytes(kept) == in_bytes(by_the_book(changes))
    assert (len(kept.traits) == RECORD_REGISTERS) == (horizon == 1)


def test_times_are_whole_milliseconds() -> None:
    """Event times count from 1970 in UTC, before it downwards."""
    assert time_ms(datetime(1970, 1, 1, 0, 0, 1, 2_999, tzinfo=UTC)) == 1_002
    assert time_ms(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1_000
