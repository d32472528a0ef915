"""What the tests of this room share: generated conditions and visitors, and short ways to make rule-file words."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from plain import module_at

from engine.cel.parse import parse
from engine.cel.scope import VISIT
from engine.compile.conditions import Verdict, condition
from engine.compile.form import Truth
from engine.compile.normal import normal_form
from engine.words import Audience, Condition, Experience, Place, Segment


@pytest.fixture(scope="session")
def grammar() -> ModuleType:
    """The module with the strategies `conditions` and `visitors()`; with importlib mode it is in no package."""
    return module_at(Path(__file__).with_name("grammar.py"))


def make_condition(text: str, line: int = 12) -> Condition:
    """A condition as the loader makes it."""
    return Condition(text, Place("rules/segments.yaml", line, 11), parse(text))


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], Verdict]:
    """A condition's text, compiled."""
    return lambda text: condition(make_condition(text))


@pytest.fixture(scope="session")
def normal() -> Callable[[str], Truth]:
    """A condition's text in normal form."""
    return lambda text: normal_form(parse(text), VISIT)


@pytest.fixture(scope="session")
def segment_of() -> Callable[..., Segment]:
    """A segment from the texts of its conditions."""

    def make(*when: str, excepts: tuple[str, ...] = (), key: str = "small", line: int = 12) -> Segment:
        conditions = [tuple(make_condition(text, line) for text in texts) for texts in (when, excepts)]
        return Segment(key, key.capitalize(), *conditions, Place("rules/segments.yaml", line, 3))

    return make


@pytest.fixture(scope="session")
def experience_of() -> Callable[..., Experience]:
    """An experience from the keys of its segments."""

    def make(
        key: str, *segments: str, group: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> Experience:
        place = Place("rules/experiences.yaml", 1, 3)
        return Experience(
            key=key,
            name=key,
            pages=(),
            status="live",
            start=start,
            end=end,
            holdout_ppm=0,
            split_by="visitor",
            exclusion_group=group,
            priority=0,
            audiences=tuple(Audience(segment, 500_000, "", (), place) for segment in segments),
            place=place,
        )

    return make


@pytest.fixture(scope="session")
def visitor(grammar: ModuleType) -> Callable[..., tuple[Any, ...]]:
    """The roots of a visitor with these traits."""
    return lambda **traits: (traits, *({} for _ in grammar.ROOTS[1:]), grammar.NOW)
