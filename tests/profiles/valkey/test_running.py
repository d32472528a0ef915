"""Two addresses of one store are known to be that, however they are written."""

from typing import Any

import pytest

from engine.profiles.store import StoreUnavailable
from engine.profiles.valkey.address import address
from engine.profiles.valkey.running import is_same, running


def test_one_server(valkey_server: Any, valkey_cluster: Any) -> None:
    """By any of its names and users; another database, and another server, are another store."""
    url = valkey_server.url()
    one = address(url)
    assert is_same(one, address(url.replace("redis://", "valkey://").replace("127.0.0.1", "localhost")))
    assert not is_same(one, address(valkey_server.url(db=1)))
    assert not is_same(one, address(valkey_cluster.url()))


def test_a_cluster(valkey_cluster: Any) -> None:
    """By any of its nodes."""
    first, *_, last = valkey_cluster.url().removeprefix("redis+cluster://").split(",")
    assert len(running(address(f"redis+cluster://{first}"))) == 3
    assert is_same(address(f"redis+cluster://{first}"), address(f"valkey+cluster://{last}"))


def test_who_may_not_ask_knows_nothing(valkey_server: Any) -> None:
    """It is no trouble."""
    valkey_server.ask("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", "-info")
    try:
        assert not running(address(valkey_server.url("app", "pw")))
    finally:
        valkey_server.ask("ACL", "DELUSER", "app")


def test_no_server(valkey: Any) -> None:
    """As every question to a store."""
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        running(address(f"redis://127.0.0.1:{valkey.free_port()}"))
