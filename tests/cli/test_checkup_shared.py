"""What `doctor` says of a shared store's servers: each answer by a real server with such a configuration."""

import json
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from redis import ResponseError

from engine.cli.checkup_shared import look, said
from engine.node import utc_now
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import Span
from engine.profiles.valkey.address import address
from engine.profiles.valkey.store import ValkeyStore
from engine.settings import Settings

ORDINARY = ("maxmemory 100mb", "maxmemory-policy noeviction")


def at(server: Any, **more: Any) -> Settings:
    """A node whose store is there."""
    return Settings(store=server.url(), **more)


@pytest.fixture
def set_(valkey_server: Any) -> Any:
    """Change the shared server's settings for the length of a test; what is looked at then."""
    before: dict[str, Any] = {}

    def change(*pairs: str, **more: Any) -> dict[str, tuple[str, ...]]:
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            [(_, held)] = valkey_server.ask("CONFIG", "GET", name).items()
            before.setdefault(name, held)
            valkey_server.ask("CONFIG", "SET", name, value)
        settings = at(valkey_server, **more)
        return dict(said(look(settings, utc_now), settings))

    yield change
    for name, held in before.items():
        valkey_server.ask("CONFIG", "SET", name, held)


def test_a_server_as_it_should_be(valkey_servers: Any, valkey: Any) -> None:
    """It keeps what it is given, has a bound and evicts nothing, and a replica has heard all."""
    primary = valkey_servers.one(*ORDINARY, aof=True)
    valkey_servers.replica(primary)
    valkey.until(lambda: primary.info("replication")["slave0"]["state"] == "online", "the primary knows of it")
    settings = at(primary)
    found = said(look(settings, utc_now), settings)
    assert {name: answer[0] for name, answer in found.items()} == dict.fromkeys(
        ("server", "writes", "on disk", "memory", "replicas", "near-cache", "time"), "ok"
    )
    assert found["on disk"][1] == "append-only file"
    assert found["replicas"][1] == "1 online"


@pytest.mark.parametrize(
    ("settings", "question", "state", "words"),
    [
        (("save", ""), "on disk", "warning", "comes back empty"),
        (("save", "3600 1"), "on disk", "ok", "snapshots (save 3600 1)"),
        (("maxmemory", "0"), "memory", "warning", "no bound"),
        (("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"), "memory", "warning", "nothing brings them back"),
        (("maxmemory", "100mb", "maxmemory-policy", "volatile-ttl"), "memory", "ok", "volatile-ttl"),
        (("maxmemory", "1mb"), "memory", "warning", "of 1,048,576 bytes"),
        (("maxmemory", "1mb"), "writes", "trouble", "it has no room to write"),
        (("min-replicas-to-write", "2"), "writes", "trouble", "it takes no writes, for too few replicas follow it"),
        (("client-output-buffer-limit", "normal 1000 1000 0"), "near-cache", "warning", "normal 1,000 bytes"),
        (("tracking-table-max-keys", "1000"), "near-cache", "warning", "1,000 keys"),
        (("tracking-table-max-keys", "0"), "near-cache", "ok", "told of changes"),
    ],
)
def test_what_a_setting_comes_to(set_: Any, settings: tuple[str, ...], question: str, state: str, words: str) -> None:
    """The state, what is said, and what would be right where it is not."""
    answer = set_(*settings)[question]
    assert answer[0] == state
    assert words in answer[1]
    assert len(answer) == (2 if state == "ok" else 3)


def test_profiles_that_have_an_end_may_be_evicted_before_it(set_: Any) -> None:
    """Where there are such."""
    found = set_("maxmemory", "100mb", "maxmemory-policy", "volatile-lru", store_ttl_s=86_400)
    assert found["memory"][0] == "warning"
    assert "before their time" in found["memory"][1]


def test_all_that_is_wrong_of_one_thing_is_told(set_: Any) -> None:
    """With what to do about each."""
    found = set_("maxmemory", "1mb", "maxmemory-policy", "allkeys-lru", store_ttl_s=86_400)
    assert ("throws profiles away" in found["memory"][1], "% of it is used" in found["memory"][1]) == (True, True)
    assert ("noeviction" in found["memory"][2], "raise `maxmemory`" in found["memory"][2]) == (True, True)
    found = set_("client-output-buffer-limit", "normal 1000 1000 0", "tracking-table-max-keys", "10")
    assert ("cut off" in found["near-cache"][1], "10 keys" in found["near-cache"][1]) == (True, True)


def test_a_replica_takes_no_writes(valkey_servers: Any, valkey: Any) -> None:
    """Also not one that has lost its primary, and not one that would take them and lose them."""
    server = valkey_servers.one(*ORDINARY)
    server.ask("REPLICAOF", "127.0.0.1", valkey.free_port())
    settings = at(server)
    state, text, do = said(look(settings, utc_now), settings)["writes"]
    assert state == "trouble"
    assert "it is a replica and takes no writes; it does not hear its primary, 127.0.0.1:" in text
    assert "--write-store" in do
    server.ask("CONFIG", "SET", "replica-read-only", "no")
    assert "what is written there is lost" in said(look(settings, utc_now), settings)["writes"][1]


def said_to_a_user(server: Any, *rights: str) -> dict[str, Any]:
    """What is found by who has these rights alone."""
    server.ask("ACL", "SETUSER", "app", "on", ">pw", *rights)
    try:
        settings = Settings(store=server.url("app", "pw"))
        return said(look(settings, utc_now), settings)
    finally:
        server.ask("ACL", "DELUSER", "app")


