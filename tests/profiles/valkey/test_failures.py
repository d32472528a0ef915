"""What servers refuse, in words for people: which address, what is the matter, what to do; no password, no key."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import StoreError, StoreFull, StoreUnavailable
from engine.profiles.valkey.store import ValkeyStore

Opens = Callable[..., ValkeyStore]
SECRET = "geheim"
ANN = key("user", "ann@example.com")
CHANGES = [Change(ANN, 1, {"plan": "pro"})]


def told(store: ValkeyStore, kind: type[StoreError] = StoreUnavailable) -> str:
    """The one line that a write is refused with."""
    with pytest.raises(kind) as refused:
        store.apply(CHANGES)
    line = str(refused.value)
    assert line.startswith(str(store.address))
    assert "\n" not in line
    assert SECRET not in line
    assert "example.com" not in line
    return line


def test_passwords(valkey_servers: Any, opens: Opens) -> None:
    """None where one is wanted, one where none is, a wrong one, a user who is not there."""
    server = valkey_servers.one("user default off", f"user app on >{SECRET} ~* +@all")
    assert "wants a password" in told(opens(server.url()))
    assert "refuses the user or password" in told(opens(server.url("app", SECRET + "x")))
    assert "refuses the user or password" in told(opens(server.url("eve", SECRET)))
    assert opens(server.url("app", SECRET)).apply(CHANGES) == 1
    simple = valkey_servers.one(f"requirepass {SECRET}")
    assert "wants a password" in told(opens(simple.url()))
    assert opens(simple.url("", SECRET)).apply(CHANGES) == 1


def test_a_password_that_nobody_wants(valkey_server: Any, opens: Opens) -> None:
    """The address says more than the server knows."""
    assert "has no password" in told(opens(valkey_server.url("", SECRET)))


def test_rights(valkey_servers: Any, opens: Opens) -> None:
    """The command is named; a key never is."""
    server = valkey_servers.one(
        f"user poor on >{SECRET} ~mutiny:* +ping +get",
        f"user reader on >{SECRET} ~mutiny:* +ping +get +eval +evalsha",
        f"user other on >{SECRET} ~shop:* +@all",
        f"user mute on >{SECRET} ~mutiny:* +get",
    )
    assert "does not let its user use the command EVALSHA" in told(opens(server.url("poor", SECRET)))
    assert "one of the commands GET, SET, HGET and HSET in a script" in told(opens(server.url("reader", SECRET)))
    assert "does not let its user use the keys under its prefix" in told(opens(server.url("other", SECRET)))
    assert "does not let its user use the command PING" in told(opens(server.url("mute", SECRET)))
    assert opens(server.url("other", SECRET), prefix="shop:").apply(CHANGES) == 1


def test_one_server_and_a_cluster_are_told_apart(valkey_server: Any, valkey_cluster: Any, opens: Opens) -> None:
    """Each is told what it is."""
    assert "is no cluster: give it as one server" in told(opens(f"redis+cluster://{valkey_server.address}"))
    with pytest.raises(StoreUnavailable, match="is part of a cluster: give it as one"):
        opens(valkey_cluster.primaries[0].url()).apply(Change(key("user", str(n)), 1, {"n": n}) for n in range(20))


def test_no_sentinel_and_no_such_service(valkey_servers: Any, valkey_server: Any, opens: Opens) -> None:
    """A server is no Sentinel, and a Sentinel knows services by name."""
    assert "refuses: unknown command 'SENTINEL'" in told(opens(f"redis+sentinel://{valkey_server.address}/edge"))
    sentinel = valkey_servers.sentinel(valkey_server)
    assert "know no primary of 'shop'; is the service's name right?" in told(
        opens(f"redis+sentinel://{sentinel.address}/shop")
    )


def test_nobody_is_there(valkey: Any, opens: Opens) -> None:
    """One server, a socket, Sentinels, a cluster; the second question costs no attempt."""
    port = valkey.free_port()
    for form in (
        "redis://127.0.0.1:{}",
        "redis+cluster://127.0.0.1:{}",
        "redis+sentinel://127.0.0.1:{}/edge",
        "unix:///nowhere/{}",
    ):
        store = opens(form.format(port))
        assert "cannot be reached: " in told(store)
        assert "could not be reached a moment ago; it is tried twice a second" in told(store)


def test_passwords_of_sentinels(valkey_servers: Any, opens: Opens) -> None:
    """They are their own: which one is wrong is said, and where it stands in the address."""
    primary = valkey_servers.one(f"requirepass {SECRET}")
    sentinel = valkey_servers.sentinel(primary)
    where = f"redis+sentinel://:{SECRET}@{sentinel.address}/edge"
    alone = f"redis+sentinel://{sentinel.address}/edge"
    assert "/edge wants a password; write it into the address (redis+sentinel://USER:PASSWORD@HOST" in told(
        opens(alone)
    )
    assert opens(where).apply(CHANGES) == 1
    unasked = told(opens(f"{where}?sentinel_password={SECRET}x"))
    assert ": a Sentinel has no password, and is given sentinel_password; leave it out" in unasked
    sentinel.ask("ACL", "SETUSER", "default", "resetpass", f">{SECRET}")
    said = told(opens(where))
    assert ": a Sentinel wants a password; write it into the address (?sentinel_password=PASSWORD behind it)" in said
    assert "refuses the sentinel_user or sentinel_password" in told(opens(f"{where}?sentinel_password={SECRET}x"))
    other = f"redis+sentinel://:{SECRET}x@{sentinel.address}/edge?sentinel_password={SECRET}"
    assert "refuses the user or password" in told(opens(other))


def test_a_password_is_shown_where_it_stands(valkey_servers: Any, opens: Opens) -> None:
    """In an address of the same form."""
    server = valkey_servers.one(f"requirepass {SECRET}")
    assert "(unix://USER:PASSWORD@/PATH)" in told(opens(f"unix://{server.socket}"))


def test_the_wrong_protocol(valkey_server: Any, valkey_servers: Any, opens: Opens) -> None:
    """TLS that is not expected; a certificate of an authority that is not known."""
    secured = valkey_servers.one(tls=True)
    assert "cannot be reached: " in told(opens(f"redis://{secured.address}"))
    assert "certificate verify failed" in told(opens(secured.url()))
    assert "ssl_ca_certs: /nowhere.pem: No such file" in told(opens(f"{secured.url()}?ssl_ca_certs=/nowhere.pem"))
    assert opens(f"{secured.url()}?ssl_ca_certs={secured.authority}").apply(CHANGES) == 1


def test_a_database_that_is_not_there(valkey_server: Any, opens: Opens) -> None:
    """The server's own words."""
    assert "refuses: DB index is out of range" in told(opens(valkey_server.url(db=99)))


