"""Which segments match: ours beside what a user might take instead, each peer in a process of its own."""

import pytest

from bench import match
from bench.table import installed, must_be_there

BARS = {
    "execute(dict)": "cel as shown",
    "a Context a visitor": "cel at its best",
    "decision table": "fastest peer",
}
LARGER = ["cel_rust", "zen_engine"]  # the two fastest


def needed(peer):
    """Skips where the peer is not installed; fails where it ought to be."""
    package = match.PACKAGES[peer]
    if installed(package) is None and not must_be_there():
        pytest.skip(f"{package} is not installed: pip install '.[bench]'")


@pytest.mark.parametrize("peer", match.PACKAGES)
def test_peer(table, peer):
    """A hundred segments; both give the same answers."""
    needed(peer)
    table += [found.row(BARS.get(found.way)) for found in match.in_own_process(peer, 100)]


@pytest.mark.parametrize("peer", LARGER)
@pytest.mark.parametrize("segments", [1_000, 10_000])
def test_larger(table, peer, segments):
    """More segments than anybody wrote by hand."""
    needed(peer)
    table += [found.row() for found in match.in_own_process(peer, segments)]
