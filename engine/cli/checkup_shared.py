"""What `doctor` says of a shared store's servers: do they keep what they are given, and what becomes of it if one dies.

What lives here: one function a question, each of one primary. What may not: asking them (`profiles.valkey.condition`).

1. The log is the truth, so none of it loses an event; but what a server forgets has to be applied again by every node,
   and until then visitors are unknown. What was imported, or came from Salesforce, is in no log.
2. **What is evicted is lost for good**: the marks say that it is stored, so nobody brings it back. Only profiles of
   nobody known have an end of their own (`--store-ttl`), so a `volatile` policy takes these alone.
3. What a server does not tell is no failure. Which of its settings to look up in its own console is said; a question
   to which there is no answer says nothing.
4. Whatever is found of one question is told, and the worst of it counts. Of several primaries the worst is told, by its
   name.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from engine import limits
from engine.cli.checkup_links import Said, State
from engine.profiles.store import StoreError
from engine.profiles.valkey.address import address
from engine.profiles.valkey.condition import Condition, conditions
from engine.settings import Settings

Look: TypeAlias = Sequence[Condition] | None
Fault: TypeAlias = tuple[State, str, str]

_RANK: Final = ("ok", "warning", "trouble")
_MAJOR_LEAST: Final = 6  # CLIENT TRACKING, SET KEEPTTL
_MAJOR_GOOD: Final = 7  # scripts on a replica that only read
_UNTOLD: Final = "it does not tell its settings (CONFIG is not permitted); see its own console for"
_RIGHTS: Final = "give that right with ACL SETUSER: engine/guide/many-nodes.md, Rights"
_LINK_MOST_S: Final = 10  # a replica is heard every second


def look(settings: Settings, now: Callable[[], datetime]) -> Look:
    """Ask every primary; None where there is no shared store, or where it does not answer (which `store` tells)."""
    where = settings.write_store or settings.store
    if where is None:
        return None
    try:
        return conditions(address(where), settings.store_prefix, lambda: now().timestamp())
    except StoreError:
        return None


def version(one: Condition) -> Said:
    """The server is new enough."""
    if not one.info:
        return "warning", "its user may not ask it how it is (INFO), so this and much else is not known", _RIGHTS
    name, number = _version(one.info)
    if int(number.partition(".")[0]) < _MAJOR_LEAST:
        return "trouble", f"{name} {number} does not know what is asked of it", f"use {name} {_MAJOR_GOOD} or later"
    if int(number.partition(".")[0]) < _MAJOR_GOOD:
        return "warning", f"{name} {number}: scripts cannot be read from replicas", f"use {name} {_MAJOR_GOOD} or later"
    return "ok", f"{name} {number}"


def writes(one: Condition) -> Said:
    """It takes what nodes write, from this user."""
    faults: list[Fault] = []
    if one.lacking:
        faults.append(("trouble", f"its user may not use {', '.join(one.lacking)}", _RIGHTS))
    for reason in one.refuses:
        what, _, do = reason.removeprefix(f"{one.server} ").partition("; ")
        faults.append(("trouble", f"it {what}", do or "see its own log"))
    if one.info.get("role") == "slave" and not one.refuses:
        do = "give the primary's address, or that of its Sentinels, with --write-store"
        faults.append(("trouble", "it is a replica, so what is written there is lost", do))
    if one.info.get("master_link_status", "up") != "up":
        where = f"{one.info.get('master_host')}:{one.info.get('master_port')}"
        faults.append(
            (
                "trouble",
                f"it does not hear its primary, {where}",
                "see that it runs and can be reached from there; or end its being a replica (REPLICAOF NO ONE)",
            )
        )
    return _all(faults, "what nodes need is permitted, and it takes writes")


def persistence(one: Condition) -> Said | None:
    """What it was given is there after a restart."""
    if not one.info:
        return None
    faults: list[Fault] = []
    if one.info.get("aof_last_write_status", "ok") != "ok" or one.info.get("rdb_last_bgsave_status", "ok") != "ok":
        faults.append(
            ("trouble", "it could not write to its disk the last time", "make room there; its own log says more")
        )
    if one.settings is None:
        kept = "on" if one.info.get("aof_enabled") == "1" else "off"
        return _all(faults, f"append-only file {kept}; {_UNTOLD} appendfsync and save")
    if one.settings["appendonly"] == "yes":
        return _all(faults, "append-only file")
    if one.settings["save"]:
        text = f"snapshots (save {one.settings['save']}); after a restart nodes apply again what is newer"
        return _all(faults, text)
    what = "nothing is kept over a restart: it comes back empty, and every node applies its whole log again"
    do = "set `appendonly yes`; what was imported or came from Salesforce is in no log"
    return _all([*faults, ("warning", what, do)], "")


def memory(one: Condition, ttl: int | None = None) -> Said | None:
    """There is room, a bound, and nothing is evicted."""
    if "used_memory" not in one.info:
        return None
    used, most = int(one.info["used_memory"]), int(one.info.get("maxmemory", 0))
    policy = one.info.get("maxmemory_policy", "noeviction")
    text = f"{used:,} of {most:,} bytes, {policy}" if most else f"{used:,} bytes, no bound, {policy}"
    faults: list[Fault] = []
    if policy.startswith("allkeys"):
        do = "set `maxmemory-policy noeviction`: writes are refused then, and tried again, until there is room"
        faults.append(("warning", "when it is full it throws profiles away, and nothing brings them back", do))
    elif policy != "noeviction" and ttl is not None:
        do = "set `maxmemory-policy noeviction`, or let --store-ttl be shorter"
        faults.append(("warning", "when it is full idle anonymous profiles are gone before their time", do))
    if not most:
        faults.append(("warning", "the system ends it when memory is short", "set `maxmemory` to what it may use"))
    elif used > limits.STORE_FULL * most:
        do = "raise `maxmemory`, or give idle anonymous profiles an end with --store-ttl"
        faults.append(("warning", f"{used / most:.0%} of it is used", do))
    return _all(faults, text, before=f"{text}: ")


def replicas(one: Condition) -> Said | None:
    """Whoever takes its place when it dies has heard all."""
    if not one.info:
        return None
    count = int(one.info.get("connected_slaves", 0))
    if not count:
        return "ok", "none: while it is down nobody's profile is known"
    late = []
    for number in range(count):
        said = dict(pair.partition("=")[::2] for pair in one.info.get(f"slave{number}", "").split(","))
        if said.get("state") != "online" or int(said.get("lag", 0)) > _LINK_MOST_S:
            late.append(f"{said.get('ip')}:{said.get('port')} ({said.get('state')}, heard {said.get('lag')} s ago)")
    if late:
        do = "see its own log; until it has caught up a failover loses more, which every node has to apply again"
        return "warning", f"{len(late)} of {count} is behind: {', '.join(late)}", do
    return "ok", f"{count} online"


def near_cache(one: Condition) -> Said:
    """Workers hear of every change to what they remember."""
    faults: list[Fault] = []
    if not one.tracks:
        what = f"it does not say what changes (CLIENT TRACKING): a record is believed for {limits.NEAR_UNTRACKED_S:g} s"
        faults.append(("warning", what, _RIGHTS))
    if one.settings is None:
        untold = f"{_UNTOLD} client-output-buffer-limit and tracking-table-max-keys"
        return _all(faults, untold, before=f"{untold}; ")
    low = [
        f"{kind} {hard:,} bytes"
        for kind, hard in _hard_limits(one.settings["client-output-buffer-limit"]).items()
        if kind in {"normal", "pubsub"} and 0 < hard < limits.STORE_BUFFER_LEAST_BYTES
    ]
    if low:
        least = f"{limits.STORE_BUFFER_LEAST_BYTES:,} bytes"
        do = f"set `client-output-buffer-limit` to at least {least}, or 0 for none"
        what = f"a worker that is slow to listen is cut off, and remembers nothing then: {', '.join(low)}"
        faults.append(("warning", what, do))
    table = int(one.settings["tracking-table-max-keys"])
    if 0 < table < limits.STORE_TRACKED_LEAST:
        do = f"set `tracking-table-max-keys` to at least {limits.STORE_TRACKED_LEAST:,}, or 0 for no bound"
        faults.append(("warning", f"it follows {table:,} keys for all workers together, and forgets the others", do))
    return _all(faults, "workers are told of changes")


def cluster(one: Condition) -> Said | None:
    """All slots of a cluster are served."""
    if one.info.get("cluster_enabled") != "1":
        return None
    state, fine = one.cluster.get("cluster_state"), one.cluster.get("cluster_slots_ok")
    if state != "ok":
        return "trouble", f"{state}: {fine} of 16384 slots are served", "see `CLUSTER NODES`: which node is gone"
    return "ok", f"{one.cluster.get('cluster_size')} primaries, all slots are served"


def clock(one: Condition) -> Said | None:
    """Its clock agrees with this machine's."""
    if one.ahead_s is None:
        return None
    if abs(one.ahead_s) > limits.STORE_CLOCK_S:
        side = "ahead of" if one.ahead_s > 0 else "behind"
        do = "let both be set by NTP: what nodes write is compared by time"
        return "warning", f"{abs(one.ahead_s):.0f} s {side} this machine's", do
    return "ok", f"within {limits.STORE_CLOCK_S:.0f} s of this machine's"


