"""One server's part: what it asks, and what is true of it while the server is silent, gone or in trouble."""

import asyncio
from typing import Any

import pytest

from engine.profiles.encoding import merged
from engine.profiles.ids import Key, key
from engine.profiles.near.kept import UNKNOWN
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, NotAtOnce
from engine.profiles.valkey.value import packed

V1, U1 = key("visitor", "v1"), key("user", "u1")


def read(store: Any) -> Any:
    """The profile of v1."""
    return read_profile(store, "v1")


def put(server: Any, key_: Key, traits: dict[str, Any], links: dict[Any, str], route: tuple[bytes, ...] = ()) -> None:
    """A record as it stands in a server, with this route."""
    body = merged(None, [Change(key_, 1, traits, links)])
    assert body is not None
    server.ask("SET", b"mutiny:" + key_, packed(key_, body, route))


def test_silence_is_degraded_and_then_as_if_nothing_had_been(
    valkey_servers: Any, near_at: Any, asked: Any, soon: Any
) -> None:
    """Who waits when it begins waits no longer; what is remembered is put away, not lost, and is asked for no second
    time. What was asked in between comes, and is remembered.
    """
    server = valkey_servers.one()
    put(server, V1, {"a": 1}, {})

    async def run() -> None:
        async with near_at(server.url()) as near:
            whole, _ = await asked(near, read)
            server.stop()
            with pytest.raises(NotAtOnce) as missed:
                near.one(key("visitor", "v2"))
            await asyncio.wait((missed.value.arrival,))
            assert not near.up
            assert read(near).degraded
            assert read(near).traits == whole.traits
            server.resume()
            await soon(lambda: near.up)
            assert read(near) == whole
            await soon(lambda: near._servers.only.kept.known(key("visitor", "v2")) is not UNKNOWN)
            assert near.one(key("visitor", "v2")) is None

    asyncio.run(run())


def test_a_script_reads_no_further_than_a_chain_goes(valkey_server: Any, near_at: Any, asked: Any) -> None:
    """Records that lead in a circle, to themselves, to nobody, and a value whose route is none."""
    put(valkey_server, V1, {"a": 1}, {"user": "u1"}, (U1,))
    put(valkey_server, U1, {"b": 1}, {}, (V1,))
    put(valkey_server, key("visitor", "v2"), {"a": 2}, {"user": "gone"}, (key("user", "gone"),))
    put(valkey_server, key("visitor", "v3"), {"a": 3}, {"group": "g1"}, (b"", key("group", "g1")))
    valkey_server.ask("SET", "mutiny:v:v4", b"\0\0\0\0\xff\xff\xff")

    async def run() -> None:
        async with near_at(valkey_server.url()) as near:
            assert (await asked(near, read))[0].traits == {"a": 1, "b": 1}
            second, waited = await asked(near, lambda store: read_profile(store, "v2"))
            assert (second.traits, second.degraded, waited) == ({"a": 2}, False, 1)
            third, waited = await asked(near, lambda store: read_profile(store, "v3"))
            assert (third.traits, third.account_id, waited) == ({"a": 3}, "g1", 1)
            assert (await asked(near, lambda store: store.one(key("visitor", "v4"))))[0] is DAMAGED
            assert near.up

    asyncio.run(run())


def test_reads_go_on_where_writes_are_held_back(valkey_servers: Any, near_at: Any, asked: Any) -> None:
    """As a failover does it: the server knows that the script only reads."""
    server = valkey_servers.one()
    put(server, V1, {"a": 1}, {"user": "u1"}, (U1,))
    put(server, U1, {"b": 1}, {})

    async def run() -> None:
        async with near_at(server.url()) as near:
            server.ask("CLIENT", "PAUSE", 60_000, "WRITE")
            found, waited = await asked(near, read)
            assert (found.traits, found.degraded, waited) == ({"a": 1, "b": 1}, False, 1)
            assert near.up

    asyncio.run(run())


def test_a_server_that_does_not_know_such_scripts_is_given_plain_ones(
    valkey_server: Any, near_at: Any, asked: Any, proxy_to: Any
) -> None:
    """Redis 6, for which that is no Lua."""
    put(valkey_server, V1, {"a": 1}, {"user": "u1"}, (U1,))
    put(valkey_server, U1, {"b": 1}, {})
    proxy = proxy_to(valkey_server.port)
    proxy.replaced = b"#!lua flags=no-writes", b"#! no Lua at all, no "

    async def run() -> None:
        async with near_at(f"redis://127.0.0.1:{proxy.port}") as near:
            found, waited = await asked(near, read)
            assert (found.traits, found.degraded, waited) == ({"a": 1, "b": 1}, False, 1)
            assert near._servers.only._scripts

    asyncio.run(run())


@pytest.mark.parametrize("refused", ["-eval", "-client|tracking", "-info"])
def test_what_a_user_may_not_do_is_done_without(
    valkey_servers: Any, near_at: Any, asked: Any, soon: Any, refused: str
) -> None:
    """No scripts: the records' own hints. No tracking: a record is believed for a second, and no longer. No INFO: it is
    still noticed that a server is silent.
    """
    server = valkey_servers.one(f"user app on >pw ~* +@all {refused}")
    put(server, V1, {"a": 1}, {"user": "u1"}, (U1,))
    put(server, U1, {"b": 1}, {})

    async def run() -> None:
        async with near_at(server.url("app", "pw")) as near:
            found, _ = await asked(near, read)
            assert (found.traits, found.degraded) == ({"a": 1, "b": 1}, False)
            assert await asked(near, read) == (found, 0)
            assert near.tracked == ("tracking" not in refused)
            put(server, U1, {"b": 2}, {})
            async with asyncio.timeout(60):
                while (await asked(near, read))[0].traits["b"] != 2:  # noqa: ASYNC110 - it is no event of ours
                    await asyncio.sleep(0.005)
            if "info" in refused:
                server.stop()
                await soon(lambda: not near.up)
                assert read(near).degraded
                server.resume()

    asyncio.run(run())


def test_trouble_in_an_answer_is_the_end_of_a_link(valkey_servers: Any, near_at: Any, asked: Any, soon: Any) -> None:
    """A right that is taken away while it is used; when it is given again all is well."""
    server = valkey_servers.one("user app on >pw ~* +@all")
    put(server, V1, {"a": 1}, {})

    async def run() -> None:
        async with near_at(server.url("app", "pw")) as near:
            server.ask("ACL", "SETUSER", "app", "-get", "-eval")
            with pytest.raises(NotAtOnce) as missed:
                near.one(V1)
            await asyncio.wait((missed.value.arrival,))
            await soon(lambda: not near.up)
            assert "right" in near.trouble
            server.ask("ACL", "SETUSER", "app", "+@all")
            await soon(lambda: near.up)
            assert (await asked(near, read))[0].traits == {"a": 1}

    asyncio.run(run())
