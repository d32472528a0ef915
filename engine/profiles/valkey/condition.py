"""What the servers of a shared store say of themselves and of their settings, for whoever looks if all is in order.

What lives here: one trip to each primary. What may not: judging it (`cli.checkup_shared`), anything that takes long.

A managed service may refuse `CONFIG`; then its settings are not known, and that is no failure.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct
from redis.exceptions import RedisError, ResponseError

from engine.profiles.valkey.address import Address
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.failures import failure
from engine.profiles.valkey.topology import servers_of, session
from engine.profiles.valkey.wire import Line, value

_SETTINGS: Final = (
    "appendonly",
    "save",
    "maxmemory",
    "maxmemory-policy",
    "client-output-buffer-limit",
    "tracking-table-max-keys",
)
_ASKED: Final = (("TIME",), ("INFO",), ("CLUSTER", "INFO"), *(("CONFIG", "GET", name) for name in _SETTINGS))


class Condition(Struct, frozen=True):
    """One primary. `settings` is None where it does not tell them; `ahead_s`: its clock, against ours."""

    server: str
    info: Mapping[str, str]
    cluster: Mapping[str, str]
    settings: Mapping[str, str] | None
    ahead_s: float


def conditions(address: Address, now_s: Callable[[], float]) -> list[Condition]:
    """Each primary's. `now_s`: the time, in seconds since 1970. Raises StoreError."""
    servers = servers_of(address, Attempts())
    try:
        with session(servers) as of:
            return [_condition(wire.name, of.line(wire), now_s) for wire in servers.primaries()]
    except RedisError as error:
        raise failure(address, error) from error
    finally:
        servers.close()


def _condition(name: str, line: Line, now_s: Callable[[], float]) -> Condition:
    begun = now_s()
    line.send(_ASKED)
    time, info, cluster, *settings = line.answers()
    ours = (begun + now_s()) / 2
    seconds, microseconds = value(time)
    return Condition(
        server=name,
        info=_fields(value(info)),
        cluster={} if isinstance(cluster, ResponseError) else _fields(value(cluster)),
        settings=_settings(settings),
        ahead_s=int(seconds) + int(microseconds) / 1e6 - ours,
    )


def _settings(answers: list[Any]) -> dict[str, str] | None:
    if any(isinstance(answer, ResponseError) for answer in answers):
        return None
    pairs = (pair for answer in answers for pair in zip(value(answer)[::2], value(answer)[1::2], strict=True))
    return {name.decode(): said.decode() for name, said in pairs}


def _fields(text: bytes) -> dict[str, str]:
    """The lines `name:value`."""
    pairs = (line.partition(":") for line in text.decode().splitlines())
    return {name: said for name, colon, said in pairs if colon}
