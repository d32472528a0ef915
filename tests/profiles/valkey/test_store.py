"""What the shared store does besides the contract of all stores: its keys, rights, trips, time limits, damage, room."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
import re2
from redis import ResponseError

from engine.profiles.encoding import facts
from engine.profiles.ids import Key, Kind, key
from engine.profiles.read import read_profile
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, Span, StoreFull, StoreUnavailable
from engine.profiles.valkey import value
from engine.profiles.valkey.store import ValkeyStore
from engine.profiles.valkey.topology import Session

Opens = Callable[..., ValkeyStore]
ANN, BOB, USER, GROUP = key("visitor", "ann"), key("visitor", "bob"), key("user", "7"), key("group", "g")
LINKED = [
    Change(ANN, 1, {"plan": "free"}, {"user": "7"}),
    Change(USER, 1, {"email": "a@b.c", "plan": "pro"}, {"group": "g"}),
    Change(GROUP, 1, {"industry": "retail"}),
    Change(key("lead", "a@b.c"), 1, {"Status": "Open"}),
]
# What a user needs, as the guide has it: for this store, for a service that remembers and looks at replicas, and for
# `doctor`.
RIGHTS = "+ping +select +get +set +del +exists +hget +hset +hgetall +hdel +eval +evalsha +scan +dbsize +info"
IN_CLUSTER = "+asking +cluster|slots"
SERVING = "+client|tracking +readonly"
LOOKED_AT = "+time +config|get +cluster|info"
GUIDE = Path(value.__file__).parents[2] / "guide" / "many-nodes.md"


def use(store: ValkeyStore) -> None:
    """All that the engine ever asks of a store."""
    store.apply(LINKED, {"a": Span(0, 5)})
    assert read_profile(store, "ann").account == {"industry": "retail"}
    assert store.marks() == {"a": 5}
    store.forget_marks(["a"])
    assert {key_ for key_, _ in store.scan()} == {change.key for change in LINKED}
    assert store.stats().used_bytes > 0
    body = store.one(GROUP)
    assert isinstance(body, bytes)
    store.put([(GROUP, body)])
    assert store.delete([GROUP]) == 1
    store.close()


def everything(shared: Any) -> list[bytes]:
    """All keys of all servers."""
    return [name for server in getattr(shared, "primaries", [shared]) for name in server.ask("KEYS", "*")]


def test_there_are_no_keys_but_those_that_are_documented(shared: Any, opens: Opens) -> None:
    """`PREFIX` and a record's key, and marks."""
    store = opens(shared.url(), prefix="shop:", node="n1")
    kinds: tuple[Kind, ...] = get_args(Kind)
    store.apply([Change(key(kind, "é 1"), 1, {"plan": "pro"}) for kind in kinds], {"a": Span(0, 5)})
    store.apply(LINKED, {"a": Span(5, 9)})
    store.chain(ANN, lambda _: USER)
    list(store.scan())
    form = re2.compile(rb"shop:([vauglcn]:.+|marks:n1|marks:\{[0-9]+\}:n1)")
    assert [name for name in everything(shared) if form.fullmatch(name) is None] == []


def test_two_engines_share_a_server(shared: Any, opens: Opens) -> None:
    """Each sees what is under its own prefix, also where one begins as the other does."""
    one, other = opens(shared.url(), prefix="shop:"), opens(shared.url(), prefix="shop:2:")
    one.apply([Change(ANN, 1, {"n": 1})], {"a": Span(0, 5)})
    other.apply([Change(ANN, 1, {"n": 2}), Change(BOB, 1, {"n": 2})], {"a": Span(0, 7)})
    assert [len(list(store.scan())) for store in (one, other)] == [1, 2]
    assert [store.marks() for store in (one, other)] == [{"a": 5}, {"a": 7}]
    assert other.delete([ANN, BOB]) == 2
    assert one.one(ANN) is not None


def test_the_guide_names_these_rights() -> None:
    """All of them and no other, as a shell wants them written."""
    command = GUIDE.read_text(encoding="utf-8").partition("ACL SETUSER")[2].partition("```")[0]
    named = [word for word in command.replace("\\|", "|").split() if word.startswith("+")]
    assert sorted(named) == sorted(f"{RIGHTS} {SERVING} {IN_CLUSTER} {LOOKED_AT}".split())


