"""What the errors of a server mean, in the words of a store: what is the matter, with which address, and what to do.

What lives here: those words, and which errors may be over by now. What may not: asking anything but for the servers.

1. Of the three kinds of trouble that a store has (`profiles.store`) most are `StoreUnavailable`: asked again later, it
   may answer. `StoreFull` says that reads go on.
2. A server's own text is shown where it says more than its kind does, and never where it may name a key: keys are
   people.
3. What is the matter comes first and what to do behind a semicolon, so that `doctor` can tell them apart. Certificates
   are looked at only when a connection has failed: TLS does not say which file it means.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import TimeoutError as Unanswered

from engine.profiles.store import StoreError, StoreFull, StoreUnavailable
from engine.profiles.valkey.address import Address
from engine.profiles.valkey.attempts import NotTried
from engine.profiles.valkey.certificates import fault
from engine.profiles.valkey.errors import NoSuchService, OfCluster, SentinelRefuses, Shifted
from engine.profiles.valkey.topology import Servers

_NO_ROOM: Final = (
    "has no room to write: its maxmemory is reached, and its policy evicts nothing (rightly: what is evicted is lost); "
    "raise maxmemory, or give idle anonymous profiles an end with --store-ttl"
)
_READ_ONLY: Final = (
    "is a replica and takes no writes; give the primary's address with --write-store, or that of its Sentinels "
    "(redis+sentinel://…/SERVICE), who know which one that is"
)
_LOADING: Final = "is loading its data after a start; it answers when that is done"
_NO_PRIMARY: Final = "is a replica that has lost its primary, and answers when it has one (replica-serve-stale-data no)"
_IN_CLUSTER: Final = "is part of a cluster: give it as one, redis+cluster://HOST:PORT"
_NO_CLUSTER: Final = "is no cluster: give it as one server, redis://HOST:PORT"
_NO_ROOM_ON_DISK: Final = "cannot write to its own disk, and takes no writes until it can; its own log says why"
_TOO_FEW: Final = (
    "takes no writes, for too few replicas follow it; start them, or let min-replicas-to-write ask for fewer"
)
_GUIDE: Final = "engine/guide/many-nodes.md, Rights,"
_KEYS: Final = "the keys under its prefix"
_MOMENT: Final = "could not be reached a moment ago; it is tried twice a second"
_BY_KIND: Final[Mapping[type[RedisError], str]] = {
    ReadOnlyError: _READ_ONLY,
    BusyLoadingError: _LOADING,
    MasterDownError: _NO_PRIMARY,
    OfCluster: _IN_CLUSTER,
    NotTried: _MOMENT,
    Shifted: "is handing its slots from server to server; the same may be tried again",
    Unanswered: "does not answer",
    InvalidResponse: "is no Redis or Valkey: it answers in another protocol, as a web server does",
}
# By what a server's text begins with, where redis-py has no class for it.
_BY_WORDS: Final[Mapping[str, tuple[Callable[[str], StoreError], str]]] = {
    "MISCONF": (StoreFull, _NO_ROOM_ON_DISK),
    "NOREPLICAS": (StoreUnavailable, _TOO_FEW),
    "This instance has cluster support disabled": (StoreUnavailable, _NO_CLUSTER),
    "ERR This instance has cluster support disabled": (StoreUnavailable, _NO_CLUSTER),
}


def failure(where: object, error: RedisError, address: Address | None = None) -> StoreError:
    """What the server says, in the words of the store; `where` is its address without a password, or its name."""
    address = where if isinstance(where, Address) else address
    if isinstance(error, OutOfMemoryError):
        return StoreFull(f"{where} {_NO_ROOM}")
    if isinstance(error, NoSuchService):
        return StoreUnavailable(f"{where}: {error}; is the service's name right?")
    if isinstance(error, AuthenticationError):
        of_sentinel = isinstance(error, SentinelRefuses)
        return StoreUnavailable(f"{where}{_of_password(str(error), address, of_sentinel=of_sentinel)}")
    if (lacking := lacks(error)) is not None:
        return StoreUnavailable(f"{where} {of_rights([lacking])}")
    for kind, words in _BY_KIND.items():
        if isinstance(error, kind):
            return StoreUnavailable(f"{where} {words}{_of_tls(error, address)}")
    if isinstance(error, ClusterDownError):
        return StoreUnavailable(f"{where}: the cluster is down ({error}); it answers when all slots have a primary")
    if isinstance(error, ResponseError):
        for words, (kind_, means) in _BY_WORDS.items():
            if words in str(error):
                return kind_(f"{where} {means}")
        return StoreUnavailable(f"{where} refuses: {_without_arguments(str(error))}")
    wrong = None if address is None else fault(address.certificates)
    said = f"{error}{_of_tls(error, address)}" if wrong is None else wrong
    return StoreUnavailable(f"{where} cannot be reached: {said}")


def _of_tls(error: RedisError, address: Address | None) -> str:
    """A server without TLS says nothing to a greeting in it, or something that is none."""
    is_deaf = isinstance(error, Unanswered) or "WRONG_VERSION_NUMBER" in str(error)
    return "; does it speak TLS? If not, its address is redis://…" if address and address.tls and is_deaf else ""


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


def lacks(error: Exception) -> str | None:
    """What a user may not use, by an error that says so: a command, or keys; never which key."""
    said = str(error)
    if isinstance(error, NoPermissionError):
        command = said.partition("run the '")[2].partition("'")[0]
        return f"the command {command.upper()}" if command else _KEYS
    if isinstance(error, ResponseError) and "executing the script" in said:
        return "one of the commands GET, SET, HGET and HSET in a script" if "this command" in said else _KEYS
    return None


def of_rights(lacking: Sequence[str]) -> str:
    """That these are lacking, and what to do."""
    return f"does not let its user use {', '.join(lacking)}; give that right with ACL SETUSER ({_GUIDE} has it whole)"


def _without_arguments(said: str) -> str:
    """Of a command that it does not know a server repeats all: keys among them."""
    return said.partition(", with args")[0]


def _of_password(said: str, address: Address | None, *, of_sentinel: bool) -> str:
    who = ": a Sentinel" if of_sentinel else ""
    if "without any password" in said or "no password is set" in said:
        place = "is given sentinel_password" if of_sentinel else "the address has one"
        return f"{who} has no password, and {place}; leave it out"
    if "required" in said or "NOAUTH" in said or "already authenticated" in said:
        how = "?sentinel_password=PASSWORD behind it" if of_sentinel else _with_password(address)
        return f"{who} wants a password; write it into the address ({how})"
    what = "sentinel_user or sentinel_password" if of_sentinel else "user or password"
    return f"{who} refuses the {what} in the address; see which ones it knows (ACL LIST there)"


def _with_password(address: Address | None) -> str:
    """Where a password stands in an address like this one."""
    scheme, _, _ = ("redis" if address is None else str(address)).partition("://")
    where = {"socket": "/PATH", "sentinel": "HOST:PORT/SERVICE"}.get("" if address is None else address.form)
    return f"{scheme}://USER:PASSWORD@{where or 'HOST:PORT'}"
