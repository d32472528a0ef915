"""The nodes that share a store, by the marks that they have left."""

from contextlib import closing
from typing import Any

import pytest

from engine.profiles.store import Span, StoreUnavailable
from engine.profiles.valkey.address import address
from engine.profiles.valkey.nodes import Noted, nodes
from engine.profiles.valkey.store import ValkeyStore

PREFIX = "edge[1]:"  # with a letter that a pattern would take for something else


@pytest.mark.parametrize("where", ["valkey_server", "valkey_cluster"])
def test_each_node_and_its_marks(request: pytest.FixtureRequest, where: str) -> None:
    """Of this prefix alone, whether there is one server or several."""
    place = address(request.getfixturevalue(where).url())
    for node, prefix in (("aa", PREFIX), ("bb", PREFIX), ("cc", "edge1:")):
        with closing(ValkeyStore(place, node=node, prefix=prefix)) as store:
            store.apply((), {f"{node}.ndjson": Span(0, 7)})
    expected = {"aa": Noted({"aa.ndjson": 7}, []), "bb": Noted({"bb.ndjson": 7}, [])}
    assert nodes(place, PREFIX) == expected


def test_what_is_no_marks_is_told(valkey_server: Any) -> None:
    """By its key, and the others are known all the same."""
    valkey_server.ask("LPUSH", "mutiny:marks:zz", "a")
    assert nodes(address(valkey_server.url()), "mutiny:") == {"zz": Noted({}, ["mutiny:marks:zz"])}


def test_no_server(valkey: Any) -> None:
    """As every question to a store."""
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        nodes(address(f"redis://127.0.0.1:{valkey.free_port()}"), PREFIX)
