"""The contract that every store must pass; `conftest.py` makes one of each kind."""

from collections.abc import Callable, Sequence
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.profiles.encoding import BadRecord, facts, joined, merged
from engine.profiles.ids import Key, Kind, id_of, key, kind_of
from engine.profiles.record import Change
from engine.profiles.store import CHAIN_LONGEST, DAMAGED, NotAtOnce, Span, Store, StoreBehind, StoreError

KINDS: tuple[Kind, ...] = get_args(Kind)
KEYS = [key(kind, id_) for kind in KINDS for id_ in ("1", "11", "2")]
CHANGES = st.builds(
    Change,
    key=st.sampled_from(KEYS),
    time_ms=st.integers(1, 3),
    traits=st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 3), max_size=2),
    links=st.dictionaries(st.sampled_from(["group", "user"]), st.sampled_from("12"), max_size=1),
    deletes=st.booleans(),
)


def plan(id_: str, value: str, time: int = 1, kind: Kind = "visitor") -> Change:
    """Somebody's plan is this."""
    return Change(key(kind, id_), time, {"plan": value})


def traits_in(store: Store, key_: Key) -> object:
    """The traits under a key; None where there is no record."""
    found = store.get([key_])[0]
    assert found is not DAMAGED
    return None if found is None else facts(found).traits


def test_what_was_applied_is_read_back(store: Store) -> None:
    """A read after a write sees it."""
    assert store.apply([plan("ann", "pro")]) == 1
    assert traits_in(store, key("visitor", "ann")) == {"plan": "pro"}


def test_many_keys_are_answered_in_their_order(store: Store) -> None:
    """Each key has its answer at its own place: repeated ones twice, unknown ones None."""
    store.apply([plan("ann", "pro"), plan("bob", "free")])
    ann, bob, eve = key("visitor", "ann"), key("visitor", "bob"), key("visitor", "eve")
    found = store.get([bob, eve, ann, bob])
    plans = [facts(body).traits["plan"] if isinstance(body, bytes) else body for body in found]
    assert plans == ["free", None, "pro", "free"]
    assert store.get([]) == []


def test_changes_of_one_key_merge_within_a_batch_and_between_batches(store: Store) -> None:
    """Registers are merged with what is stored, not put over it."""
    ann = key("visitor", "ann")
    store.apply([Change(ann, 5, {"plan": "pro"}), Change(ann, 3, {"plan": "free", "age": 3})])
    store.apply([Change(ann, 4, {"plan": "team", "age": 4})])
    assert traits_in(store, ann) == {"plan": "pro", "age": 4}


def test_a_chain_follows_from_record_to_record(store: Store) -> None:
    """Each body says what follows; where nothing is found it ends, and so it does where nothing follows."""
    linked = [Change(key("visitor", "1"), 1, links={"user": "2"}), Change(key("user", "2"), 1, links={"group": "3"})]
    store.apply(linked)
    asked: list[bytes] = []

    def following(body: bytes) -> Key | None:
        asked.append(body)
        links = facts(body).links
        return key("user", links["user"]) if "user" in links else key("group", links["group"])

    visitor, user, group = store.chain(key("visitor", "1"), following)
    assert [visitor, user, group] == store.get([key("visitor", "1"), key("user", "2"), key("group", "3")])
    assert group is None
    assert asked == [visitor, user]
    assert store.chain(key("visitor", "1"), lambda _: None) == [visitor]
    assert store.chain(key("visitor", "9"), following) == [None]


def test_a_chain_has_an_end(store: Store) -> None:
    """Records that lead to each other do not hold a reader."""
    store.apply([plan("ann", "pro")])
    assert len(store.chain(key("visitor", "ann"), lambda _: key("visitor", "ann"))) == CHAIN_LONGEST


