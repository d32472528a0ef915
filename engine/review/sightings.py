"""What was ever sent, as `check` needs it: from the catalogue to `rules.doubts.seen.Seen`. Pure.

1. Values were counted as they are stored, before coercion; of texts, which `traits:` type would take them: the
   coercion itself says so (`readable`, which the catalogue is given).
2. A name of which no record is left was sent all the same, so it is seen; it has no kinds.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from engine.decide.coerce import Coercions
from engine.profiles.catalogue import Catalogue, Entry
from engine.rules.doubts.seen import Seen, SeenTrait
from engine.words import TraitDeclaration, TraitType

_TYPES: Final[tuple[TraitType, ...]] = ("number", "boolean", "timestamp")
_AS_TYPES: Final = Coercions(TraitDeclaration(kind, kind, None, None) for kind in _TYPES)


def seen(found: Catalogue) -> Seen:
    """Every trait, account trait and event."""
    roots = {"traits": _traits(found.traits), "account": _traits(found.account)}
    return Seen(_whom(found), roots, frozenset(entry.name for entry in found.events))


@lru_cache(maxsize=4_096)  # plans, countries and sizes repeat; names and addresses do not, and are none of these
def readable(text: str) -> tuple[str, ...]:
    """The types that would take this text."""
    _, unusable = _AS_TYPES.apply(dict.fromkeys(_TYPES, text))
    return tuple(kind for kind in _TYPES if kind not in unusable)


def _traits(entries: Iterable[Entry]) -> dict[str, SeenTrait]:
    return {entry.name: SeenTrait(dict(entry.types), dict(entry.readable)) for entry in entries}


def _whom(found: Catalogue) -> str:
    """As in "none of the 3,000 stored records", or "none of a sample of 20,000 of 61,000 stored records"."""
    records = found.people.records + found.groups.records
    looked = found.people.looked + found.groups.looked
    things = f"{records:,} stored record{'' if records == 1 else 's'}"
    return f"the {things}" if found.is_all else f"a sample of {looked:,} of {things}"