def test_the_rights_that_the_guide_names_are_enough(valkey_servers: Any, valkey_server: Any, opens: Opens) -> None:
    """And none of them is one too many: without it, what is missing is named."""
    rights = RIGHTS.split()
    users = {"all": RIGHTS} | {right[1:]: " ".join(one for one in rights if one != right) for right in rights}
    said = [f"user {name} on >pw resetchannels ~mutiny:* {of}" for name, of in users.items()]
    server = valkey_servers.one("user default off", "databases 64", *said)
    use(opens(server.url("all", "pw", db=1)))
    for database, right in enumerate(sorted(users.keys() - {"all"}), 2):
        server.ask("SCRIPT", "FLUSH")
        with pytest.raises(StoreUnavailable, match=f"(?i)the (command {right};|commands? GET, SET, HGET and HSET)"):
            use(opens(server.url(right, "pw", db=database)))


def test_the_rights_for_a_cluster_are_enough(valkey_cluster: Any, opens: Opens) -> None:
    """The same, and to know its nodes."""
    for server in valkey_cluster.primaries:
        server.ask(
            "ACL", "SETUSER", "app", "on", ">pw", "resetchannels", "~mutiny:*", *f"{RIGHTS} {IN_CLUSTER}".split()
        )
    use(opens(valkey_cluster.url().replace("://", "://app:pw@")))


def test_the_rights_of_a_service_are_enough(valkey_servers: Any) -> None:
    """Those that are asked for beside this store's: the server says that each may be used."""
    server = valkey_servers.one(f"user app on >pw resetchannels ~mutiny:* {RIGHTS} {IN_CLUSTER} {SERVING} {LOOKED_AT}")
    asked = ("CLIENT TRACKING ON", "READONLY", "ASKING", "TIME", "CONFIG GET save", "CLUSTER INFO", "CLUSTER SLOTS")
    assert {server.ask("ACL", "DRYRUN", "app", *command.split()) for command in asked} == {b"OK"}
    assert server.ask("ACL", "DRYRUN", "app", "GET", "shop:1") != b"OK"
    assert server.ask("ACL", "DRYRUN", "app", "CONFIG", "SET", "save", "") != b"OK"


def test_idle_profiles_of_nobody_known_expire(shared: Any, opens: Opens) -> None:
    """Each write gives them their time anew; a link to a user, or a deletion, gives them all time."""
    store = opens(shared.url(), idle_s=1_000)
    anonymous = key("anonymous", "a")

    def left(key_: Key) -> int:
        place = b"mutiny:" + key_
        answers = [server.ask("TTL", place) for server in getattr(shared, "primaries", [shared]) if owns(server, place)]
        return int(answers[0])

    def owns(server: Any, place: bytes) -> bool:
        return place in server.ask("KEYS", "*")

    store.apply(
        [*LINKED, Change(BOB, 1, {"n": 1}), Change(anonymous, 1, {"n": 1}), Change(key("name", "x"), 1, {"n": 1})]
    )
    assert 990 <= left(BOB) <= 1_000
    assert 990 <= left(anonymous) <= 1_000
    assert {left(one) for one in (ANN, USER, GROUP, key("name", "x"))} == {-1}
    for server in getattr(shared, "primaries", [shared]):
        if owns(server, b"mutiny:" + BOB):
            server.ask("EXPIRE", b"mutiny:" + BOB, 10)
    store.apply([Change(BOB, 1, {"n": 1})])
    assert left(BOB) <= 10
    store.apply([Change(BOB, 2, {"n": 2}), Change(anonymous, 2, {}, {"user": "7"})])
    assert left(BOB) >= 990
    assert left(anonymous) == -1
    store.apply([Change(BOB, 3, deletes=True)])
    assert left(BOB) == -1
    assert opens(shared.url()).apply([Change(key("visitor", "eve"), 1, {"n": 1})]) == 1
    assert left(key("visitor", "eve")) == -1


def test_what_expired_under_a_writer_begins_anew(valkey_server: Any, opens: Opens) -> None:
    """It is as if it had never been there."""
    store = opens(valkey_server.url(), idle_s=1_000)
    store.apply([Change(BOB, 1, {"old": 1})])
    valkey_server.ask("PEXPIRE", b"mutiny:" + BOB, 1)
    while valkey_server.ask("EXISTS", b"mutiny:" + BOB):
        pass
    assert store.one(BOB) is None
    store.apply([Change(BOB, 2, {"new": 1})])
    found = store.one(BOB)
    assert isinstance(found, bytes)
    assert facts(found).traits == {"new": 1}


