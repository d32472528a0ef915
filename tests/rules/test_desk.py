"""The desk: mistakes become problems at their characters, and references are looked up."""

from collections.abc import Callable

from engine.problems import Problem
from engine.rules.folder import Loaded

SEGMENT = "segments:\n  s:\n    name: S\n    when: {when}\n"
EXPERIENCE = "experiences:\n  e:\n    name: E\n    pages: [/]\n    audiences:"


def only(loaded: Loaded) -> Problem:
    """The one problem there is, but for segments that nobody uses."""
    (problem,) = [problem for problem in loaded.problems if problem.code != "unused-segment"]
    return problem


def test_a_mistake_stands_under_its_characters(loaded: Callable[..., Loaded]) -> None:
    """The caret of a condition's mistake is exact in plain, quoted and block style, and over several lines."""
    for when, place in (
        ("traits.a = 1", (4, 20)),
        ("'traits.a = 1'", (4, 21)),
        ('"traits[\\"a\\"] = 1"', (4, 26)),
        ("|\n      traits.b == 1\n      && traits.a = 1\n", (6, 19)),
        ("\n      - traits.b == 1\n      - traits.a = 1", (6, 18)),
    ):
        problem = only(loaded(SEGMENT.format(when=when)))
        assert (problem.code, problem.place.line, problem.place.column) == ("condition", *place), when
        assert problem.source[problem.place.column - 1] == "="


def test_a_caret_stays_on_its_line(loaded: Callable[..., Loaded]) -> None:
    """A mistake over several lines is underlined on its first."""
    html = "html: |\n            <b {{ traits.x\n            }}>\n"
    change = f"variants:\n      - key: v\n        changes:\n        - selector: a\n          {html}"
    text = f"{EXPERIENCE}\n    - segment: s\n      {change}insertable: [traits.x]\n"
    problem = only(loaded(SEGMENT.format(when="traits.a") + text))
    assert problem.source[problem.place.column - 1 :] == "{{ traits.x"
    assert problem.width == len("{{ traits.x")


def test_references(said: Callable[..., list[str]], loaded: Callable[..., Loaded]) -> None:
    """An unknown key is told with the nearest known one, or with those there are; other files count."""
    use = EXPERIENCE + " [{{segment: {}, variants: [{{key: v, changes: []}}]}}]\n"
    segment = SEGMENT.format(when="traits.a").replace(" s:", " small:")
    assert said(segment, use.format("small")) == []
    assert said(segment, use.format("smal"))[0] == "5:27 unknown-segment unknown segment `smal`"
    assert only(loaded(segment, use.format("smal"))).hint == "did you mean `small`?"
    assert only(loaded(segment, use.format("elephants"))).hint == "known are `small`"


def test_what_stands_in_a_broken_file_is_not_unknown(said: Callable[..., list[str]]) -> None:
    """A segment may stand behind a syntax error; nothing is said of references to words there."""
    use = EXPERIENCE + " [{segment: small, variants: [{key: v, changes: []}]}]\n"
    broken = "segments:\n  other:\n    name: [\n  small:\n    name: S\n    when: traits.a\n"
    assert not any("unknown-segment" in line or "unused" in line for line in said(use, broken))