def test_a_user_who_may_not_write(valkey_server: Any) -> None:
    """Every right that is lacking is named at once; who may not ask how it is, is told that too."""
    found = said_to_a_user(valkey_server, "~mutiny:*", "+@read", "+ping", "+select")
    assert found["writes"][0] == "trouble"
    for command in ("SET", "DEL", "HSET", "HDEL", "EVAL", "EVALSHA"):
        assert f"the command {command}" in found["writes"][1]
    assert "INFO" in found["server"][1]
    assert "CLIENT TRACKING" in found["near-cache"][1]
    assert {name for name, answer in found.items() if answer[0] == "ok"} == set()


def test_a_replica_that_hangs(valkey_servers: Any, valkey: Any) -> None:
    """It is told, by its address, once it was not heard for a while."""
    primary = valkey_servers.one(*ORDINARY)
    replica = valkey_servers.replica(primary)
    settings = at(primary)
    found = look(settings, utc_now)
    assert found
    replica.stop()
    late = [
        replace(one, info={**one.info, "slave0": one.info["slave0"].rpartition("lag=")[0] + "lag=11"}) for one in found
    ]
    [(state, text, do)] = [answer for name, answer in said(late, settings).items() if name == "replicas"]
    assert state == "warning"
    assert f"127.0.0.1:{replica.port}" in text
    assert do


def test_a_server_that_does_not_tell_its_settings(valkey_server: Any) -> None:
    """It says so, and where to look; no failure."""
    found = said_to_a_user(valkey_server, "~*", "&*", "+@all", "-config")
    assert "appendfsync and save" in found["on disk"][1]
    assert "not permitted" in found["on disk"][1]
    assert "not permitted" in found["near-cache"][1]
    assert {answer[0] for answer in found.values()} == {"ok", "warning"}  # it has no bound


def test_a_clock_that_nobody_sets(valkey_server: Any) -> None:
    """Ours or the server's, told in seconds."""
    settings = at(valkey_server)
    found = said(look(settings, lambda: datetime.now(UTC) - timedelta(seconds=90)), settings)  # noqa: TID251
    assert found["time"][:2] == ("warning", "90 s ahead of this machine's")


def test_an_old_server(valkey_server: Any) -> None:
    """What it cannot do is trouble; Valkey is told from Redis."""
    settings = at(valkey_server)
    found = look(settings, utc_now)
    assert found
    for version, state in (("5.0.3", "trouble"), ("6.2.1", "warning"), ("7.0.15", "ok")):
        old = [replace(one, info={**one.info, "redis_version": version}) for one in found]
        assert said(old, settings)["server"][0] == state
    valkey = [replace(one, info={**one.info, "valkey_version": "8.1.0"}) for one in found]
    assert said(valkey, settings)["server"] == ("ok", "Valkey 8.1.0")


def test_a_cluster(valkey_cluster: Any) -> None:
    """Its state; of several primaries the worst is told, by its name."""
    settings = Settings(store=valkey_cluster.url())
    found = look(settings, utc_now)
    assert said(found, settings)["cluster"] == ("ok", "3 primaries, all slots are served")
    bad = valkey_cluster.primaries[1]
    bad.ask("CONFIG", "SET", "maxmemory", "1mb")
    for server in (valkey_cluster.primaries[0], valkey_cluster.primaries[2]):
        server.ask("CONFIG", "SET", "maxmemory", "100mb")
    try:
        answer = said(look(settings, utc_now), settings)["memory"]
    finally:
        for server in valkey_cluster.primaries:
            server.ask("CONFIG", "SET", "maxmemory", "0")
    assert answer[0] == "warning"
    assert answer[1].startswith(f"{bad.address}: ")


def test_where_there_is_none(valkey: Any) -> None:
    """An embedded store has no servers; of one that does not answer, `store` tells."""
    assert look(Settings(), utc_now) is None
    assert look(Settings(store=f"redis://127.0.0.1:{valkey.free_port()}"), utc_now) is None
    assert said(None, Settings()) == {}


def test_doctor_tells(run: Any, house: Any, valkey_server: Any) -> None:
    """A line each, beside the others."""
    done = run("doctor", "--rules", house / "rules", "--store", valkey_server.url())
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [line[9:20].strip() for line in lines if line[9:20].strip() in {"server", "on disk", "memory"}] == [
        "server",
        "on disk",
        "memory",
    ]


def test_doctor_counts_what_store_stats_counts(run: Any, valkey_cluster: Any) -> None:
    """Records alone: no marks of any node, nothing of another program's; and finds those that are damaged."""
    url = valkey_cluster.url()
    changes = [Change(key("visitor", str(number)), 1, {"n": number}) for number in range(20)]
    for node in ("aa", "bb"):
        with closing(ValkeyStore(address(url), node=node)) as store:
            store.apply(changes, {f"{node}.ndjson": Span(0, 7)})
    for server in valkey_cluster.primaries:
        with suppress(ResponseError):
            server.ask("SADD", "mutiny:v:foreign", "x")
        with suppress(ResponseError):
            server.ask("SET", "shop:1", "x")
    done = run("doctor", "--store", url)
    assert "store      21 records, " in done.stdout
    assert "1 record is damaged" in done.stdout
    counted = run("store", "stats", "--store", url, "--format", "json")
    assert (json.loads(counted.stdout)["records"], json.loads(counted.stdout)["damaged"]) == (21, 1)
