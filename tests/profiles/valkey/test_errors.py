"""Errors that redis-py has no class for are told apart from those that it has."""

from redis.exceptions import AuthenticationError

from engine.profiles.valkey.errors import OfCluster, SentinelRefuses


def test_who_is_meant_can_be_told() -> None:
    """By the server's name, and by whose password it is."""
    assert str(OfCluster(("::1", 7000))) == "a key of ours is on [::1]:7000"
    assert issubclass(SentinelRefuses, AuthenticationError)
