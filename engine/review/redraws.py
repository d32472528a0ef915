"""Which live experiences an edit draws anew, why, and how many visitors that moves (DESIGN 4, "Split"). Pure.

What lives here: one reason after the other, each with an exact figure where there is one. What may not: visitors (they
are counted in `moves.py`), what else an edit changes (`edits.py`).

1. An experience that is live on both sides. Whoever starts or stops is not drawn anew, only drawn, or not.
2. What is hashed changes everything: the key of the experience or the segment, the salt, `split_by`. Old and new draw
   have nothing to do with each other, so the figure is the share that is to be expected.
3. A changed share or weight moves whom it must: the draw stays, only the threshold moves. The figure is exact.
4. Who is drawn *where* changes with the order: of audiences (also by one that comes or goes above others, or in place
   of one), and of experiences of one exclusion group that meet on a page. How many that moves, only visitors tell.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from engine.decide.split import DRAWS
from engine.limits import PPM
from engine.review.edits import percent
from engine.review.renames import Renames, variant_renames
from engine.rules.notation import patterns
from engine.words import Audience, Experience, Place, Ruleset

Reason: TypeAlias = Literal[
    "key", "segment key", "salt", "split_by", "control", "weights", "holdout", "audience order", "experience order"
]
NAMED: Final = 3  # pairs of a changed order that are told; more say nothing new

UNITS: Final = {
    frozenset({"visitor", "user"}): "everybody whose user is known",
    frozenset({"visitor", "account"}): "everybody whose account is known",
    frozenset({"user", "account"}): "everybody whose user or account is known",
}


class Redraw(Struct, frozen=True):
    """One reason why a live experience (by its new key) is drawn anew.

    `moved`: the share of the matched visitors who see something else for this reason alone; None where it hangs on
    who they are. `segment` is None where the whole experience is meant.
    """

    experience: str
    segment: str | None
    reason: Reason
    text: str
    moved: float | None
    place: Place


def redraws(old: Ruleset, new: Ruleset, called: Renames) -> Iterator[Redraw]:
    """Every reason, by experience."""
    both = [
        (was, now)
        for key, was in sorted(old.experiences.items())
        if (now := new.experiences.get(called.experience(key))) and was.status == now.status == "live"
    ]
    for was, now in both:
        yield from _whole(was, now)
        yield from _audiences(was, now, called)
    yield from _experience_order(both)


def _whole(old: Experience, new: Experience) -> Iterator[Redraw]:
    """What holds for all audiences of an experience."""
    if old.key != new.key:
        text = f"key `{old.key}` -> `{new.key}`: everybody is drawn anew"
        yield Redraw(new.key, None, "key", text, _moved_whole(old, new), new.place)
    if old.split_by != new.split_by:
        whom = UNITS[frozenset({old.split_by, new.split_by})]
        text = f"split_by {old.split_by} -> {new.split_by}: {whom} is drawn anew"
        yield Redraw(new.key, None, "split_by", text, None, new.place)
    if old.holdout_ppm != new.holdout_ppm:
        share = abs(new.holdout_ppm - old.holdout_ppm)
        way = "out of the experience" if new.holdout_ppm > old.holdout_ppm else "from the holdout into the experience"
        text = f"holdout {percent(old.holdout_ppm)} -> {percent(new.holdout_ppm)}"
        if old.key == new.key and old.split_by == new.split_by:
            text += f": moves {percent(share)} of the matched visitors {way}, nobody else"
        yield Redraw(new.key, None, "holdout", text, share / PPM, new.place)


def _moved_whole(old: Experience, new: Experience) -> float | None:
    """The same for every audience: that is the share of all; else it hangs on who matches which."""
    keys = [audience.segment for audience in new.audiences]
    if len(keys) != len(old.audiences) or old.holdout_ppm or new.holdout_ppm:
        return None
    shares = {anew(was, now) for was, now in zip(old.audiences, new.audiences, strict=True)}
    return float(shares.pop()) if len(shares) == 1 else None


def _audiences(old: Experience, new: Experience, called: Renames) -> Iterator[Redraw]:
    before = {called.segment(audience.segment): audience for audience in old.audiences}
    after = {audience.segment: audience for audience in new.audiences}
    fresh = old.key != new.key or old.split_by != new.split_by
    for key, now in after.items():
        if was := before.get(key):
            yield from _audience(new.key, was, now, fresh=fresh)
    for text, moves_to in _order([*before], [*after]):
        yield Redraw(new.key, moves_to, "audience order", text, None, after[moves_to].place)


def _audience(experience: str, old: Audience, new: Audience, *, fresh: bool) -> Iterator[Redraw]:
    """`fresh`: all are drawn anew for another reason already, so no threshold says how many move."""

    def told(reason: Reason, text: str, moved: Fraction | None) -> Redraw:
        share = None if moved is None else float(moved)
        return Redraw(experience, new.segment, reason, text, share, new.place)

    everybody = f"draws all its matched visitors anew, on average {about(anew(old, new))} of them see something else"
    if old.segment != new.segment:
        yield told("segment key", f"segment `{old.segment}` -> `{new.segment}`: {everybody}", anew(old, new))
        fresh = True
    if old.salt != new.salt:
        yield told("salt", f"salt {_salt(old)} -> {_salt(new)}: {everybody}", anew(old, new))
        fresh = True
    if old.control_ppm != new.control_ppm:
        share = Fraction(abs(new.control_ppm - old.control_ppm), PPM)
        ways = ("control", "personalized")
        way, where = ways if new.control_ppm < old.control_ppm else reversed(ways)
        text = f"control {percent(old.control_ppm)} -> {percent(new.control_ppm)}"
        if not fresh:
            text += f": moves {about(share)} of its matched visitors from {way} to {where}, nobody else"
        yield told("control", text, None if fresh else share)
    share = moved_by_weights(_weights(old, variant_renames(old, new)), _weights(new, {}))
    if share:
        text = f"weights {_weights_text(old)} -> {_weights_text(new)}"
        if not fresh:
            text += f": moves {about(share)} of its personalized visitors to another variant, control stays"
        stay = Fraction(PPM - max(old.control_ppm, new.control_ppm), PPM)
        yield told("weights", text, None if fresh else share * stay)


def _salt(audience: Audience) -> str:
    return f"`{audience.salt}`" if audience.salt else "none"


def anew(old: Audience, new: Audience) -> Fraction:
    """Of matched visitors who are drawn twice, independently: the share that sees something else the second time."""
    called = variant_renames(old, new)
    control = Fraction(old.control_ppm, PPM) * Fraction(new.control_ppm, PPM)
    personalized = Fraction(PPM - old.control_ppm, PPM) * Fraction(PPM - new.control_ppm, PPM)
    after = dict(_weights(new, {}))
    total = sum(after.values()) * sum(variant.weight for variant in old.variants)
    same = sum(weight * after.get(key, 0) for key, weight in _weights(old, called))
    return 1 - control - personalized * Fraction(same, total)


def _weights(audience: Audience, called: dict[str, str]) -> list[tuple[str, int]]:
    return [(called.get(variant.key, variant.key), variant.weight) for variant in audience.variants]


def _weights_text(audience: Audience) -> str:
    return ", ".join(f"{key} {weight}" for key, weight in _weights(audience, {}))


def moved_by_weights(old: Sequence[tuple[str, int]], new: Sequence[tuple[str, int]]) -> Fraction:
    """The share of variant draws that name another variant now; exact, over all 2**32 draws."""
    ends = sorted({*_ends(old), *_ends(new)})
    moved, begin = 0, 0
    for end in ends:
        if end > begin and _at(old, begin) != _at(new, begin):
            moved += end - begin
        begin = end
    return Fraction(moved, DRAWS)


def _ends(weights: Sequence[tuple[str, int]]) -> list[int]:
    """For each variant the first draw that is above it: `draw * total // 2**32 < reached` turned round."""
    total, reached, ends = sum(weight for _, weight in weights), 0, []
    for _, weight in weights:
        reached += weight
        ends.append(-(-reached * DRAWS // total))
    return ends


def _at(weights: Sequence[tuple[str, int]], draw: int) -> str:
    """The variant of a draw."""
    return next(key for (key, _), end in zip(weights, _ends(weights), strict=True) if draw < end)


def _order(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each change of order as a text, with the segment that visitors come to."""
    stayed = [key for key in new if key in old]
    swapped = [(b, a) for a, b in combinations(stayed, 2) if old.index(a) > old.index(b)]
    for loser, winner in swapped[:NAMED]:
        yield f"`{winner}` is above `{loser}` now: who matches both goes from `{loser}` to `{winner}`", winner
    if len(swapped) > NAMED:
        yield f"and {len(swapped) - NAMED} more pairs of audiences changed places", swapped[NAMED][1]
    gone, came = [key for key in old if key not in new], [key for key in new if key not in old]
    for key in came:
        below = [other for other in new[new.index(key) + 1 :] if other in old]
        if below:
            yield f"new audience `{key}` is above {_listed(below)}: who matches it too goes to `{key}`", key
    for key in gone:
        below = [other for other in old[old.index(key) + 1 :] if other in new]
        if below:
            yield f"audience `{key}` above {_listed(below)} is gone: its visitors are drawn there", below[0]
    if gone and came:
        yield f"{_listed(came)} came and {_listed(gone)} went: who matches both is drawn there", came[0]


