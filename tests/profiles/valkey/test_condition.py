"""What real servers say of themselves, asked in one trip."""

import time
from typing import Any

import pytest

from engine.profiles.store import StoreUnavailable
from engine.profiles.valkey.address import address
from engine.profiles.valkey.condition import conditions
from engine.profiles.valkey.store import PREFIX


def test_a_server_tells_its_settings(valkey_server: Any) -> None:
    """And its clock, which is this machine's."""
    [one] = conditions(address(valkey_server.url()), PREFIX, lambda: time.clock_gettime(time.CLOCK_REALTIME))
    assert one.server == valkey_server.address
    assert one.settings is not None
    assert one.settings["appendonly"] == "no"
    assert one.settings["maxmemory-policy"] == "noeviction"
    assert int(one.info["used_memory"]) > 0
    assert one.cluster == {}
    assert one.ahead_s is not None
    assert abs(one.ahead_s) < 60
    assert (one.tracks, one.lacking, one.refuses) == (True, (), ())
    assert valkey_server.ask("KEYS", "*doctor*") == []


def test_every_primary_of_a_cluster_does(valkey_cluster: Any) -> None:
    """With the state of the cluster."""
    found = conditions(address(valkey_cluster.url()), PREFIX, lambda: 0.0)
    assert [one.cluster["cluster_state"] for one in found] == ["ok"] * 3
    assert all(one.ahead_s and one.ahead_s > 10**9 for one in found)
    assert [(one.lacking, one.refuses) for one in found] == [((), ())] * 3


def test_settings_that_may_not_be_asked_are_not_known(valkey_server: Any) -> None:
    """As with a managed service; the rest is."""
    valkey_server.ask("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", "-config")
    try:
        [one] = conditions(address(valkey_server.url("app", "pw")), PREFIX, lambda: 0.0)
    finally:
        valkey_server.ask("ACL", "DELUSER", "app")
    assert one.settings is None
    assert one.info["maxmemory_policy"] == "noeviction"


def test_a_server_that_is_not_there_is_told(valkey: Any) -> None:
    """In the store's words."""
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        conditions(address(f"redis://127.0.0.1:{valkey.free_port()}"), PREFIX, lambda: 0.0)


def test_what_its_user_may_not_is_told_all_at_once(valkey_server: Any) -> None:
    """Every command that a node needs; a question that may not be asked is no answer, and no failure."""
    lacking = {"set", "del", "hset", "evalsha", "dbsize"}
    rights = ["+@all", *(f"-{name}" for name in (*lacking, "info", "time", "client"))]
    valkey_server.ask("ACL", "SETUSER", "app", "on", ">pw", "~mutiny:*", *rights)
    valkey_server.ask("ACL", "SETUSER", "reads", "on", ">pw", "%R~mutiny:*", "+@all")
    try:
        [one] = conditions(address(valkey_server.url("app", "pw")), PREFIX, lambda: 0.0)
        [reads] = conditions(address(valkey_server.url("reads", "pw")), PREFIX, lambda: 0.0)
    finally:
        valkey_server.ask("ACL", "DELUSER", "app", "reads")
    assert set(one.lacking) == {f"the command {name.upper()}" for name in lacking}
    assert (one.info, one.ahead_s, one.tracks, one.refuses) == ({}, None, False, ())
    assert one.settings is not None
    assert (reads.lacking, reads.refuses) == (("the keys under its prefix",), ())
