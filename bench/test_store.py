"""One visitor's profile out of the embedded store, ready to decide on; and what a batch of changes costs to merge."""

import io
import json
from itertools import cycle

import pytest

from engine.profiles.encoding import merged
from engine.profiles.ids import key
from engine.profiles.importing import import_lines
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile
from engine.profiles.record import Change

STORED = 10_000


@pytest.fixture(scope="module")
def store(tmp_path_factory, profiles, now):
    """A store of ten thousand visitors, every second one with an account, and of as many whom Segment knows."""
    store = LmdbStore(tmp_path_factory.mktemp("store"))
    import_lines(io.BytesIO(b"\n".join(_lines(profiles))), store, now)
    store.apply(change for number in range(STORED) for change in _linked(number, profiles))
    yield store
    store.close()


def _lines(profiles):
    for number in range(STORED):
        account = {"account": {"name": "Acme", "seats": number}} if number % 2 else {}
        line = {"visitorId": f"visitor-{number}", "traits": profiles[number % len(profiles)].traits, **account}
        yield json.dumps(line).encode()


def _linked(number, profiles):
    """A visitor, her anonymous id, her user id with her traits, her account."""
    traits, account = profiles[number % len(profiles)].traits, f"acme-{number % 100}"
    origin = "website identify"
    yield Change(key("visitor", f"linked-{number}"), 1, {}, {"anonymous": f"a-{number}"}, origin)
    yield Change(key("anonymous", f"a-{number}"), 1, {"utm": "x"}, {"user": f"u-{number}"}, origin)
    yield Change(key("user", f"u-{number}"), 1, traits, {"group": account}, origin)
    yield Change(key("group", account), 1, {"name": "Acme"}, {}, origin)


@pytest.mark.parametrize("who", ["stored", "unknown", "linked"])
def test_read(benchmark, store, who):
    """Visitors in an order that no cache likes. Half of the stored ones have an account; the linked ones are a visitor,
    an anonymous id, a user and an account.
    """
    benchmark.group = "read a profile"
    name = {"stored": "visitor", "unknown": "nobody", "linked": "linked"}[who]
    ids = cycle([f"{name}-{number * 7919 % STORED}" for number in range(STORED)])
    assert bool(read_profile(store, f"{name}-1").account) == (who != "unknown")
    benchmark(lambda: read_profile(store, next(ids)))


def test_merge(benchmark, profiles):
    """A hundred identifies of fifty users, onto what is known of them."""
    benchmark.group = "merge changes"
    rows = []
    for number in range(50):
        user, traits = key("user", f"u-{number}"), profiles[number].traits
        body = merged(None, [Change(user, 1, traits, {"group": "acme"}, "website identify")])
        rows.append((body, [Change(user, time, {**traits, "seen": time}, {}, "website identify") for time in (2, 3)]))
    benchmark(lambda: [merged(body, changes) for body, changes in rows])