def said(found: Look, settings: Settings) -> dict[str, Said]:
    """What each question comes to."""
    if not found:
        return {}
    questions: Mapping[str, Callable[[Condition], Said | None]] = {
        "server": version,
        "writes": writes,
        "on disk": persistence,
        "memory": lambda one: memory(one, settings.store_ttl_s),
        "replicas": replicas,
        "near-cache": near_cache,
        "cluster": cluster,
        "time": clock,
    }
    return {name: worst for name, ask in questions.items() if (worst := _worst(found, ask)) is not None}


def _all(faults: Sequence[Fault], fine: str, before: str = "") -> Said:
    """All that is wrong, as bad as the worst of it; else that nothing is."""
    if not faults:
        return "ok", fine
    states, texts, dos = zip(*faults, strict=True)
    return max(states, key=_RANK.index), before + "; ".join(texts), "; ".join(dict.fromkeys(dos))


def _worst(found: Sequence[Condition], ask: Callable[[Condition], Said | None]) -> Said | None:
    answers = [(one.server, answer) for one in found if (answer := ask(one)) is not None]
    if not answers:
        return None
    server, worst = max(answers, key=lambda one: _RANK.index(one[1][0]))
    if len(found) == 1 or worst[0] == "ok":
        return worst
    return worst[0], f"{server}: {worst[1]}", *worst[2:]


def _version(info: Mapping[str, str]) -> tuple[str, str]:
    if "valkey_version" in info:
        return "Valkey", info["valkey_version"]
    return "Redis", info.get("redis_version", "0")


def _hard_limits(text: str) -> dict[str, int]:
    """`normal 0 0 0 slave 268435456 67108864 60 …`: of each kind of client, what it may have waiting at most."""
    words = text.split()
    return {kind: int(hard) for kind, hard in zip(words[::4], words[1::4], strict=True)}
