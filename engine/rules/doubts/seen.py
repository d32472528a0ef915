"""What was ever sent: names of traits, kinds of their values, names of events. Pure.

What lives here: the shape of it, and the nearest name to one that nobody sent. What may not: records, which
profiles/catalogue.py counts, and what rules ask (lint_traits.py).
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from engine.problems import did_you_mean
from engine.rules.doubts.demands import Kind
from engine.rules.notation import slots

ROOTS = ("traits", "account")


class SeenTrait(Struct, frozen=True):
    """How many values of each kind there are, and of its texts, how many each `traits:` type would take.

    None of any kind: it was sent once, and nobody has it now.
    """

    kinds: Mapping[Kind, int]
    texts: Mapping[str, int] = {}

    @property
    def values(self) -> int:
        """How many there are."""
        return sum(self.kinds.values())


class Seen(Struct, frozen=True):
    """Everything that was seen, by root and name. `whom`: as in "none of the 3,000 stored records"."""

    whom: str
    roots: Mapping[str, Mapping[str, SeenTrait]]
    events: frozenset[str] = frozenset()

    def of(self, root: str, name: str) -> SeenTrait | None:
        """What was seen of this trait."""
        return self.roots.get(root, {}).get(name)

    def nearest(self, root: str, name: str) -> str:
        """`did you mean `traits.plan`?`, or nothing: the same name in other letters, the same in the other root, one
        that is nearly the same."""
        other = next(one for one in ROOTS if one != root)
        for where in (root, other):
            known = _alike(name, self.roots.get(where, {}))
            if known is not None:
                return f"did you mean `{slots.shown((where, known))}`?"
        near = did_you_mean(name, self.roots.get(root, {}))
        return f"did you mean `{slots.shown((root, near.split('`')[1]))}`?" if near else ""

    def nearest_event(self, name: str) -> str:
        """`did you mean `Signed Up`?`, or nothing."""
        known = _alike(name, sorted(self.events))
        return f"did you mean `{known}`?" if known is not None else did_you_mean(name, sorted(self.events))


def _alike(name: str, names: Iterable[str]) -> str | None:
    """The first that has the same letters and digits."""
    return next((known for known in names if _plain(known) == _plain(name)), None)


def _plain(name: str) -> str:
    """The letters and digits: `Company Name` and `company_name` are `companyname`."""
    return "".join(c for c in name.lower() if c.isalnum())
