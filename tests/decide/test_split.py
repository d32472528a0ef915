"""Law: the split is the published formula, in whole numbers, and moves nobody whom it must not (DESIGN 4 "Split")."""

from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.decide import split

VECTORS: dict[str, list[dict[str, Any]]] = msgspec.json.decode(
    Path(__file__).with_name("split_vectors.json").read_bytes()
)
ROLES: tuple[split.Role, ...] = ("split", "variant", "holdout")
VISITORS = [f"visitor-{number}" for number in range(20_000)]
PPM = 1_000_000

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
shares = st.integers(0, PPM)


def murmur3_x86_32(data: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32, straight from its definition (Austin Appleby, public domain)."""

    def rotated(x: int, by: int) -> int:
        return (x << by | x >> (32 - by)) & 0xFFFFFFFF

    h = seed
    for start in range(0, len(data), 4):
        block = data[start : start + 4]
        k = int.from_bytes(block, "little") * 0xCC9E2D51 & 0xFFFFFFFF
        h ^= rotated(k, 15) * 0x1B873593 & 0xFFFFFFFF
        if len(block) == 4:
            h = (rotated(h, 13) * 5 + 0xE6546B64) & 0xFFFFFFFF
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ h >> 16


def chi_square(pairs: list[tuple[int, int]], cells: int = 8) -> float:
    """How far two series of draws, each cut into 8 equal ranges, are from independence (49 degrees of freedom)."""
    counts = [[0] * cells for _ in range(cells)]
    for a, b in pairs:
        counts[a * cells // split.DRAWS][b * cells // split.DRAWS] += 1
    expected = len(pairs) / cells**2
    return sum((count - expected) ** 2 / expected for row in counts for count in row)


@pytest.mark.parametrize(
    ("text", "seed", "hash_"),
    [("", 0, 0), ("", 1, 0x514E28B7), ("hello", 0, 0x248BFA47), ("Hello, world!", 0, 0xC0363E43)],
)
def test_the_hash_in_this_test_is_murmur3(text: str, seed: int, hash_: int) -> None:
    """The independent implementation gives the values that everybody publishes for murmur3."""
    assert murmur3_x86_32(text.encode(), seed) == hash_


@pytest.mark.parametrize(
    "vector", VECTORS["draws"], ids=lambda v: "{role}:{experience:.12}:{segment:.12}:{salt}:{unit:.8}".format(**v)
)
def test_draws_are_as_published(vector: dict[str, Any]) -> None:
    """Each published draw comes out of the engine, and out of the formula computed with another murmur3."""
    names = [vector[name] for name in ("role", "experience", "segment", "salt", "unit")]
    assert split.draw(*names) == vector["draw"]
    assert murmur3_x86_32(":".join(names).encode()) == vector["draw"]


@pytest.mark.parametrize("vector", VECTORS["groups"])
def test_groups_are_as_published(vector: dict[str, Any]) -> None:
    """Each published group comes out of the engine, also where a draw is exactly at the edge of a share."""
    names = [vector[name] for name in ("experience", "segment", "salt", "unit")]
    assert split.is_control(vector["control_ppm"], *names) is vector["control"]
    assert split.choose(vector["weights"], *names) == vector["variant"]
    assert split.is_held_out(vector["holdout_ppm"], vector["experience"], vector["unit"]) is vector["held_out"]


@given(st.sampled_from(ROLES), texts, texts, texts, texts)
def test_a_draw_is_the_formula(role: split.Role, experience: str, segment: str, salt: str, unit: str) -> None:
    """For any text, the draw is murmur3 over role, experience, segment, salt and unit in UTF-8."""
    formula = f"{role}:{experience}:{segment}:{salt}:{unit}".encode()
    assert split.draw(role, experience, segment, salt, unit) == murmur3_x86_32(formula)


@given(shares, shares, texts)
def test_groups_follow_from_the_draw(control: int, holdout: int, unit: str) -> None:
    """Control and holdout compare the whole draw with the share; the holdout knows no segment and no salt."""
    h = split.draw("split", "e", "s", "x", unit)
    assert split.is_control(control, "e", "s", "x", unit) == (h * PPM < control * 2**32)
    h = split.draw("holdout", "e", "", "", unit)
    assert split.is_held_out(holdout, "e", unit) == (h * PPM < holdout * 2**32)


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=6), texts)
def test_the_variant_is_the_first_that_exceeds_the_point(weights: list[int], unit: str) -> None:
    """The chosen variant's cumulative weight exceeds `(h * total) >> 32`, the one before's does not."""
    assume(sum(weights))
    chosen = split.choose(weights, "e", "s", "", unit)
    point = (split.draw("variant", "e", "s", "", unit) * sum(weights)) >> 32
    assert sum(weights[:chosen]) <= point < sum(weights[: chosen + 1])
    assert weights[chosen] > 0


@pytest.mark.parametrize("weights", [[], [0], [0, 0]])
def test_weights_of_nothing_are_an_error(weights: list[int]) -> None:
    """Weights that sum to nothing choose nobody: that is said, not guessed."""
    with pytest.raises(ValueError, match="sum to more than 0"):
        split.choose(weights, "e", "s", "", "v")


@pytest.mark.parametrize("share", [0, 1_000, 50_000, 333_333, 500_000, 900_000, PPM])
def test_shares_are_met(share: int) -> None:
    """Control and holdout hold their share of 20,000 visitors, within five standard errors."""
    error = 5 * (share * (PPM - share) / len(VISITORS)) ** 0.5
    control = sum(split.is_control(share, "home", "small", "", visitor) for visitor in VISITORS)
    held_out = sum(split.is_held_out(share, "home", visitor) for visitor in VISITORS)
    assert control * PPM / len(VISITORS) == pytest.approx(share, abs=error)
    assert held_out * PPM / len(VISITORS) == pytest.approx(share, abs=error)


def test_weights_are_met() -> None:
    """Variants of weight 1, 2, 5 get 1/8, 2/8, 5/8 of 20,000 visitors, within five standard errors."""
    counts = [0, 0, 0]
    for visitor in VISITORS:
        counts[split.choose([1, 2, 5], "home", "small", "", visitor)] += 1
    for count, share in zip(counts, (1 / 8, 2 / 8, 5 / 8), strict=True):
        assert count == pytest.approx(share * len(VISITORS), abs=5 * (share * (1 - share) * len(VISITORS)) ** 0.5)


@pytest.mark.parametrize(("one", "other"), list(combinations(ROLES, 2)))
def test_the_three_draws_are_independent(one: split.Role, other: split.Role) -> None:
    """What a visitor draws for one role says nothing about another (chi-square: chance passes 106 once in 250,000)."""
    pairs = [(split.draw(one, "home", "", "", v), split.draw(other, "home", "", "", v)) for v in VISITORS]
    assert chi_square(pairs) < 106
    assert chi_square([(a, a) for a, _ in pairs]) > 1_000, "the measure sees dependence where there is some"


@pytest.mark.parametrize(
    "other", [("pricing", "small", ""), ("home", "large", ""), ("home", "small", "v2"), ("pricing", "large", "v2")]
)
def test_other_keys_or_salt_draw_anew(other: tuple[str, str, str]) -> None:
    """Groups of another experience, segment or salt are independent of these."""
    pairs = [(split.draw("split", "home", "small", "", v), split.draw("split", *other, v)) for v in VISITORS]
    assert chi_square(pairs) < 106


@given(shares, shares, texts)
def test_changing_a_share_moves_only_whom_it_must(one: int, other: int, unit: str) -> None:
    """Whoever is control at a share is control at every larger one; the same holds for the holdout."""
    low, high = sorted((one, other))
    assert split.is_control(low, "e", "s", "", unit) <= split.is_control(high, "e", "s", "", unit)
    assert split.is_held_out(low, "e", unit) <= split.is_held_out(high, "e", unit)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=5), st.integers(1, 100), texts)
def test_a_variant_added_at_the_end_only_takes(weights: list[int], added: int, unit: str) -> None:
    """A new last variant moves visitors only down the list, towards itself; nobody moves up."""
    before = split.choose(weights, "e", "s", "", unit)
    assert split.choose([*weights, added], "e", "s", "", unit) >= before


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any), st.text("abc", max_size=3))
def test_the_point_lies_within_the_chosen_variant(weights: list[int], salt: str) -> None:
    """A draw falls onto one of the places that the weights make, and that place is the variant's."""
    keys = ("e", "s", salt, "v1")
    place = split.point(sum(weights), *keys)
    owners = [index for index, weight in enumerate(weights) for _ in range(weight)]
    assert owners[place] == split.choose(weights, *keys)


def test_what_is_hashed_is_the_contract() -> None:
    """Role, experience, segment, salt and unit, with colons between."""
    assert split.hashed("split", "e", "s", "x", "v1") == "split:e:s:x:v1"
