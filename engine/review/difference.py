"""What one ruleset does otherwise than another: the edits, and what they do to draws (`mutiny-edge diff`). Pure.

What lives here: the joining of `renames`, `edits` and `redraws`, and which experiences an edit reaches. What may not:
visitors (`moves.py`), files, words on a screen.
"""

from msgspec import Struct

from engine.review.edits import Edit, edits
from engine.review.redraws import Redraw, redraws
from engine.review.renames import Renames, renames
from engine.words import Ruleset


class Difference(Struct, frozen=True):
    """`reached`: the keys, as they are now, of experiences that are live on a side and whose answers may differ."""

    edits: tuple[Edit, ...]
    redraws: tuple[Redraw, ...]
    renames: Renames
    reached: frozenset[str]


def difference(old: Ruleset, new: Ruleset) -> Difference:
    """What `new` changes; of a ruleset and itself, nothing."""
    called = renames(old, new)
    found = tuple(edits(old, new, called))
    drawn = sorted(redraws(old, new, called), key=lambda redraw: redraw.experience)  # stable: reasons keep their order
    return Difference(found, tuple(drawn), called, _reached(old, new, called, found))


def _reached(old: Ruleset, new: Ruleset, called: Renames, found: tuple[Edit, ...]) -> frozenset[str]:
    changed = {(edit.kind, edit.key) for edit in found}
    everything = any(kind in {"trait", "insertable"} for kind, _ in changed)
    reached = set()
    for ruleset, names in ((old, called), (new, Renames({}, {}, {}))):
        for key, experience in ruleset.experiences.items():
            segments = {("segment", names.segment(audience.segment)) for audience in experience.audiences}
            touched = ("experience", names.experience(key)) in changed or not changed.isdisjoint(segments)
            if experience.status == "live" and (everything or touched):
                reached.add(names.experience(key))
    return frozenset(reached)
