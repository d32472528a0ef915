"""What of an answer is ready before its visitor comes."""

from typing import Any

import pytest

from engine.decide import split
from engine.decide.plans import Plan
from engine.decide.tally import Tally
from engine.words import Change

PPM = 1_000_000
SLOT = "traits.company"


def never() -> Any:
    """What slots see is not looked at where there is none."""
    raise AssertionError


@pytest.mark.parametrize("control", [0, 1, PPM // 3, PPM])
def test_in_short_the_same_is_drawn(make: Any, control: int) -> None:
    """Who draws by text and limit comes to the same entry as who asks."""
    experience = make.experience("home", make.audience("s", control=control, salt="x"))
    plan = Plan(experience, make.ruleset(experience), Tally())
    [draw] = plan.draws
    for visitor in map(str, range(100)):
        assigned = plan.assign(0, visitor, never)
        assert assigned is not None
        assert (assigned.variant is None) == split.is_control(control, "home", "s", "x", visitor)
        entry = draw.control if split.drawn(draw.text + visitor.encode()) < draw.limit else draw.personalized
        assert entry == assigned.body


def test_where_more_decides_there_is_no_short_way(make: Any) -> None:
    """A holdout, several variants, slots: None in place of the entry."""
    slots = make.audience("s", make.variant("v", Change(selector="h1", text=(make.slot(SLOT),))))
    several = make.audience("s", make.variant("a"), make.variant("b"))
    for experience in (
        make.experience("home", slots),
        make.experience("home", several),
        make.experience("home", "s", holdout_ppm=1),
    ):
        [draw] = Plan(experience, make.ruleset(experience), Tally()).draws
        assert draw.personalized is None
