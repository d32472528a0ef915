"""A problem reads the same for people, for programs and for GitHub, and points at its place."""

from hypothesis import given
from hypothesis import strategies as st

from engine.problems import Problem, as_github, as_json, as_text, did_you_mean, errors, in_order, near_or_all, there_are
from engine.words import Place

WRONG = Problem(
    Place("rules/a.yaml", 4, 11),
    "unknown-segment",
    "unknown segment `smal`",
    "did you mean `small`?",
    "  segment: smal",
    4,
)


def at(line: int, column: int, **how) -> Problem:
    """A problem somewhere."""
    return Problem(Place("a.yaml", line, column), "code", "message", **how)


def test_as_people_read_it():
    """The place, what is wrong, the line, a caret under the fault, what would be right."""
    assert as_text(WRONG).splitlines() == [
        "rules/a.yaml:4:11: error: unknown segment `smal` [unknown-segment]",
        "      segment: smal",
        "              ^^^^",
        "    did you mean `small`?",
    ]


def test_the_caret_stands_right_after_tabs():
    """A tab before the fault is a tab before the caret, however wide the terminal makes it."""
    line, caret = as_text(at(1, 3, source="\tx: 1")).splitlines()[1:]
    assert line == "    \tx: 1"
    assert caret == "    \t ^"


def test_without_a_line_there_is_no_caret():
    """Where the line is not known only the place is told."""
    assert as_text(at(1, 1)) == "a.yaml:1:1: error: message [code]"


def test_as_programs_read_it():
    """Plain values under the names that scripts rely on."""
    assert as_json(WRONG) == {
        "file": "rules/a.yaml",
        "line": 4,
        "column": 11,
        "severity": "error",
        "code": "unknown-segment",
        "message": "unknown segment `smal`",
        "hint": "did you mean `small`?",
    }


@given(st.text(), st.text())
def test_nothing_breaks_out_of_an_annotation(message, file):
    """Whatever a message or a file name holds, a GitHub annotation stays one line and keeps its file."""
    annotation = as_github(Problem(Place(file, 1, 2), "code", message))
    head = annotation.partition(",line=1,col=2,title=code::")[0]
    assert "\n" not in annotation
    assert "\r" not in annotation
    assert head.startswith("::error file=")
    assert "," not in head
    assert ":" not in head.removeprefix("::error file=")


def test_in_order_of_place_and_once():
    """Sorted by line and column as numbers; the same said twice of one place is said once."""
    found = in_order([at(10, 1), at(9, 2), at(9, 1), at(10, 1)])
    assert [(p.place.line, p.place.column) for p in found] == [(9, 1), (9, 2), (10, 1)]


def test_only_errors_keep_a_ruleset_out():
    """Warnings are no errors."""
    assert errors([at(1, 1, severity="warning"), WRONG]) == [WRONG]


def test_did_you_mean():
    """The nearest known word, or nothing where none is near."""
    assert did_you_mean("smal-company", ["small-company", "enterprise"]) == "did you mean `small-company`?"
    assert did_you_mean("zebra", ["small-company", "enterprise"]) == ""


def test_there_are():
    """Where no word is near, those that there are; of many the first."""
    assert [there_are(known) for known in ("", "ab", "abcdefgh", "abcdefghi")] == [
        "there is none",
        "there are a, b",
        "there are a, b, c, d, e, f, g, h",
        "there are a, b, c, d, e, f, g, h …",
    ]


def test_near_or_all():
    """The nearest word, else all that there are."""
    assert near_or_all("smal", iter(["small", "large"])) == "did you mean `small`?"
    assert near_or_all("zebra", iter(["small", "large"])) == "there are small, large"
