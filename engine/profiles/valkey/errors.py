"""What may be wrong with a store's servers, beside what redis-py has an error for. Its words are in `failures`."""

from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as Unconnected

from engine.profiles.valkey.address import Server, named


class NoSuchService(Unconnected):
    """The Sentinels that answered know no service of this name."""


class SentinelRefuses(AuthenticationError):
    """A Sentinel's own password is wrong, or lacking; the servers' was not asked for yet."""


class Shifted(RedisError):
    """A slot had another primary than was thought: what was written before may be on a server that is none any more."""


class OfCluster(ResponseError):
    """The server is part of a cluster, and was asked as if it stood alone."""

    def __init__(self, server: Server) -> None:
        super().__init__(f"a key of ours is on {named(server)}")