def test_damage_is_found_counted_and_healed_by_a_write(valkey_server: Any, opens: Opens) -> None:
    """A flipped bit, somebody else's text, another record's value, what is no record: never a wrong value."""
    store = opens(valkey_server.url())
    harmed = [key("visitor", str(n)) for n in range(5)]
    store.apply([Change(one, 1, {"n": 1}, {"user": "7"}) for one in (*harmed, BOB)])
    raw = valkey_server.ask("GET", b"mutiny:" + harmed[0])
    other = valkey_server.ask("GET", b"mutiny:" + BOB)
    lies = (raw[:-1] + bytes([raw[-1] ^ 1]), b"", b"hello", other, value.packed(harmed[4], b"no record"))
    for one, lie in zip(harmed, lies, strict=True):
        valkey_server.ask("SET", b"mutiny:" + one, lie)
    assert store.get(harmed)[:4] == [DAMAGED] * 4
    assert store.chain(harmed[0], lambda _: USER) == [DAMAGED]
    assert dict(store.scan())[harmed[1]] is DAMAGED
    assert store.stats().damaged_keys == tuple(harmed[:4])
    assert store.apply([Change(one, 2, {"n": 2}) for one in harmed]) == 5
    assert store.stats().damaged == 5
    healed = store.get(harmed)
    assert {str(facts(one).traits) for one in healed if isinstance(one, bytes)} == {"{'n': 2}"}
    store.delete(harmed)
    assert store.stats().damaged == 0


@pytest.mark.parametrize("command", [("SADD", "x"), ("HSET", "x", "y")])
def test_what_somebody_else_put_there_is_one_more_damaged_record(shared: Any, opens: Opens, command: Any) -> None:
    """It holds up nothing: it reads as damaged, the others are read and written, and the next write takes its place."""
    store = opens(shared.url())
    link = Change(BOB, 1, links={"user": "ann"})
    store.apply([link, Change(ANN, 1, {"plan": "pro"})])
    for server in getattr(shared, "primaries", [shared]):
        with suppress(ResponseError):  # in a cluster it is another one's
            server.ask("DEL", b"mutiny:" + ANN)
            server.ask(command[0], b"mutiny:" + ANN, *command[1:])
    fresh = opens(shared.url())
    assert fresh.get([ANN, BOB])[0] is DAMAGED
    assert [type(found) for found in fresh.chain(BOB, lambda _: ANN)][:2] == [bytes, type(DAMAGED)]
    assert dict(fresh.scan())[ANN] is DAMAGED
    assert (fresh.stats().damaged, fresh.stats().records) == (1, 2)
    assert fresh.apply([Change(ANN, 2, {"plan": "max"}), link], {"a": Span(0, 10)}) == 1
    assert b"max" in opens(shared.url()).one(ANN)
    assert fresh.delete([ANN]) == 1


def test_a_full_server_keeps_what_it_has_and_takes_the_batch_later(valkey_servers: Any, opens: Opens) -> None:
    """Full in the middle of a batch: part of it may be stored, its marks are not, reading and deleting go on."""
    server = valkey_servers.one("maxmemory-policy noeviction")
    store = opens(server.url())
    batch = [Change(key("visitor", str(n)), 1, {"pad": "x" * 900}) for n in range(2_000)]
    server.ask("CONFIG", "SET", "maxmemory", server.info("memory")["used_memory"] + 1_000_000)
    with pytest.raises(StoreFull, match="its maxmemory is reached"):
        store.apply(batch, {"a": Span(0, 5)})
    kept = dict(store.scan())
    assert 0 < len(kept) < 2_000
    assert store.marks() == {}
    with pytest.raises(StoreFull):
        store.apply([], {"a": Span(0, 5)})
    assert store.delete([next(iter(kept))]) == 1
    server.ask("CONFIG", "SET", "maxmemory", 0)
    store.apply(batch, {"a": Span(0, 5)})
    assert (store.stats().records, store.marks()) == (2_000, {"a": 5})
    assert {type(one) for _, one in store.scan()} == {bytes}


