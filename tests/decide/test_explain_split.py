"""Law: what is said of a draw is what `split` does with it, and the shown percent lies on the side that decides."""

from decimal import Decimal
from typing import Any

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decide import split
from engine.decide.explain_split import chosen, draws, percent, unit
from engine.limits import PPM
from engine.words import Profile

units = st.integers(0, 10_000).map("visitor-{}".format)


@given(units, st.integers(0, PPM), st.integers(0, PPM), st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any))
def test_draws_are_those_of_the_split(make: Any, id_: str, control: int, holdout: int, weights: list[int]) -> None:
    """Each draw is the hash of the text that is shown, and its result is the split's own."""
    audience = make.audience(
        "s", *(make.variant(f"v{n}", weight=w) for n, w in enumerate(weights)), control=control, salt="x"
    )
    made = tuple(draws(make.experience("e", audience, holdout_ppm=holdout), audience, id_))
    assert all(draw.draw == mmh3.hash(draw.hashed, 0, signed=False) for draw in made)
    results = {draw.role: draw.result for draw in made}
    keys = ("e", "s", "x", id_)
    if holdout:
        assert (results["holdout"] == "held-out") is split.is_held_out(holdout, "e", id_)
    if results.get("holdout") == "held-out":
        assert list(results) == ["holdout"]
        return
    assert (results["split"] == "control") is split.is_control(control, *keys)
    if results["split"] == "personalized":
        assert chosen(audience, made).key == f"v{split.choose(weights, *keys)}"
        assert ("variant" in results) is (len(weights) > 1)
    else:
        assert "variant" not in results


@given(units, st.integers(-2, 2))
def test_the_percent_shown_is_on_the_right_side(make: Any, id_: str, near: int) -> None:
    """Next to a share, too, the percent that is shown is below it exactly where the draw decides so."""
    ppm = split.draw("split", "e", "s", "", id_) * PPM // split.DRAWS + near
    audience = make.audience("s", control=max(0, min(PPM, ppm)))
    [draw] = draws(make.experience("e", audience), audience, id_)
    shown = Decimal(draw.words.partition("%")[0])
    assert (shown < Decimal(audience.control_ppm) / 10_000) is (draw.result == "control")


@pytest.mark.parametrize(
    ("ppm", "words"),
    [(0, "0%"), (1, "0.0001%"), (333_333, "33.3333%"), (500_000, "50%"), (502_000, "50.2%"), (PPM, "100%")],
)
def test_shares_read_as_they_are_written(ppm: int, words: str) -> None:
    """Parts per million as percent with at most four decimals."""
    assert percent(ppm) == words


def test_words_name_both_numbers(make: Any) -> None:
    """The draw, the share, and what follows; of variants the places."""
    audience = make.audience("s", make.variant("a"), make.variant("b", weight=0), make.variant("c", weight=3))
    holdout, group, variant = draws(make.experience("e", audience, holdout_ppm=1), audience, "v1")
    assert holdout.words.endswith("is not below holdout 0.0001%: not held out")
    assert group.words.endswith("is not below control 0%: personalized")
    assert variant.words.endswith(f"of 0 to 3: `{variant.result}` (a 0, b none, c 1 to 3)")


@pytest.mark.parametrize(
    ("split_by", "known", "id_", "fallback"),
    [
        ("visitor", {"user_id": "u"}, "v1", False),
        ("user", {"user_id": "u"}, "u", False),
        ("user", {"account_id": "a"}, "v1", True),
        ("account", {"account_id": "a"}, "a", False),
        ("account", {"account_id": ""}, "v1", True),
    ],
)
def test_the_unit_says_whether_something_stood_in(
    split_by: Any, known: dict[str, str], id_: str, fallback: bool
) -> None:
    """Visitor, user or account; where that is unknown the visitor, and it says so."""
    found = unit(split_by, Profile("v1", **known))
    assert (found.id, found.fallback) == (id_, fallback)
    assert ("not known" in found.words) is fallback
