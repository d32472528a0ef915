"""Who is control, who gets which variant, who is held out: DESIGN section 4 "Split".

A public contract. Changing anything here moves visitors between groups; the vectors in
`tests/decide/split_vectors.json` and in the README hold it in place, for every language.

What lives here: the hash and the three questions asked of it. What may not: floats, modulo, memory of any kind.

1. A visitor has one draw per role (`split`, `variant`, `holdout`): an unsigned 32-bit murmur3 hash of
   `role:experience:segment:salt:unit` in UTF-8. Different roles, different hashes: one number used for two
   purposes would make the second depend on the first.
2. Shares are parts per million and are compared as whole numbers against the whole range of the draw, so that
   raising a share only adds visitors and lowering it only takes some away.
3. The holdout belongs to the experience, not to a segment: its draw has an empty segment key and salt.
"""

from collections.abc import Sequence
from typing import Final, Literal

import mmh3

from engine.limits import PPM

Role = Literal["split", "variant", "holdout"]

DRAWS = 2**32  # a draw is below this


def hashed(role: Role, experience: str, segment: str, salt: str, unit: str) -> str:
    """The text whose hash is the draw."""
    return f"{role}:{experience}:{segment}:{salt}:{unit}"


# The draw of such a text in UTF-8: 0 <= draw < 2**32.
drawn: Final = mmh3.mmh3_32_uintdigest


def draw(role: Role, experience: str, segment: str, salt: str, unit: str) -> int:
    """A unit's fixed random number for one role: 0 <= draw < 2**32. Raises UnicodeEncodeError for a lone surrogate."""
    return drawn(hashed(role, experience, segment, salt, unit).encode())


def control_limit(control_ppm: int) -> int:
    """Control are those whose draw is below."""
    return -(-control_ppm * DRAWS // PPM)  # rounded up: whole draws are compared


def is_control(control_ppm: int, experience: str, segment: str, salt: str, unit: str) -> bool:
    """Does this unit belong to the control group of this experience's segment?"""
    return draw("split", experience, segment, salt, unit) < control_limit(control_ppm)


def is_held_out(holdout_ppm: int, experience: str, unit: str) -> bool:
    """Is this unit kept out of the experience altogether?"""
    return draw("holdout", experience, "", "", unit) * PPM < holdout_ppm * DRAWS


def point(total_weight: int, experience: str, segment: str, salt: str, unit: str) -> int:
    """Where the unit's variant draw falls among the weights: 0 <= point < total_weight."""
    return (draw("variant", experience, segment, salt, unit) * total_weight) // DRAWS


def choose(weights: Sequence[int], experience: str, segment: str, salt: str, unit: str) -> int:
    """The index of this unit's variant: the first whose cumulative weight exceeds the scaled draw.

    Raises ValueError where the weights sum to nothing.
    """
    chosen = point(sum(weights), experience, segment, salt, unit)
    reached = 0
    for index, weight in enumerate(weights):
        reached += weight
        if reached > chosen:
            return index
    raise ValueError(f"expected weights that sum to more than 0, got {list(weights)}")
