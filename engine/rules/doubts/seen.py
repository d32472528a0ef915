"""What the stored visitors have: names of traits, kinds of values. Pure.

What lives here: the shape of it, and the nearest name to one that nobody has. What may not: visitors, whom
decide/sightings.py counts, and what rules ask (lint_traits.py).
"""

from collections.abc import Mapping

from msgspec import Struct

from engine.problems import did_you_mean
from engine.rules.doubts.demands import Kind
from engine.rules.notation import slots

ROOTS = ("traits", "account")


class SeenTrait(Struct, frozen=True):
    """How many values of each kind there are, and of its texts, how many each `traits:` type would take."""

    kinds: Mapping[Kind, int]
    texts: Mapping[str, int] = {}

    @property
    def values(self) -> int:
        """How many there are."""
        return sum(self.kinds.values())


class Seen(Struct, frozen=True):
    """Everything that was seen, by root and name. `whom`: as in "none of the 3,000 stored visitors"."""

    whom: str
    roots: Mapping[str, Mapping[str, SeenTrait]]

    def of(self, root: str, name: str) -> SeenTrait | None:
        """What was seen of this trait."""
        return self.roots.get(root, {}).get(name)

    def nearest(self, root: str, name: str) -> str:
        """`did you mean `traits.plan`?`, or nothing: the same name in other letters, the same in the other root, one
        that is nearly the same."""
        other = next(one for one in ROOTS if one != root)
        for where in (root, other):
            for known in self.roots.get(where, {}):
                if _plain(known) == _plain(name):
                    return f"did you mean `{slots.shown((where, known))}`?"
        near = did_you_mean(name, self.roots.get(root, {}))
        return f"did you mean `{slots.shown((root, near.split('`')[1]))}`?" if near else ""


def _plain(name: str) -> str:
    """The letters and digits: `Company Name` and `company_name` are `companyname`."""
    return "".join(c for c in name.lower() if c.isalnum())