def test_a_server_that_takes_no_writes(valkey: Any, valkey_servers: Any, opens: Opens) -> None:
    """Too few replicas; a disk that it cannot write to; a replica; a replica that has lost its primary."""
    server = valkey_servers.one("min-replicas-to-write 1")
    assert "too few replicas follow it" in told(opens(server.url()))
    server.ask("CONFIG", "SET", "min-replicas-to-write", 0, "save", "3600 1")
    (server.folder / "dump.rdb").mkdir()
    server.ask("BGSAVE")
    valkey.until(lambda: server.info("persistence")["rdb_last_bgsave_status"] == "err", "saving fails")
    assert "cannot write to its own disk" in told(opens(server.url()), StoreFull)
    server.ask("CONFIG", "SET", "save", "")
    replica = valkey_servers.replica(server, "replica-serve-stale-data no")
    assert "is a replica and takes no writes; give the primary's address with --write-store" in told(
        opens(replica.url())
    )
    server.kill()
    valkey.until(lambda: replica.info("replication")["master_link_status"] == "down", "the primary is missed")
    with pytest.raises(StoreUnavailable, match="is a replica that has lost its primary"):
        opens(replica.url()).one(ANN)


def test_a_server_that_hangs(valkey_servers: Any, opens: Opens) -> None:
    """It takes connections and says nothing."""
    server = valkey_servers.one()
    server.stop()
    assert told(opens(server.url())).endswith("does not answer")
    server.resume()
