"""One audience segment as a function: does it match?

What lives here: `segment`, and the normal form of a segment. What may not: pages, experiences, splits.

1. A segment matches where every `when` is true and no `except` is known to be true; both ways an error is no
   match. So its formula is all-of the T of each `when` and the contrary of the T of each `except`.
2. A segment is compiled when it is first asked: a ruleset of 10,000 loads without compiling one of them, and
   no single step holds the GIL for long.
"""

from collections.abc import Callable
from functools import cached_property

from engine.cel.scope import ROOTS, VISIT
from engine.compile.form import Formula, both, contrary
from engine.compile.loading import file_of
from engine.compile.normal import normal_form
from engine.compile.source import Writer
from engine.words import Segment


def formula(segment: Segment) -> Formula:
    """Where the segment matches."""
    wanted = [normal_form(condition.checked, VISIT).true for condition in segment.when]
    unwanted = [normal_form(condition.checked, VISIT).true for condition in segment.excepts]
    return both(*wanted, *map(contrary, unwanted))


class Matcher:
    """A segment as a function of the roots, in order; `run` is the shorter way to call it."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment

    def __call__(self, *roots: object) -> bool:
        """Does the segment match?"""
        return self.run(*roots)

    @cached_property
    def run(self) -> Callable[..., bool]:
        """The generated function, made when it is first asked for."""
        return Writer(ROOTS, file_of(self.segment.place)).predicate(formula(self.segment))


def segment(segment: Segment) -> Matcher:
    """Compiles a segment, on its first call."""
    return Matcher(segment)