def test_a_chain_is_one_trip_to_a_server(valkey_server: Any, opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its length; the rest of a profile is a second one."""
    store = opens(valkey_server.url())
    store.apply(LINKED)
    trips = counted(monkeypatch)
    profile = read_profile(store, "ann")
    assert (profile.traits["plan"], profile.account, profile.lead) == (
        "pro",
        {"industry": "retail"},
        {"Status": "Open"},
    )
    assert len(trips) - 1 <= 2  # the script itself is sent once
    trips.clear()
    assert read_profile(store, "ann") == profile
    assert len(trips) == 2


def test_a_chain_in_a_cluster_is_two_trips(valkey_cluster: Any, opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reader after links changed makes one more for each record that it did not know of, and notes them."""
    store = opens(valkey_cluster.url())
    store.apply(LINKED)
    trips = counted(monkeypatch)

    def chain() -> int:
        trips.clear()
        found = store.chain(ANN, lambda body: USER if b"free" in body else GROUP if b"email" in body else None)
        assert [type(one) for one in found] == [bytes] * 3
        return len([trip for trip in trips if trip[0][1][0] == "GET"])

    assert [chain(), chain()] == [3, 2]
    store.apply([Change(ANN, 2, {"plan": "free", "n": 2})])
    assert chain() == 2
    store.apply([Change(ANN, 3, {}, {"user": "8"}), Change(key("user", "8"), 1, {"n": 1}, {"group": "g"})])
    assert len(store.chain(ANN, lambda body: key("user", "8") if b"free" in body else GROUP)) >= 3
    raw = next(raw for server in valkey_cluster.primaries if (raw := held(server, b"mutiny:v:ann")))
    assert value.route(raw) == (b"u:8", b"g:g")


def test_a_route_is_noted_only_over_what_was_read(valkey_server: Any, opens: Opens) -> None:
    """And quietly: not over a newer value, not where nobody is there; the time that a record has left stays."""
    store = opens(valkey_server.url(), idle_s=1_000)
    store.apply([Change(BOB, 1, {"n": 1})])
    raw = valkey_server.ask("GET", b"mutiny:" + BOB)
    valkey_server.ask("EXPIRE", b"mutiny:" + BOB, 500)
    store.note_route(BOB, raw, [b"", GROUP])
    assert value.route(valkey_server.ask("GET", b"mutiny:" + BOB)) == (b"", GROUP)
    assert valkey_server.ask("TTL", b"mutiny:" + BOB) <= 500
    store.note_route(BOB, raw, [USER])
    assert value.route(valkey_server.ask("GET", b"mutiny:" + BOB)) == (b"", GROUP)
    assert store.one(BOB) == value.unpacked(BOB, raw)
    store.note_route(BOB, b"damaged", [USER])
    store.close()
    store.note_route(BOB, raw, [USER])


def test_other_keys_of_the_database_count(valkey_server: Any, opens: Opens) -> None:
    """A server counts no prefixes; the store says so."""
    store = opens(valkey_server.url())
    store.apply([Change(BOB, 1, {"n": 1})], {"a": Span(0, 5)})
    valkey_server.ask("SET", "other", 1)
    assert store.stats().records == 2


def test_a_replica_is_read(valkey_servers: Any, valkey_server: Any, opens: Opens) -> None:
    """By a store of its own, of which nothing is written."""
    opens(valkey_server.url()).apply(LINKED, {"a": Span(0, 5)})
    store = opens(valkey_servers.replica(valkey_server).url())
    assert read_profile(store, "ann").account == {"industry": "retail"}
    assert len(list(store.scan())) == len(LINKED)
    assert store.marks() == {"a": 5}
    with pytest.raises(StoreUnavailable, match="is a replica"):
        store.apply([Change(BOB, 1, {"n": 1})])


def test_a_server_that_pauses_is_waited_for(valkey_server: Any, opens: Opens) -> None:
    """It answers late, and well."""
    store = opens(valkey_server.url())
    valkey_server.ask("CLIENT", "PAUSE", 100)
    assert store.apply([Change(ANN, 1, {"n": 1})], {"a": Span(0, 5)}) == 1
    assert store.marks() == {"a": 5}


def test_a_batch_that_lost_its_server_is_refused_or_whole(valkey_servers: Any, opens: Opens) -> None:
    """Killed and started again, empty, before the marks: what a mark says is there, or there is none."""
    server = valkey_servers.one()
    died = [False]

    def dies() -> None:
        if not died[0]:
            died[0] = True
            server.kill()
            server.restart()

    store = opens(server.url(), rest=dies)
    store.apply([Change(ANN, 1, {"n": 1}), Change(BOB, 1, {"n": 1})], {"a": Span(0, 5)})
    assert died == [True]
    assert store.marks() == {"a": 5}
    assert len(list(store.scan())) == 2


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is asked in each trip from now on."""
    trips: list[Any] = []
    ask = Session.ask

    def noting(of: Session, asked: list[Any]) -> list[Any]:
        if asked:
            trips.append(asked)
        return ask(of, asked)

    monkeypatch.setattr(Session, "ask", noting)
    return trips


def held(server: Any, place: bytes) -> bytes | None:
    """What is under this key, if it is this server's."""
    found: bytes | None = server.ask("GET", place) if place in server.ask("KEYS", "*") else None
    return found