def test_marks_only_grow(store: Store) -> None:
    """They come with a batch or alone, each for itself; who says less than is known changes nothing."""
    assert store.marks() == {}
    assert store.apply([plan("ann", "pro")], {"a.ndjson": Span(0, 10), "b.ndjson": Span(0, 0)}) == 1
    assert store.apply([plan("ann", "pro")], {"a.ndjson": Span(10, 20)}) == 0
    assert store.apply([], {"a.ndjson": Span(5, 15), "c.ndjson": Span(0, 2**52)}) == 0
    assert store.marks() == {"a.ndjson": 20, "b.ndjson": 0, "c.ndjson": 2**52}
    store.forget_marks(["b.ndjson", "c.ndjson", "never.ndjson"])
    store.forget_marks([])
    assert store.marks() == {"a.ndjson": 20}


def test_marks_never_jump_over_a_gap(store: Store) -> None:
    """Where less is kept than a batch begins with, its changes are stored, none of its marks is, and that is said."""
    with pytest.raises(StoreBehind):
        store.apply([plan("ann", "pro")], {"a.ndjson": Span(5, 10)})
    assert traits_in(store, key("visitor", "ann")) == {"plan": "pro"}
    store.apply([], {"a.ndjson": Span(0, 10)})
    with pytest.raises(StoreBehind):
        store.apply([], {"a.ndjson": Span(10, 20), "b.ndjson": Span(1, 2)})
    with pytest.raises(StoreBehind):
        store.apply([], {"b.ndjson": Span(1, 2), "a.ndjson": Span(10, 20)})
    assert store.marks() == {"a.ndjson": 10}


def test_marks_are_no_records(store: Store) -> None:
    """Neither a scan nor the count of records shows them."""
    store.apply([plan("ann", "pro")], {"a.ndjson": Span(0, 10)})
    assert [key_ for key_, _ in store.scan()] == [key("visitor", "ann")]
    assert store.stats().records == 1


def test_a_batch_says_how_many_records_it_changed(store: Store) -> None:
    """Repeats and older events change nothing, and say so."""
    assert store.apply([plan("ann", "pro", 5), plan("bob", "pro", 5)]) == 2
    assert store.apply([plan("ann", "pro", 5), plan("bob", "free", 4)]) == 0
    assert store.apply([Change(key("visitor", "eve"), 1)]) == 0
    assert store.apply([]) == 0
    assert store.stats().records == 2


def test_a_batch_may_be_any_iterable(store: Store) -> None:
    """A generator is read once, and that is enough."""
    assert store.apply(plan(str(n), "pro") for n in range(5)) == 5


def test_a_scan_sees_every_record_once(store: Store) -> None:
    """All kinds, or one; more than any store reads at once, ids that begin with others among them."""
    ids = ["1" * n for n in range(1, 400)] + ["2" * n for n in range(1, 400)]
    store.apply([plan(id_, "pro", kind=kind) for id_ in ids for kind in ("visitor", "group")])
    everything = [key_ for key_, _ in store.scan()]
    assert len(set(everything)) == len(everything) == 2 * len(ids)
    groups = [(kind_of(key_), id_of(key_)) for key_, _ in store.scan("group")]
    assert sorted(groups) == [("group", id_) for id_ in ids]
    assert list(store.scan("lead")) == []


def test_a_scan_gives_the_bodies(store: Store) -> None:
    """What a scan yields is what a read answers."""
    store.apply([plan("ann", "pro"), plan("acme", "free", kind="group")])
    for key_, body in store.scan():
        assert store.get([key_]) == [body]


def test_records_may_come_and_go_during_a_scan(store: Store) -> None:
    """A scan that is under way neither blocks writes nor ends early by them."""
    ids = [f"{n:04}" for n in range(1_000)]
    store.apply([plan(id_, "pro") for id_ in ids])
    seen = []
    for key_, _ in store.scan("visitor"):
        seen.append(id_of(key_))
        if len(seen) == 10:
            store.delete([key("visitor", id_) for id_ in ids[:900]])
            store.apply([plan("zoe", "pro")])
    assert len(set(seen)) == len(seen)
    assert set(ids[900:]) <= set(seen) <= {*ids, "zoe"}


