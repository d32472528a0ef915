"""Stores on real servers, closed in the end."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore

Opens: TypeAlias = Callable[..., ValkeyStore]


@pytest.fixture
def opens() -> Iterator[Opens]:
    """Opens a store at an address, for the node `here` unless another one is named."""
    opened: list[ValkeyStore] = []

    def open_(url: str, **said: Any) -> ValkeyStore:
        opened.append(ValkeyStore(address(url), **{"node": "here"} | said))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture(params=["one", "cluster"])
def shared(request: pytest.FixtureRequest) -> Any:
    """A server alone and a cluster, empty: each has `url()`."""
    return request.getfixturevalue("valkey_server" if request.param == "one" else "valkey_cluster")
