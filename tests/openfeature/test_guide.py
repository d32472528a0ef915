"""What the guide says of OpenFeature is so: names, limits, reasons. Its programs are run by the other tests here."""

from pathlib import Path
from typing import get_args

import re2

from engine import limits
from engine.decide.flags import Reason
from engine.web.ofrep import addresses, context

GUIDE = Path(context.__file__).parents[2] / "guide" / "openfeature.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def test_every_name_of_a_context_is_told() -> None:
    """In the table of what a context says; no others with a point."""
    table = TEXT.partition("## What a context says")[2]
    named = set(re2.findall(r"`([a-z]+\.[a-z_]+|url|referrer)`", table))
    assert named == {name for name, _ in context.MEMBERS.items()}
    assert f"| `{context.HOOKS}` |" in table


def test_every_reason_is_told() -> None:
    """And no other."""
    table = TEXT.partition("## What a flag says")[2].partition("The metadata")[0]
    assert set(get_args(Reason)) == set(re2.findall(r"`([A-Z_]{5,})`", table)) - {"TYPE_MISMATCH"}


def test_figures_and_addresses_are_those_of_the_program() -> None:
    """Whoever changes one changes the guide."""
    assert f"{limits.EVENT_STREAMS} clients a worker" in TEXT
    assert f"1 to {limits.VISITOR_ID_CHARS} of" in TEXT
    assert f"a body of more than {limits.DECIDE_BODY_BYTES // 1024} KiB (413)" in TEXT
    for address in (addresses.ALL, addresses.SINGLE.replace(":path", ""), addresses.CHANGES):
        assert f"{address}`" in TEXT
