"""Experiences: pages, schedule, audiences, variants."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from engine.rules.folder import Loaded

FILE = """segments: {s: {name: S, when: traits.a}, t: {name: T, when: traits.b}}
experiences:
  e:
    name: E
    pages: [/, "https://a.b/**"]
    schedule: {start: 2026-11-01T00:00:00Z, end: 2026-12-01T00:00:00+01:00}
    holdout: 2.5%
    split_by: account
    exclusion_group: g
    priority: 3
    audiences:
      - segment: s
        control: 12.5%
        salt: v1
        variants:
          - {key: v1, weight: 3, changes: []}
          - {key: v2, changes: []}
      - segment: t
        variants:
          - {key: v1, changes: []}
"""


def test_everything_that_is_written(loaded: Callable[..., Loaded]) -> None:
    """Every key reaches the ruleset, shares as parts per million, times in UTC, defaults as DESIGN says."""
    result = loaded(FILE)
    assert result.ruleset is not None, result.problems
    experience = result.ruleset.experiences["e"]
    assert experience.pages == ("/", "https://a.b/**")
    assert (experience.start, experience.end) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 30, 23, tzinfo=UTC),
    )
    assert (experience.holdout_ppm, experience.split_by, experience.exclusion_group, experience.priority) == (
        25_000,
        "account",
        "g",
        3,
    )
    first, second = experience.audiences
    assert (first.segment, first.control_ppm, first.salt, second.control_ppm, second.salt) == (
        "s",
        125_000,
        "v1",
        500_000,
        "",
    )
    assert [(variant.key, variant.weight) for variant in first.variants] == [("v1", 3), ("v2", 1)]
    assert (experience.place.line, second.place.line) == (4, 18)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  e:\n", "  E e:\n", "3:3 key `E e` cannot be the key of an experience"),
        ("[/, ", "[^/a$, ", "5:13 page-pattern a page pattern is no regular expression"),
        ("12-01T00:00:00+01:00", "10-01T00:00:00Z", "6:50 schedule the schedule ends at"),
        ("2026-12-01T00:00:00+01:00", "2026-12-01", "6:50 timestamp the date `2026-12-01` has no time and zone"),
        ("holdout: 2.5%", "holdout: 101%", "7:14 share a share of `101%`"),
        ("12.5%", "12.55555%", "13:18 share the share `12.55555%` has more than four decimals"),
        ("segment: t", "segment: u", "18:18 unknown-segment unknown segment `u`"),
        (
            "segment: t",
            "segment: s",
            "18:18 duplicate-audience `s` already has an audience in this experience, at line 12",
        ),
        ("key: v2", "key: v1", "17:19 duplicate-variant the variant `v1` is already there, at line 16"),
        ("key: v2", "key: v:2", "17:19 key `v:2` cannot be the key of a variant"),
        (
            "key: v2",
            "key: control",
            "17:19 key `control` cannot be the key of a variant: it stands for the control group",
        ),
        ("key: v1, weight: 3", "key: v1, weight: 0", ""),
        (
            "- {key: v1, changes: []}",
            "- {key: v1, weight: 0, changes: []}",
            "20:31 weights the weights of these variants sum to 0",
        ),
    ],
)
def test_what_is_wrong(said: Callable[..., list[str]], old: str, new: str, expected: str) -> None:
    """Every mistake at its place, and nothing else said but of segments that are then unused."""
    lines = [line for line in said(FILE.replace(old, new)) if "unused" not in line]
    assert [line[: len(expected)] for line in lines] == ([expected] if expected else [])


def test_all_at_once(said: Callable[..., list[str]]) -> None:
    """One mistake hides no other."""
    text = (
        FILE.replace("12.5%", "120%")
        .replace("2.5%", "-1%")
        .replace("segment: t", "segment: u")
        .replace("[/, ", "[/a b, ")
    )
    assert len(said(text)) == 4
