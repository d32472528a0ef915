"""What the servers of a shared store say of themselves and of their settings, for whoever looks if all is in order.

What lives here: two trips to each primary. What may not: judging it (`cli.checkup_shared`), anything that takes long.

1. A managed service may refuse `CONFIG`; then its settings are not known, and that is no failure. Nor is any other
   question that it does not answer.
2. **Whether it takes writes is tried**, for there are many reasons why it may not, and `ACL DRYRUN` is a right that
   those who need it do not have. Every command that a node uses is put to one key, `PREFIXdoctor`, which is there for
   a moment and is no record's; a server says of each that it may not be used before it looks what it would do.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct
from redis.exceptions import AskError, NoScriptError, ResponseError, TryAgainError

from engine.profiles.valkey import scripts
from engine.profiles.valkey.address import Address, checked_prefix
from engine.profiles.valkey.failures import failure, lacks
from engine.profiles.valkey.once import once
from engine.profiles.valkey.topology import Servers
from engine.profiles.valkey.wire import Line, Wire, fields, is_of_another_type, value

_SETTINGS: Final = (
    "appendonly",
    "save",
    "maxmemory",
    "maxmemory-policy",
    "client-output-buffer-limit",
    "tracking-table-max-keys",
)
_ASKED: Final = (
    ("TIME",),
    ("INFO",),
    ("CLUSTER", "INFO"),
    ("CLIENT", "TRACKING", "OFF"),
    *(("CONFIG", "GET", name) for name in _SETTINGS),
)
_PROBED: Final = b"doctor"
_PROBED_S: Final = 10  # then it is gone, also where it may not be removed


class Condition(Struct, frozen=True):
    """One primary. What it does not tell is None or empty; `ahead_s`: its clock, against ours.

    `tracks`: it may be asked to say what changes. `lacking`: what its user may not use, and has to; `refuses`: for what
    other reasons it does not take what is written.
    """

    server: str
    info: Mapping[str, str]
    cluster: Mapping[str, str]
    settings: Mapping[str, str] | None
    ahead_s: float | None
    tracks: bool = True
    lacking: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


def conditions(address: Address, prefix: str, now_s: Callable[[], float]) -> list[Condition]:
    """Each primary's. `now_s`: the time, in seconds since 1970. Raises StoreError."""
    begin = checked_prefix(prefix).encode()
    with once(address) as of:
        return [
            _condition(wire.name, of.line(wire), _probed(begin, of.servers, wire), now_s)
            for wire in of.servers.primaries()
        ]


def _condition(name: str, line: Line, probed: bytes, now_s: Callable[[], float]) -> Condition:
    begun = now_s()
    line.send(_ASKED)
    time, info, cluster, tracking, *settings = line.answers()
    ours = (begun + now_s()) / 2
    line.send(_probes(probed))
    faults = [answer for answer in line.answers() if _is_fault(answer)]
    return Condition(
        server=name,
        info=fields(_told(info) or b""),
        cluster=fields(_told(cluster) or b""),
        settings=_settings(settings),
        ahead_s=None if (said := _told(time)) is None else int(said[0]) + int(said[1]) / 1e6 - ours,
        tracks=_told(tracking) is not None,
        lacking=tuple(dict.fromkeys(said for fault in faults if (said := lacks(fault)) is not None)),
        refuses=tuple(dict.fromkeys(str(failure(name, fault)) for fault in faults if lacks(fault) is None)),
    )


def _probed(begin: bytes, servers: Servers, wire: Wire) -> bytes:
    """A key that this server has."""
    keys = [begin + _PROBED + (b"{%b}" % tag if tag else b"") for tag in servers.tags()]
    return next(key for key in keys if servers.wire(key).name == wire.name)


def _probes(key: bytes) -> list[scripts.Command]:
    """Every command that a node needs, and none that would change anything but for this key."""
    name = scripts.SWAP.name
    return [
        ("SET", key, "", "EX", _PROBED_S),
        ("GET", key),
        *((command, key, "") for command in ("HGET", "HDEL")),
        ("HSET", key, "", ""),
        ("HGETALL", key),
        ("EXISTS", key),
        ("EVAL", "return 1", 1, key),
        ("EVALSHA", name, 1, key, "none"),
        ("SCAN", 0, "COUNT", 1),
        ("DBSIZE",),
        ("DEL", key),
    ]


def _is_fault(answer: Any) -> bool:
    """Not that it is a string and no hash, that a script was not heard of, or that a slot is under way."""
    expected = is_of_another_type(answer) or isinstance(answer, NoScriptError | AskError | TryAgainError)
    return isinstance(answer, Exception) and not expected


def _told(answer: Any) -> Any:
    """What it says; None where it refuses to. Raises RedisError where it does not answer."""
    return None if isinstance(answer, ResponseError) else value(answer)


def _settings(answers: list[Any]) -> dict[str, str] | None:
    if any(isinstance(answer, ResponseError) for answer in answers):
        return None
    pairs = (pair for answer in answers for pair in zip(value(answer)[::2], value(answer)[1::2], strict=True))
    return {name.decode(): said.decode() for name, said in pairs}
