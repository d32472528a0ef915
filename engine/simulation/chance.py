"""Where chance comes from: a `random.Random` with a seed, handed in. What may not live here: a generator.

`uuid` and `share` are all that is made of it here; everybody else asks the generator itself.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Chance(Protocol):
    """As much of `random.Random` as is asked for."""

    def random(self) -> float:
        """From 0 up to, not including, 1."""
        ...

    def choice(self, seq: Sequence[T], /) -> T:
        """Any of them."""
        ...

    def randrange(self, start: int, stop: int, /) -> int:
        """A whole number from `start` up to, not including, `stop`."""
        ...

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""
        ...


def uuid(chance: Chance) -> str:
    """An id as browsers make them (RFC 9562, version 4)."""
    bits = chance.getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
