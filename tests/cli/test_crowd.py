"""The demo's visitors: as many as wanted, the same every time, acceptable to `import`."""

import pytest

from engine.cli.crowd import NAMED, lines
from engine.profiles.ids import is_visitor_id


@pytest.mark.parametrize("count", [len(NAMED), 100, 3_000])
def test_as_many_as_wanted(count):
    """The named ones first, all different, every id one that the engine takes."""
    ids = [line["visitorId"] for line in lines(count)]
    assert len(set(ids)) == count
    assert ids[: len(NAMED)] == [named.visitor_id for named in NAMED]
    assert all(map(is_visitor_id, ids))


def test_the_same_every_time():
    """What README prints stays true: the crowd does not change from run to run."""
    assert list(lines(500)) == list(lines(500))
    assert list(lines(100)) == list(lines(500))[:100]


def test_as_untidy_as_life():
    """Some numbers come as text and some visitors have no plan, so that declarations have something to do."""
    crowd = [line["traits"] for line in lines(1_000)]
    assert {type(traits["employees"]) for traits in crowd if "employees" in traits} == {int, str}
    assert any("plan" not in traits for traits in crowd)
