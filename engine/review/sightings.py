"""What stored visitors have, counted for `check`: names of traits and kinds of values. Pure.

1. Profiles go in one by one, `rules.seen.Seen` comes out. Values are looked at as they are stored, before coercion.
2. Of texts it is counted which `traits:` type would take them; the coercion itself says so.
"""

from collections import Counter, defaultdict
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from engine.decide.coerce import Coercions
from engine.rules.doubts.seen import Seen, SeenTrait
from engine.words import Profile, TraitDeclaration, TraitType

_TYPES: Final[tuple[TraitType, ...]] = ("number", "boolean", "timestamp")
_AS_TYPES: Final = Coercions(TraitDeclaration(kind, kind, None, None) for kind in _TYPES)
_KINDS: Final = {
    str: "string", bool: "boolean", int: "number", float: "number", datetime: "timestamp", list: "list", dict: "map",
}  # fmt: skip


class Sightings:
    """Counts traits and account traits, profile by profile."""

    def __init__(self) -> None:
        self.visitors = 0
        self._kinds: dict[str, dict[str, Counter[str]]] = {"traits": {}, "account": {}}
        self._texts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def add(self, profile: Profile) -> None:
        """Count one visitor."""
        self.visitors += 1
        self._count("traits", profile.traits)
        self._count("account", profile.account)

    def seen(self, whom: str) -> Seen:
        """What was counted so far; `whom` says of whom, as in "none of the 3,000 stored visitors"."""
        roots = {
            root: {
                name: SeenTrait(dict(kinds), dict(self._texts.get((root, name), {}))) for name, kinds in known.items()
            }
            for root, known in self._kinds.items()
        }
        return Seen(whom, roots)

    def _count(self, root: str, values: dict[str, Any]) -> None:
        known = self._kinds[root]
        for name, value in values.items():
            kinds = known.get(name)
            if kinds is None:
                kinds = known[name] = Counter()
            kinds[_KINDS.get(type(value), "map")] += 1
            if type(value) is str:
                self._texts[root, name].update(_types_of(value))


@lru_cache(maxsize=4_096)  # plans, countries and sizes repeat; names and addresses do not, and are none of these
def _types_of(text: str) -> tuple[str, ...]:
    """The types that would take this text."""
    _, unusable = _AS_TYPES.apply(dict.fromkeys(_TYPES, text))
    return tuple(kind for kind in _TYPES if kind not in unusable)
