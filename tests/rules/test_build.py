"""Documents into a ruleset: segments, goals, traits, what may be shown, and how files come together."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import msgpack

from engine.cel.oracle import truth
from engine.rules.folder import Loaded, load
from engine.words import Ruleset, TraitDeclaration

FILE = """segments:
  small:
    name: Small
    when: [traits.a == 1, traits.b]
    except: traits.c
traits:
  a: {type: number, default: 0}
  b: {type: boolean}
  c: {fold: lower, default: free}
  d: {type: timestamp, default: 2026-01-01T00:00:00Z}
conversions:
  signed-up: {event: Signed Up, where: properties.plan == "pro", window: 2w}
insertable: [traits.x, salesforce.contact.Industry, 'account["plan name"]', traits.x]
experiences:
  e: {name: E, pages: [/], audiences: [{segment: small, variants: [{key: v, changes: []}]}]}
"""


def built(loaded: Loaded) -> Ruleset:
    """The ruleset, which has to be one."""
    assert loaded.ruleset is not None, loaded.problems
    return loaded.ruleset


def test_everything_that_is_written(loaded: Callable[..., Loaded]) -> None:
    """Every block of a file reaches the ruleset."""
    ruleset = built(loaded(FILE))
    segment = ruleset.segments["small"]
    assert [condition.text for condition in segment.when] == ["traits.a == 1", "traits.b"]
    assert truth(segment.excepts[0].checked, {"traits": {"c": True}}) is True
    assert (segment.when[1].place.line, segment.when[1].place.column) == (4, 27)
    goal = ruleset.goals["signed-up"]
    assert (goal.event, goal.window_s, goal.where[0].text) == ("Signed Up", 1_209_600, 'properties.plan == "pro"')
    assert ruleset.traits["a"] == TraitDeclaration("a", "number", 0, None)
    assert ruleset.traits["c"] == TraitDeclaration("c", None, "free", "lower")
    assert ruleset.insertable == ('account["plan name"]', "salesforce.contact.Industry", "traits.x")


def test_a_ruleset_is_plain_data(loaded: Callable[..., Loaded]) -> None:
    """It can be written and read again whole."""
    ruleset = built(loaded(FILE))
    assert msgpack.decode(msgpack.encode(ruleset), type=Ruleset) == ruleset


def test_everything_is_sorted(loaded: Callable[..., Loaded]) -> None:
    """Neither the order of files nor that of keys shows."""
    segments = [
        "segments: {b: {name: B, when: traits.b}}",
        "segments: {c: {name: C, when: traits.c}, a: {name: A, when: traits.a}}",
    ]
    assert list(built(loaded(*segments)).segments) == ["a", "b", "c"]
    assert built(loaded(*segments)).version == built(loaded(*reversed(segments))).version


def test_nothing_but_an_empty_file(loaded: Callable[..., Loaded]) -> None:
    """A folder that says nothing is a ruleset without anything in it."""
    assert built(loaded("# nothing yet\n")).experiences == {}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  small:\n", "  none:\n", "2:3 key no segment can be called `none`"),
        ("  small:\n", "  a/b:\n", "2:3 key `a/b` cannot be the key of a segment"),
        ("traits.a == 1", "traits.a = 1", "4:21 condition "),
        ("except: traits.c", "except: traits.c &&", "5:"),
        ("default: 0", "default: many", "7:30 trait the default of `a` is no number"),
        ("{type: boolean}", "{type: boolean, default: 1}", "8:31 trait the default of `b` is no boolean"),
        ("{type: boolean}", "{type: boolean, default: no}", "8:31 norway `no` is a text here, not false"),
        ("default: 0", "default: no", "7:30 trait the default of `a` is no number"),
        ("{type: boolean}", "{type: boolean, fold: lower}", "8:28 trait only a string has capitals"),
        ("2026-01-01T00:00:00Z", "2026-01-01", "10:33 trait the default of `d` is no timestamp"),
        ("window: 2w", "window: 2 months", "12:74 window `2 months` is no window"),
        ('properties.plan == "pro"', "traits.plan", "12:40 condition "),
        ("[traits.x, ", "[trait.x, ", "13:14 insertable `trait` cannot be shown"),
        ("[traits.x, ", "[traits, ", "13:14 insertable `traits` is everything that is known"),
        ("salesforce.contact.Industry", "salesforce.Industry", "13:24 insertable `salesforce.Industry` is no part of"),
        ("salesforce.contact.Industry", "salesforce.contact", "13:24 insertable `salesforce.contact` is everything"),
        ("[traits.x, ", "[traits.x y, ", "13:22 insertable `traits.x y` is no path"),
    ],
)
def test_what_is_wrong(said: Callable[..., list[str]], old: str, new: str, expected: str) -> None:
    """Every mistake at its place, and no ruleset."""
    lines = [line for line in said(FILE.replace(old, new)) if "unknown-segment" not in line]
    assert lines
    assert lines[0].startswith(expected)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("no", 'write `"no"` for the text, `false` for the boolean'),
        ("On", 'write `"On"` for the text, `true` for the boolean'),
        ('"no"', ""),
        ("nobody", ""),
        ("false", ""),
    ],
)
def test_the_norway_problem(loaded: Callable[..., Loaded], written: str, hint: str) -> None:
    """A default that YAML 1.1 took for a boolean is a text: that is said where nothing says what it should be."""
    found = loaded(f"traits: {{x: {{default: {written}}}, y: {{type: string, default: {written}}}}}").problems
    assert [(p.severity, p.hint) for p in found if p.code == "norway"] == [("warning", hint)] * bool(hint)


def test_no_ruleset_with_an_error(loaded: Callable[..., Loaded]) -> None:
    """One error anywhere, and there is none."""
    assert loaded(FILE.replace("traits.a == 1", "traits.a = 1")).ruleset is None


def test_mistakes_of_every_file(said: Callable[..., list[str]]) -> None:
    """All files are looked at, whatever is wrong with the others."""
    assert (
        len(
            said(
                "segments: {a: {name: A, when: traits.a =}}",
                "segments: {b: {name: B, when: traits.b =}}",
                "insertable: [x]",
            )
        )
        == 3
    )


def test_doubts_can_be_left_out(tmp_path: Path) -> None:
    """Whoever only wants the ruleset gets the same one, without warnings."""
    (tmp_path / "a.yaml").write_text("segments: {s: {name: S, when: traits.a != 1}}", "utf-8")
    with_doubts, without = load(tmp_path), load(tmp_path, doubts=False)
    assert [problem.severity for problem in with_doubts.problems] == ["warning", "warning"]
    assert without.problems == ()
    assert without.ruleset == with_doubts.ruleset