def _listed(keys: Sequence[str]) -> str:
    more = len(keys) - NAMED
    return ", ".join(f"`{key}`" for key in keys[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _experience_order(both: Sequence[tuple[Experience, Experience]]) -> Iterator[Redraw]:
    """Pairs of one exclusion group on one page of which another one comes first now."""
    moved = [pair for pair in both if _rank(pair[0]) != _rank(pair[1])]
    for was, now in moved:
        for other_was, other_now in both:
            first, then = _first(was, other_was), _first(now, other_now)
            # A pair of two that moved is told once.
            twice = other_now.key < now.key and (other_was, other_now) in moved
            if now.key == other_now.key or twice or first == then or not _meet(now, other_now):
                continue
            yield Redraw(now.key, None, "experience order", _order_text(now, other_now, then=then), None, now.place)


def _rank(experience: Experience) -> tuple[str | None, int]:
    return experience.exclusion_group, experience.priority


def _first(a: Experience, b: Experience) -> bool | None:
    """Of one group: does `a` come before `b`? None where they do not exclude each other."""
    if a.exclusion_group is None or a.exclusion_group != b.exclusion_group:
        return None
    return (-a.priority, a.key) < (-b.priority, b.key)


def _meet(a: Experience, b: Experience) -> bool:
    ours, theirs = ([patterns.compile(page) for page in experience.pages] for experience in (a, b))
    return any(patterns.overlap(one, other) for one in ours for other in theirs)


def _order_text(now: Experience, other: Experience, *, then: bool | None) -> str:
    if then is None:
        return f"`{now.key}` and `{other.key}` no longer exclude each other: who matches both sees both"
    first, second = (now.key, other.key) if then else (other.key, now.key)
    return f"`{first}` is tried before `{second}` now: who matches both sees `{first}` alone"


def about(share: Fraction | float) -> str:
    """A share as people read it: two decimals at most."""
    text = f"{100 * float(share):.2f}".rstrip("0").rstrip(".") + "%"
    return "under 0.01%" if share and text == "0%" else text
