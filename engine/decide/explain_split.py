"""The draws of a visitor who matched, against their thresholds, in words.

What lives here: saying what `split.py` drew. What may not: drawing in another way.

1. A draw is shown in percent of its whole range, rounded down to four decimals as shares are written. Rounded so, it
   is below the share exactly where the draw itself is: `floor(x) < n` is `x < n` for whole `n`.
2. A draw that cannot change anything (no holdout, one variant) is not made.
"""

from collections.abc import Iterator

from engine.decide import split
from engine.decide.decider import unit_of
from engine.decide.explanation import Draw, Unit
from engine.limits import PPM
from engine.words import Audience, Experience, Profile, SplitBy, Variant


def unit(split_by: SplitBy, profile: Profile) -> Unit:
    """What is drawn for, and whether something else stood in for it."""
    id_ = unit_of(split_by, profile)
    known = {"visitor": profile.visitor_id, "user": profile.user_id, "account": profile.account_id}[split_by]
    if known:
        return Unit(split_by, id_, f"drawn for the {split_by} `{id_}`")
    words = f"split_by is {split_by}, but the visitor's {split_by} is not known: drawn for the visitor `{id_}`"
    return Unit(split_by, id_, words, fallback=True)


def draws(experience: Experience, audience: Audience, id_: str) -> Iterator[Draw]:
    """What was drawn, in order, as far as it was: whoever is held out or control has no variant drawn."""
    if experience.holdout_ppm:
        draw = split.draw("holdout", experience.key, "", "", id_)
        held_out = split.is_held_out(experience.holdout_ppm, experience.key, id_)
        result = "held-out" if held_out else "not-held-out"
        share = f"holdout {percent(experience.holdout_ppm)}"
        words = _compared(draw, share, below=held_out, then="held out" if held_out else "not held out")
        yield Draw("holdout", split.hashed("holdout", experience.key, "", "", id_), draw, result, words)
        if held_out:
            return
    keys = (experience.key, audience.segment, audience.salt, id_)
    draw, control = split.draw("split", *keys), split.is_control(audience.control_ppm, *keys)
    result = "control" if control else "personalized"
    words = _compared(draw, f"control {percent(audience.control_ppm)}", below=control, then=result)
    yield Draw("split", split.hashed("split", *keys), draw, result, words)
    if not control and len(audience.variants) > 1:
        yield _variant(audience, keys)


def chosen(audience: Audience, drawn: tuple[Draw, ...]) -> Variant:
    """The variant of a personalized visitor with these draws."""
    keys = {draw.role: draw.result for draw in drawn}
    wanted = keys.get("variant", audience.variants[0].key)
    return next(variant for variant in audience.variants if variant.key == wanted)


def percent(ppm: int) -> str:
    """Parts per million as rule files write shares: `33.3333%`."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".") + "%"


def _variant(audience: Audience, keys: tuple[str, str, str, str]) -> Draw:
    weights = [variant.weight for variant in audience.variants]
    total = sum(weights)
    key = audience.variants[split.choose(weights, *keys)].key
    words = f"place {split.point(total, *keys):,} of 0 to {total - 1:,}: `{key}` ({_places(audience)})"
    return Draw("variant", split.hashed("variant", *keys), split.draw("variant", *keys), key, words)


def _places(audience: Audience) -> str:
    """Which places each variant has: `trust 0, speed 1 to 3`."""
    parts, reached = [], 0
    for variant in audience.variants:
        first, reached = reached, reached + variant.weight
        if variant.weight == 0:
            parts.append(f"{variant.key} none")
        elif variant.weight == 1:
            parts.append(f"{variant.key} {first:,}")
        else:
            parts.append(f"{variant.key} {first:,} to {reached - 1:,}")
    return ", ".join(parts)


def _compared(draw: int, share: str, *, below: bool, then: str) -> str:
    return f"{percent(draw * PPM // split.DRAWS)} is {'below' if below else 'not below'} {share}: {then}"
