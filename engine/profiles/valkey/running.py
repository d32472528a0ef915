"""Who the servers of a shared store are, so that two addresses of one store are known to be that.

A server says a random id of the process that runs (`run_id`), and so does every primary of a cluster; a name, an
address, a user and a socket are only ways to it. One that is not permitted to tell, or keeps it to itself as a managed
service may, is nobody's like.
"""

from redis.exceptions import NoPermissionError

from engine.profiles.valkey.address import Address
from engine.profiles.valkey.once import once
from engine.profiles.valkey.wire import fields


def is_same(one: Address, other: Address) -> bool:
    """Whether both lead to the same database of the same servers, as they are now. Raises StoreError."""
    return one.db == other.db and not running(one).isdisjoint(running(other))


def running(address: Address) -> frozenset[str]:
    """The ids of all primaries; of those that do not tell, none. Raises StoreError."""
    with once(address) as of:
        try:
            ids = [fields(info).get("run_id") for [info] in of.each(("INFO", "server"))]
        except NoPermissionError:
            return frozenset()
    return frozenset(filter(None, ids))
