"""The three scripts, on a server."""

from hashlib import sha1
from typing import Any

import pytest

from engine.profiles.ids import key
from engine.profiles.valkey import scripts, value
from engine.profiles.valkey.scripts import FOLLOW, RAISE, SWAP, Script


class Direct:
    """Asks the server as its operator; counts the trips."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.trips = 0

    def ask(self, asked: list[Any]) -> list[Any]:
        """One by one, as one trip."""
        self.trips += 1
        return [self._one(command) for _, command in asked]

    def _one(self, command: Any) -> Any:
        try:
            return self._server.ask(*command)
        except Exception as error:  # noqa: BLE001 - an answer
            return error


@pytest.fixture
def direct(valkey_server: Any) -> Direct:
    """An empty server that knows no script."""
    valkey_server.ask("SCRIPT", "FLUSH")
    return Direct(valkey_server)


def called(direct: Direct, script: Script, key_: bytes, *arguments: Any) -> Any:
    """What it says to one call."""
    [answer] = scripts.run(script, [(key_, arguments)], direct)
    return answer


def test_a_server_that_does_not_know_a_script_is_sent_it(direct: Direct) -> None:
    """Once; afterwards its name is enough."""
    assert called(direct, SWAP, b"k", "", b"new") == 1
    assert direct.trips == 2
    assert called(direct, SWAP, b"k", sha1(b"new").hexdigest(), b"newer") == 1
    assert direct.trips == 3
    assert scripts.run(SWAP, [], direct) == []


def test_swap_puts_only_over_what_was_read(direct: Direct, valkey_server: Any) -> None:
    """Nothing, this value, an empty one: whoever read something else is told what is there."""
    assert called(direct, SWAP, b"k", sha1(b"gone").hexdigest(), b"v") is None
    assert called(direct, SWAP, b"k", "", b"v") == 1
    assert called(direct, SWAP, b"k", "", b"other") == b"v"
    assert called(direct, SWAP, b"k", sha1(b"other").hexdigest(), b"other") == b"v"
    assert called(direct, SWAP, b"k", sha1(b"v").hexdigest(), b"", "EX", 100) == 1
    assert 0 < valkey_server.ask("TTL", "k") <= 100
    assert called(direct, SWAP, b"k", sha1(b"").hexdigest(), b"w", "KEEPTTL") == 1
    assert 0 < valkey_server.ask("TTL", "k") <= 100
    assert called(direct, SWAP, b"k", sha1(b"w").hexdigest(), b"x") == 1
    assert valkey_server.ask("TTL", "k") == -1


def test_marks_are_raised_together_or_not_at_all(direct: Direct, valkey_server: Any) -> None:
    """From where they are or less; none falls; what is no number counts as nothing."""
    big = 2**52 + 1
    assert called(direct, RAISE, b"m", "a", 0, 10, "b", 0, 0, "c", 0, big) == 1
    assert valkey_server.ask("HGETALL", "m") == {b"a": b"10", b"b": b"0", b"c": b"%d" % big}
    assert called(direct, RAISE, b"m", "a", 5, 9) == 1
    assert called(direct, RAISE, b"m", "a", 10, 20, "new", 1, 2) == 0
    assert called(direct, RAISE, b"m", "new", 1, 2, "a", 10, 20) == 0
    assert valkey_server.ask("HGET", "m", "a") == b"10"
    valkey_server.ask("HSET", "m", "a", "much")
    assert called(direct, RAISE, b"m", "a", 1, 2) == 0
    assert called(direct, RAISE, b"m", "a", 0, 2) == 1
    assert valkey_server.ask("HGET", "m", "a") == b"2"


def test_follow_goes_along_the_first_of_each_route(direct: Direct, valkey_server: Any) -> None:
    """To the end of the chain, to what is not there, to what leads nowhere; and never for ever."""
    ann, user, circle = key("visitor", "ann"), key("user", "7"), key("visitor", "o")
    of_ann = value.packed(ann, b"1", [user, b"g:x"])
    of_user = value.packed(user, b"2", [b"", b"g:x"])
    in_circle = value.packed(circle, b"3", [circle])
    for key_, raw in ((ann, of_ann), (user, of_user), (circle, in_circle)):
        valkey_server.ask("SET", b"p:" + key_, raw)
    assert called(direct, FOLLOW, b"p:" + ann, b"p:") == [of_ann, of_user]
    assert called(direct, FOLLOW, b"p:" + circle, b"p:") == [in_circle] * 4
    assert called(direct, FOLLOW, b"p:v:nobody", b"p:") in ([], [None])
    valkey_server.ask("DEL", b"p:" + user)
    assert called(direct, FOLLOW, b"p:" + ann, b"p:") in ([of_ann], [of_ann, None])
    valkey_server.ask("SET", b"p:" + ann, b"junk")
    assert called(direct, FOLLOW, b"p:" + ann, b"p:") == [b"junk"]
