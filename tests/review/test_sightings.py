"""What was sent, from the catalogue to what `check` asks: names, kinds, what texts could be read as, events."""

import pytest

from engine.profiles.catalogue import Catalogue, Entry, Looked
from engine.review.sightings import readable, seen
from engine.rules.doubts.seen import SeenTrait

FOUND = Catalogue(
    people=Looked(4, 4, 3),
    groups=Looked(1, 1, 1),
    traits=(Entry("n", 3, 1.0, {"string": 2, "number": 1}, {"number": 1}), Entry("old")),
    account=(Entry("seats", 1, 1.0, {"number": 1}),),
    events=(Entry("Signed Up"),),
    damaged=0,
    complete=True,
)


def test_what_was_seen() -> None:
    """Each trait by root and name, with the kinds of its values; events by name."""
    found = seen(FOUND)
    assert found.of("traits", "n") == SeenTrait({"string": 2, "number": 1}, {"number": 1})
    assert found.of("traits", "old") == SeenTrait({}, {})
    assert found.of("account", "seats") == SeenTrait({"number": 1}, {})
    assert found.of("account", "n") is None
    assert found.events == {"Signed Up"}


def test_of_whom() -> None:
    """All records, or how many of them."""
    assert seen(FOUND).whom == "the 5 stored records"
    sampled = Catalogue(Looked(9, 2, 2), Looked(1, 1, 1), (), (), (), 0, complete=True)
    assert seen(sampled).whom == "a sample of 3 of 10 stored records"
    one = Catalogue(Looked(1, 1, 1), Looked(0, 0, 0), (), (), (), 0, complete=True)
    assert seen(one).whom == "the 1 stored record"


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("45", ("number",)),
        ("45 people", ()),
        ("true", ("boolean",)),
        ("2026-01-01T00:00:00Z", ("timestamp",)),
        ("007", ()),
    ],
)
def test_what_a_text_could_be_read_as(text: str, types: tuple[str, ...]) -> None:
    """As a declaration would read it, and by no more."""
    assert readable(text) == types
