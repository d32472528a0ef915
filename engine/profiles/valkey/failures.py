"""What the errors of a server mean, in the words of a store: what is the matter, with which address, and what to do.

What lives here: those words, and which errors may be over by now. What may not: asking anything but for the servers.

1. Of the three kinds of trouble that a store has (`profiles.store`) most are `StoreUnavailable`: asked again later, it
   may answer. `StoreFull` says that reads go on.
2. A server's own text is shown where it says more than its kind does, and never where it may name a key: keys are
   people.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import TimeoutError as Unanswered

from engine.profiles.store import StoreDamaged, StoreError, StoreFull, StoreUnavailable
from engine.profiles.valkey.attempts import NotTried
from engine.profiles.valkey.topology import NoSuchService, OfCluster, Servers, Shifted

_NO_ROOM: Final = (
    "has no room to write: its maxmemory is reached, and its policy evicts nothing (rightly: what is evicted is lost); "
    "raise maxmemory, or give idle anonymous profiles an end with --store-ttl"
)
_READ_ONLY: Final = (
    "is a replica and takes no writes: give the primary's address with --write-store, or that of its Sentinels "
    "(redis+sentinel://…/SERVICE), who know which one that is"
)
_LOADING: Final = "is loading its data after a start; it answers when that is done"
_NO_PRIMARY: Final = "is a replica that has lost its primary, and answers when it has one (replica-serve-stale-data no)"
_IN_CLUSTER: Final = "is part of a cluster: give it as one, redis+cluster://HOST:PORT"
_NO_CLUSTER: Final = "is no cluster: give it as one server, redis://HOST:PORT"
_WRONG_TYPE: Final = (
    "keeps something else under a key of ours: another program uses the same prefix; "
    "give another one with --store-prefix"
)
_NO_ROOM_ON_DISK: Final = "cannot write to its own disk, and takes no writes until it can"
_TOO_FEW: Final = "takes no writes, for too few replicas follow it (min-replicas-to-write)"
_MOMENT: Final = "could not be reached a moment ago; it is tried twice a second"
_BY_KIND: Final[Mapping[type[RedisError], str]] = {
    ReadOnlyError: _READ_ONLY,
    BusyLoadingError: _LOADING,
    MasterDownError: _NO_PRIMARY,
    OfCluster: _IN_CLUSTER,
    NotTried: _MOMENT,
    Shifted: "is handing its slots from server to server; the same may be tried again",
    Unanswered: "does not answer",
}
# By what a server's text begins with, where redis-py has no class for it.
_BY_WORDS: Final[Mapping[str, tuple[Callable[[str], StoreError], str]]] = {
    "WRONGTYPE": (StoreDamaged, _WRONG_TYPE),
    "MISCONF": (StoreFull, _NO_ROOM_ON_DISK),
    "NOREPLICAS": (StoreUnavailable, _TOO_FEW),
    "This instance has cluster support disabled": (StoreUnavailable, _NO_CLUSTER),
    "ERR This instance has cluster support disabled": (StoreUnavailable, _NO_CLUSTER),
}


def failure(where: object, error: RedisError) -> StoreError:
    """What the server says, in the words of the store; `where` is its address without a password."""
    if isinstance(error, OutOfMemoryError):
        return StoreFull(f"{where} {_NO_ROOM}")
    if isinstance(error, NoSuchService):
        return StoreUnavailable(f"{where}: {error}; is the service's name right?")
    if isinstance(error, AuthenticationError):
        return StoreUnavailable(f"{where} {_of_password(str(error))}")
    if isinstance(error, NoPermissionError) or _is_refused_in_script(error):
        return StoreUnavailable(f"{where} {_of_rights(str(error))}")
    for kind, words in _BY_KIND.items():
        if isinstance(error, kind):
            return StoreUnavailable(f"{where} {words}")
    if isinstance(error, ClusterDownError):
        return StoreUnavailable(f"{where}: the cluster is down ({error}); it answers when all slots have a primary")
    if isinstance(error, ResponseError):
        for words, (kind_, means) in _BY_WORDS.items():
            if words in str(error):
                return kind_(f"{where} {means}")
        return StoreUnavailable(f"{where} refuses: {_without_arguments(str(error))}")
    return StoreUnavailable(f"{where} cannot be reached: {error}")


def may_pass(error: RedisError, servers: Servers) -> bool:
    """Is it worth asking all of it once more? The servers are looked for anew, where that may show another one."""
    if isinstance(error, ReadOnlyError):
        with suppress(RedisError):
            servers.renew()
        return True  # the same name may lead to another server by now
    if isinstance(error, ClusterDownError | Unanswered):
        with suppress(RedisError):
            return servers.renew()
        return False
    if isinstance(error, Unconnected) and not isinstance(error, NotTried | AuthenticationError | BusyLoadingError):
        with suppress(RedisError):
            servers.renew()
        return True  # the server may have gone and come back since that connection was made
    return False


def _is_refused_in_script(error: RedisError) -> bool:
    return isinstance(error, ResponseError) and "executing the script" in str(error)


def _without_arguments(said: str) -> str:
    """Of a command that it does not know a server repeats all: keys among them."""
    return said.partition(", with args")[0]


def _of_password(said: str) -> str:
    if "without any password" in said or "no password is set" in said:
        return "has no password, and the address has one: leave it out"
    if "required" in said or "NOAUTH" in said or "already authenticated" in said:
        return "wants a password: write it into the address (redis://USER:PASSWORD@HOST:PORT)"
    return "refuses the user or password in the address"


def _of_rights(said: str) -> str:
    """The command that a user may not run; never the key."""
    command = said.partition("run the '")[2].partition("'")[0]
    if command:
        what = f"the command {command.upper()}"
    elif "this command" in said:
        what = "one of the commands GET, SET, HGET and HSET in a script"
    else:
        what = "the keys under its prefix"
    return f"does not let its user use {what}: give that right with ACL SETUSER (the README has the whole line)"