def test_deleting_removes_and_counts(store: Store) -> None:
    """Deleted records are gone, the others stay, and unknown ones do not count."""
    store.apply([plan("ann", "pro"), plan("bob", "free")])
    ann, bob, eve = key("visitor", "ann"), key("visitor", "bob"), key("visitor", "eve")
    assert store.delete([ann, eve, ann]) == 1
    assert traits_in(store, ann) is None
    assert traits_in(store, bob) == {"plan": "free"}
    assert store.delete([]) == 0


def test_stats_count_records(store: Store) -> None:
    """A fresh store is empty and whole; records of all kinds count."""
    assert (store.stats().records, store.stats().damaged) == (0, 0)
    store.apply([plan("1", "pro", kind=kind) for kind in KINDS])
    assert store.stats().records == len(KINDS)
    assert store.stats().used_bytes > 0


def test_every_key_that_can_be_made_can_be_stored(store: Store) -> None:
    """The longest id, and ids that look like other keys."""
    ids = ["é" * 240, "\x00", "v:1", "\U0010ffff"]
    store.apply([plan(id_, "pro", kind="user") for id_ in ids])
    assert {id_of(key_) for key_, _ in store.scan("user")} == set(ids)


def test_a_large_record_is_stored_whole(store: Store) -> None:
    """A record far beyond any page of a store comes back as it was."""
    big = {f"t{n}": "x" * 10_000 for n in range(100)}
    store.apply([Change(key("user", "1"), 1, big)])
    assert traits_in(store, key("user", "1")) == big


def test_a_closed_store_answers_with_its_own_error(store: Store) -> None:
    """Closing twice is harmless, asking afterwards a StoreError."""
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.get([key("user", "1")])
    with pytest.raises(StoreError):
        store.apply([plan("ann", "pro")])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(CHANGES, max_size=6), max_size=5))
def test_a_store_holds_what_the_merge_law_says(
    emptied: Callable[[], Store], batches: Sequence[Sequence[Change]]
) -> None:
    """After any batches, what is stored are the bytes of merging all changes at once."""
    changes = [change for batch in batches for change in batch]
    expected = {key_: merged(None, [change for change in changes if change.key == key_]) for key_ in KEYS}
    opened = emptied()
    for batch in batches:
        opened.apply(batch)
    assert dict(opened.scan()) == {key_: body for key_, body in expected.items() if body is not None}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(theirs=st.lists(CHANGES, max_size=8), ours=st.lists(CHANGES, max_size=8))
def test_whole_records_merge(emptied: Callable[[], Store], theirs: Sequence[Change], ours: Sequence[Change]) -> None:
    """Records of another store, put among what is here already, end as `joined` says, however often they are put."""
    opened = emptied()
    opened.apply(theirs)
    records = dict(opened.scan())
    opened = emptied()
    opened.apply(ours)
    before = dict(opened.scan())
    assert all(isinstance(body, bytes) for body in records.values())
    opened.put(records.items())
    after = {key_: joined(before.get(key_), body) for key_, body in records.items()}
    assert dict(opened.scan()) == before | after
    assert opened.put([*records.items(), *records.items()]) == 0


def test_what_is_no_record_is_not_put(store: Store) -> None:
    """Nothing of the batch is stored."""
    store.apply([plan("ann", "pro")])
    body = store.one(key("visitor", "ann"))
    assert isinstance(body, bytes)
    with pytest.raises(BadRecord):
        store.put([(key("visitor", "bob"), body), (key("visitor", "eve"), b"no record")])
    assert store.get([key("visitor", "bob"), key("visitor", "eve")]) == [None, None]


def test_not_at_once_is_no_failure() -> None:
    """Whoever handles failures of stores does not swallow "wait here" by accident."""
    assert not issubclass(NotAtOnce, StoreError)


def test_one_is_as_get(store: Store) -> None:
    """The body, or None."""
    store.apply([plan("ann", "pro")])
    ann, eve = key("visitor", "ann"), key("visitor", "eve")
    assert [store.one(ann), store.one(eve)] == store.get([ann, eve])
