"""What is remembered is what was last put there and not dropped since, and never more than fits."""

import sys

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.profiles.ids import Key
from engine.profiles.near.kept import ENTRY_BYTES, UNKNOWN, Counts, Kept
from engine.profiles.store import DAMAGED, Found

KEYS = [Key(b"v:%d" % number) for number in range(12)]
BODY = b"x" * 100
ONE = len(KEYS[0]) + len(BODY) + ENTRY_BYTES
keys = st.sampled_from(KEYS)
LARGE = b"another" * 40
found = st.sampled_from([None, DAMAGED, b"", b"one", LARGE])


class Remembering(RuleBasedStateMachine):
    """Beside a dict of all that was ever true, with a mark of what is fresh."""

    @initialize(most=st.integers(0, 12 * ONE), lasting=st.booleans())
    def begin(self, most: int, lasting: bool) -> None:
        """Nothing is remembered."""
        self.most, self.counts = most, Counts()
        self.kept = Kept(most, self.counts)
        self.kept.lasting = lasting
        self.true: dict[Key, Found] = {}
        self.fresh: set[Key] = set()
        self.hidden = False

    @rule(key=keys, found=found)
    def put(self, key: Key, found: Found) -> None:
        """A server that was silent has spoken before it answers."""
        self.show()
        self.kept.put(key, found)
        self.true[key] = found
        self.fresh.add(key)

    @rule(key=keys)
    def drop(self, key: Key) -> None:
        """It is another one now."""
        self.kept.drop(key)
        self.true.pop(key, None)
        self.fresh.discard(key)

    @rule()
    def drop_all(self) -> None:
        """All are."""
        self.kept.drop_all()
        self.true.clear()
        self.fresh.clear()

    @rule()
    def hide(self) -> None:
        """Silence."""
        self.kept.hide()
        self.hidden = True

    @rule()
    def show(self) -> None:
        """It speaks."""
        self.kept.show()
        self.hidden = False

    @rule()
    def outdate(self) -> None:
        """The link is lost."""
        self.kept.outdate()
        self.fresh.clear()
        self.hidden = False

    @rule()
    def age(self) -> None:
        """Twice, and nothing is fresh."""
        self.show()
        self.kept.age()
        self.kept.age()
        self.fresh.clear()

    @rule(key=keys)
    def look(self, key: Key) -> None:
        """What is fresh is true; nothing is while the server is silent. What is old was true when it was put there."""
        young = self.kept.young.get(key, UNKNOWN)
        seen = self.kept.second(key) if young is UNKNOWN else young
        if seen is not UNKNOWN:
            assert key in self.fresh
            assert not self.hidden
            assert seen == self.true[key]
            assert self.kept.known(key) == seen
        before = self.kept.lately(key)
        if before is not UNKNOWN:
            assert before == self.true[key]

    @invariant()
    def fits(self) -> None:
        """All of it, and the figures are those of what is there."""
        if hasattr(self, "kept"):
            held = {key: one for key in KEYS if (one := self.remembered(key)) is not UNKNOWN}
            assert self.counts.entries == len(held)
            assert self.counts.bytes <= max(self.most, ONE + len(LARGE))  # what was just put there stays
            lengths = [len(key) + (len(one) if isinstance(one, bytes) else 0) for key, one in held.items()]
            assert self.counts.bytes == sum(lengths) + ENTRY_BYTES * len(held)

    def remembered(self, key: Key) -> object:
        """Fresh or not."""
        known = self.kept.known(key)
        return self.kept.lately(key) if known is UNKNOWN else known


TestRemembering = Remembering.TestCase
TestRemembering.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_is_asked_for_stays() -> None:
    """Of many that come and go, the one that somebody looks at now and then; without a look it goes."""
    kept = Kept(100 * ONE, counts := Counts())
    kept.put(KEYS[0], BODY)
    kept.put(KEYS[1], BODY)
    for number in range(10_000):
        kept.put(Key(b"a:%d" % number), BODY)
        if number % 20 == 0:
            assert (kept.young.get(KEYS[0]) or kept.second(KEYS[0])) == BODY
    assert kept.known(KEYS[1]) is UNKNOWN
    assert counts.evictions > 9_900


def test_what_was_just_put_is_there() -> None:
    """Whoever waited for it finds it, however full it is."""
    kept = Kept(3 * ONE, Counts())
    for number in range(100):
        key = Key(b"a:%d" % number)
        kept.put(key, BODY)
        assert kept.known(key) == BODY


def test_what_is_stale_makes_room_first() -> None:
    """Before anything that is fresh goes."""
    kept = Kept(6 * ONE, Counts())
    for key in KEYS[:3]:
        kept.put(key, BODY)
    kept.outdate()
    for key in KEYS[3:9]:
        kept.put(key, BODY)
    assert [kept.known(key) for key in KEYS[3:9]] == [BODY] * 6
    assert [kept.lately(key) for key in KEYS[:3]] == [UNKNOWN] * 3


def test_a_byte_is_a_byte() -> None:
    """What is counted for an entry is what Python takes for it, give or take a quarter."""
    kept = Kept(2**30, counts := Counts())
    bodies = {Key(b"v:%032d" % number): b"x" * (number % 700) for number in range(5_000)}
    for key, body in bodies.items():
        kept.put(key, body)
    taken = sys.getsizeof(kept.young) + sum(sys.getsizeof(key) + sys.getsizeof(body) for key, body in bodies.items())
    assert 0.75 < counts.bytes / taken < 1.25
