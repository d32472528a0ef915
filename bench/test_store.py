"""One visitor's profile out of the embedded store, ready to decide on."""

import io
import json
from itertools import cycle

import pytest

from engine.profiles.importing import import_lines
from engine.profiles.lmdb import LmdbStore
from engine.profiles.read import read_profile

STORED = 10_000


@pytest.fixture(scope="module")
def store(tmp_path_factory, profiles, now):
    """A store of ten thousand visitors, every second one with an account."""
    store = LmdbStore(tmp_path_factory.mktemp("store"))
    import_lines(io.BytesIO(b"\n".join(_lines(profiles))), store, now)
    yield store
    store.close()


def _lines(profiles):
    for number in range(STORED):
        account = {"account": {"name": "Acme", "seats": number}} if number % 2 else {}
        line = {"visitorId": f"visitor-{number}", "traits": profiles[number % len(profiles)].traits, **account}
        yield json.dumps(line).encode()


@pytest.mark.parametrize("who", ["stored", "unknown"])
def test_read(benchmark, store, who):
    """Visitors in an order that no cache likes; half of the stored ones need a second read for their account."""
    benchmark.group = "read a profile"
    name = "visitor" if who == "stored" else "nobody"
    ids = cycle([f"{name}-{number * 7919 % STORED}" for number in range(STORED)])
    assert bool(read_profile(store, f"{name}-1").account) == (who == "stored")
    benchmark(lambda: read_profile(store, next(ids)))
