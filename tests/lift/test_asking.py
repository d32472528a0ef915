"""Where the rules' keys and the events' names meet."""

import msgspec

from engine.lift.asking import control_share, in_order, splits_of
from engine.lift.figures import Figures, Pair


def figures(experience, segment, goal="g"):
    return Figures(experience, segment, goal, 60, None, Pair(), Pair(), 0, None, None)


def test_shares_are_those_of_the_rules(rules):
    """By the names that were sent; of what the rules do not name, nothing is known."""
    ruleset = rules()
    assert control_share(ruleset, "Homepage", "Small company") == 0.5
    assert control_share(ruleset, "Homepage", "Large company") == 0.2
    assert control_share(ruleset, "Homepage", "Gone") is None
    assert control_share(ruleset, "Gone", "Small company") is None


def test_a_name_with_two_shares_has_none(rules):
    """Two segments may be called the same, and be split differently."""
    ruleset = rules()
    small = msgspec.structs.replace(ruleset.segments["small"], name="Large company")
    ruleset = msgspec.structs.replace(ruleset, segments={**ruleset.segments, "small": small})
    assert control_share(ruleset, "Homepage", "Large company") is None


def test_splits_are_by_name(rules):
    """As the events have them."""
    assert splits_of(rules("account")) == {"Homepage": "account"}


def test_the_order_is_that_of_the_rules(rules):
    """Segments as the experience lists them, what the rules do not name last, goals by name."""
    lines = [
        figures("Gone", "A"),
        figures("Homepage", "Large company"),
        figures("Homepage", "Small company", "h"),
        figures("Homepage", "Small company", "g"),
        figures("Homepage", "Gone"),
    ]
    assert [(one.experience, one.segment, one.goal) for one in in_order(lines, rules())] == [
        ("Homepage", "Small company", "g"),
        ("Homepage", "Small company", "h"),
        ("Homepage", "Large company", "g"),
        ("Gone", "A", "g"),
        ("Homepage", "Gone", "g"),
    ]
