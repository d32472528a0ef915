"""A shared store asked once, by whoever keeps no connection: `doctor`, `store copy`, `store stats`.

What lives here: opening the way there and closing it, errors in the words of the store. What may not: what is asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from engine.profiles.valkey.address import Address
from engine.profiles.valkey.attempts import Attempts
from engine.profiles.valkey.failures import failure
from engine.profiles.valkey.topology import Session, servers_of, session


@contextmanager
def once(address: Address) -> Iterator[Session]:
    """A session with the servers of this address, and nothing is left open. Raises StoreError."""
    servers = servers_of(address, Attempts())
    try:
        with session(servers) as of:
            yield of
    except RedisError as error:
        raise failure(address, error) from error
    finally:
        servers.close()
