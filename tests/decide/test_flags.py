"""Law: a flag is what a decision says of one experience; it is made once for all of whom it says the same."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from engine.decide.decider import Decider
from engine.decide.flags import Flag
from engine.words import Decision

VERSION = {"version": "0badcafe"}


def flag(make: Any, decider: Decider, key: str = "site", **asked: Any) -> Flag:
    """The flag of this experience, for a visitor of whom these traits are known."""
    return decider.flags.of(key, make.decide(decider, **asked), make.now)


def test_a_variant_is_its_key(make: Any) -> None:
    """As value and variant; the metadata is what a tracking call says, and the version."""
    decider = make.decider(make.experience("site", make.audience("big", make.variant("hero"))))
    assert flag(make, decider, traits={"big": True}) == Flag(
        key="site",
        reason="TARGETING_MATCH",
        variant="hero",
        value="hero",
        metadata={
            "experience": "Name of site",
            "audienceSegment": "Name of big",
            "personalized": True,
            **VERSION,
        },
    )


def test_no_match_has_no_value(make: Any) -> None:
    """And nothing that could be tracked."""
    decider = make.decider(make.experience("site", "big"))
    assert flag(make, decider) == Flag(key="site", reason="DEFAULT", variant="", metadata=VERSION)


def test_control_says_control(make: Any) -> None:
    """A value like any other, and not personalized."""
    decider = make.decider(make.experience("site", make.audience("big", control=1_000_000)))
    found = flag(make, decider, traits={"big": True})
    assert (found.value, found.variant, found.metadata["personalized"]) == ("control", "control", False)


@pytest.mark.parametrize(
    ("control", "weights", "holdout", "reason"),
    [
        (0, (1,), 0, "TARGETING_MATCH"),
        (0, (1, 0), 0, "TARGETING_MATCH"),
        (0, (1, 1), 0, "SPLIT"),
        (1, (1,), 0, "SPLIT"),
        (1_000_000, (1,), 0, "SPLIT"),
        (0, (1,), 1, "SPLIT"),
    ],
)
def test_a_draw_is_a_split(make: Any, control: int, weights: tuple[int, ...], holdout: int, reason: str) -> None:
    """Whether it is between groups, variants, or who is held out."""
    variants = [make.variant(f"v{number}", weight=weight) for number, weight in enumerate(weights)]
    audience = make.audience("big", *variants, control=control)
    decider = make.decider(make.experience("site", audience, holdout_ppm=holdout))
    assert flag(make, decider, traits={"big": True}).reason == reason


@pytest.mark.parametrize("status", ["draft", "paused"])
def test_what_is_not_live_is_disabled(make: Any, status: str) -> None:
    """Whoever matches."""
    decider = make.decider(make.experience("site", "big", status=status))
    found = flag(make, decider, traits={"big": True})
    assert (found.reason, found.value) == ("DISABLED", None)


@pytest.mark.parametrize(
    ("start_s", "end_s", "reason"), [(0, 1, "TARGETING_MATCH"), (1, 2, "DISABLED"), (-2, 0, "DISABLED")]
)
def test_outside_its_dates_it_is_disabled(make: Any, start_s: int, end_s: int, reason: str) -> None:
    """The start belongs to it, the end does not."""
    dates = {"start": make.now + timedelta(seconds=start_s), "end": make.now + timedelta(seconds=end_s)}
    decider = make.decider(make.experience("site", "big", **dates))
    assert flag(make, decider, traits={"big": True}).reason == reason


def test_degraded_is_said_where_it_is_so(make: Any) -> None:
    """Matched or not."""
    decider = make.decider(make.experience("site", "big"))
    for traits in ({}, {"big": True}):
        decision: Decision = structs.replace(make.decide(decider, traits=traits), degraded=True)
        assert decider.flags.of("site", decision, make.now).metadata["degraded"] is True


def test_an_unknown_experience_is_none(make: Any) -> None:
    """KeyError, for whoever asks to say it in his own words."""
    with pytest.raises(KeyError):
        flag(make, make.decider(), "site")


def test_two_visitors_share_a_flag(make: Any) -> None:
    """Of each there is one; that is all that is remembered."""
    decider = make.decider(make.experience("site", make.audience("big", control=500_000)))
    found = [flag(make, decider, visitor_id=f"v{n}", traits={"big": n % 3 > 0}) for n in range(60)]
    assert len({id(one) for one in found}) == len({one.value for one in found}) == 3
    assert set(map(id, decider.flags.parts())) == set(map(id, found))


def test_a_page_names_what_may_be_seen(make: Any) -> None:
    """What is there, was there or rests, in that order; a draft or what has not begun is nobody's business."""
    day = timedelta(days=1)
    decider = make.decider(
        make.experience("b-live", "big"),
        make.experience("a-paused", "big", status="paused"),
        make.experience("over", "big", end=make.now - day),
        make.experience("to-come", "big", start=make.now + day),
        make.experience("draft", "big", status="draft"),
        make.experience("paused-elsewhere", "big", status="paused", pages=("/else",)),
        make.experience("elsewhere", "big", pages=("/else",)),
    )
    decision = make.decide(decider)
    view = decider.view("https://www.example.com/")
    assert [one.key for one in decider.flags.on_page(view, decision, make.now)] == ["b-live", "over", "a-paused"]
    everywhere = {one.key for one in decider.flags.on_page(decider.anywhere(), decision, make.now)}
    assert everywhere == {"b-live", "over", "a-paused", "elsewhere", "paused-elsewhere"}
