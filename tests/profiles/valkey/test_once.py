"""A store that is asked once: what goes wrong is told in the store's words, and no connection is left."""

from typing import Any

import pytest

from engine.profiles.store import StoreError, StoreUnavailable
from engine.profiles.valkey.address import address
from engine.profiles.valkey.once import once


def test_nothing_is_left_open(valkey_servers: Any, valkey: Any) -> None:
    """Whether it went well or not."""
    server = valkey_servers.one()
    with once(address(server.url())) as of:
        assert of.each(("PING",)) == [[b"PONG"]]
    with pytest.raises(StoreError), once(address(server.url())) as of:
        of.each(("NO-SUCH-COMMAND",))
    valkey.until(lambda: server.info("clients")["connected_clients"] == 1, "who asks is alone")


def test_who_is_not_there_is_told(valkey: Any) -> None:
    """By its address."""
    port = valkey.free_port()
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}"), once(address(f"redis://127.0.0.1:{port}")) as of:
        of.each(("PING",))
