"""A variant's bytes: made when the ruleset is taken, a visitor only fills slots; beside encoding it all anew."""

from itertools import cycle

import msgspec
import pytest

from engine.cel.scope import ROOTS
from engine.decide.render import personalized
from engine.words import Change, Slot, Variant

SLOT = Slot(("traits", "company"), "small teams", "text")
CHANGES = 4
SLOTS = {"no slot": 0, "one slot": 1, "four slots": 4}
COMPANIES = ("Acme", 'Tom & "Jerry"', "Größenwahn AG", None)


def visitors():
    """The roots of visitors of different companies; of one nothing is known."""
    unknown = ({},) * len(ROOTS)
    known = [({"company": company} if company else {}, *unknown[1:]) for company in COMPANIES]
    return cycle(known)


def text(slot):
    """`Made for {{ traits.company }}`, or the same for everybody."""
    return ("Made for ", SLOT) if slot else ("Made for Acme",)


@pytest.mark.parametrize("slots", SLOTS)
def test_fill(benchmark, slots):
    """One entry of an answer."""
    benchmark.group = "render an entry of four changes"
    changes = tuple(Change(selector=f"#place-{n}", text=text(n < SLOTS[slots])) for n in range(CHANGES))
    entry = personalized("Website", "Small company", Variant("hero", 1, changes))
    following = visitors()
    benchmark(lambda: entry.constant or entry.fill(next(following)))


def test_encode(benchmark):
    """What it would cost to make the JSON for each visitor, without a slot, as fast as JSON can be made."""
    benchmark.group = "render an entry of four changes"
    seen = {"experience": "Website", "audienceSegment": "Small company", "personalized": True}
    changes = [{"selector": f"#place-{n}", "text": "Made for Acme"} for n in range(CHANGES)]
    entry = {
        **seen,
        "variant": "hero",
        "changes": changes,
        "track": {"event": "Mutiny Experience Viewed", "properties": seen},
    }
    encode = msgspec.json.Encoder().encode
    benchmark(lambda: encode(entry))
