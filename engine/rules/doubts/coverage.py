"""Audiences that can never win, since those above them in the same experience match whomever they match. Pure.

What lives here: which audience covers which. What may not: proofs (proofs.py), matching (matchers.py), places in files.

1. A segment matches where every `when` is true and no `except` is. So an upper one covers a lower one where "the lower
   one matches, and this `when` of the upper one is not true" is impossible for each `when`, and "the lower one matches,
   and this `except` of the upper one is true" for each `except`: what the upper one leaves out may reach the lower one.
2. One upper audience is looked for first; then, whether all above cover it together.
3. A segment that can never match is covered by all others; that is no news, it is said as such.
4. An upper one that asks for terms of which the lower one knows nothing is passed over; of what remains, up to
   `limits.COVERAGES` pairs are tried.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from engine import limits
from engine.rules.doubts.matchers import Matcher, fails, matches
from engine.rules.doubts.proofs import Background, is_impossible

TOGETHER = 12  # audiences above that are tried together


class Covered(Struct, frozen=True):
    """The audience `lower` is covered by `upper` (`None`: by all above together); `same`: the two match the same."""

    lower: int
    upper: int | None
    same: bool = False


def covers(upper: Matcher, lower: Matcher, background: Background) -> bool:
    """Does the upper one surely match whomever the lower one matches?"""
    if not upper.asked <= lower.terms:
        return False
    claims = matches(lower)
    return all(is_impossible([*claims, *way], background) for way in fails(upper))


def covered(audiences: Sequence[Matcher], background: Background, pairs: Iterator[int]) -> Iterator[Covered]:
    """The audiences of one experience that can never win. `pairs` gives out the pairs that may still be tried."""
    for number, lower in enumerate(audiences):
        above = [i for i in range(number) if audiences[i].asked <= lower.terms and next(pairs, None) is not None]
        upper = next((i for i in above if covers(audiences[i], lower, background)), None)
        if upper is None and not _together(audiences[:number], lower, background, pairs):
            continue
        if not is_impossible(matches(lower), background):
            same = upper is not None and covers(lower, audiences[upper], background)
            yield Covered(number, upper, same)


def _together(above: Sequence[Matcher], lower: Matcher, background: Background, pairs: Iterator[int]) -> bool:
    """Is there nobody whom the lower one matches and none of those above?"""
    near = list(above) if len(above) <= TOGETHER else [one for one in above if one.asked & lower.terms][-TOGETHER:]
    if len(near) < 2 or sum(1 for _ in islice(pairs, len(near))) < len(near):
        return False
    return is_impossible(matches(lower), background, one_of=[fails(one) for one in near])


def budget() -> Iterator[int]:
    """The pairs that are tried in a whole folder."""
    return iter(range(limits.COVERAGES))
