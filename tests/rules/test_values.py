"""Expected X, got Y: for each kind of value, what is taken, what is refused, and what is shown instead."""

import pytest

from engine.problems import Problem
from engine.rules.read import read
from engine.rules.yaml.compose import compose
from engine.rules.yaml.source import Source

_CHANGE = (
    "experiences: {{x: {{name: X, pages: [/], audiences: [{{segment: s, variants: [{{key: k, changes: [{}]}}]}}]}}}}"
)


def _problems(text: str) -> list[Problem]:
    source = Source("a.yaml", text)
    composed = compose(source)
    return [*composed.problems, *read(source, composed)[1]]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("insertable: a", "expected a list of texts, got the text `a` - at insertable", 'write insertable: ["a"]'),
        (
            "insertable: {a: b}",
            "expected a list of texts, got a block of keys - at insertable",
            "begin every item with a dash (`- `)",
        ),
        ("insertable: [1]", "expected a text, got the number `1` - at insertable[0]", 'write it in quotes: "1"'),
        ("insertable: [null]", "expected a text, got nothing - at insertable[0]", ""),
        ("insertable: [['a']]", "expected a text, got a list - at insertable[0]", "write one text instead of the list"),
        ("insertable: ['']", "expected a text, got an empty text - at insertable[0]", ""),
        ("segments: [a]", "expected a block of keys, got a list - at segments", "write `key:` instead of the dashes"),
        ("segments: {a: 1}", "expected keys such as `name:`, got the number `1` - at segments.a", ""),
        ("traits: {a: {fold: no}}", "expected `lower`, got the text `no` - at traits.a.fold", ""),
        (
            "traits: {a: {type: strin}}",
            "expected `boolean`, `number`, `string` or `timestamp`, got the text `strin` - at traits.a.type",
            "did you mean `string`?",
        ),
        (
            "traits: {a: {default: []}}",
            "expected a text, a number, true or false, got a list - at traits.a.default",
            "",
        ),
        (
            "conversions: {a: {event: e, window: 7}}",
            "expected a length of time such as 7d, got the number `7` - at conversions.a.window",
            "write 7d",
        ),
        (
            "segments: {a: {name: n, when: 5}}",
            "expected a condition, got the number `5` - at segments.a.when",
            "a condition compares something: `traits.employees == 5`",
        ),
        (
            "segments: {a: {name: n, when: []}}",
            "expected a list of conditions, got an empty one - at segments.a.when",
            "",
        ),
        (
            "segments: {a: {name: n, when: [[x]]}}",
            "YAML misreads this condition: for YAML, a value that begins with `[` is a list",
            "write it in quotes:\n'[x]'",
        ),
    ],
)
def test_messages(text: str, message: str, hint: str) -> None:
    """The sentence and the remedy, whole."""
    assert [(p.message, p.hint) for p in _problems(text)] == [(message, hint)]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("no", "write false"),
        ("yes", "write true"),
        ("On", "write true"),
        ("OFF", "write false"),
        ("'true'", "write true without quotes"),
    ],
)
def test_norway(value: str, hint: str) -> None:
    """Where true or false is wanted, `no`, `yes` and the like are refused with the right word."""
    (problem,) = _problems(_CHANGE.format(f"{{selector: h1, remove: {value}}}"))
    assert problem.message.startswith("expected true or false, got the text")
    assert hint in problem.hint


def test_norway_is_a_country() -> None:
    """Where a text is wanted, `no` is one."""
    assert not _problems("tests: [{name: no, given: {page: {url: u}, geo: {country: no}}, expect: nothing}]")


@pytest.mark.parametrize(
    ("share", "hint"), [("50", "write 50%"), ("0.5", "write 50% (or 0.5%)"), ("12.5", "write 12.5%")]
)
def test_a_share_without_its_sign(share: str, hint: str) -> None:
    """A number where a share is wanted is answered with the share."""
    (problem,) = _problems(_CHANGE.format("").replace("pages", f"holdout: {share}, pages"))
    assert problem.hint == hint


@pytest.mark.parametrize("word", ["true", "false", "True"])
def test_true_is_a_condition(word: str) -> None:
    """`when: true` is a condition for everybody, and no boolean."""
    source = Source("a.yaml", f"segments: {{a: {{name: n, when: {word}}}}}")
    document, problems = read(source, compose(source))
    assert not problems
    assert document.shape.segments["a"].when == word.lower()


@pytest.mark.parametrize(
    ("lines", "column", "right"),
    [
        ('when: traits.title == "employee #1"', 11, "when: 'traits.title == \"employee #1\"'"),
        ("when:\n    - traits.a ? b : c", 7, "- 'traits.a ? b : c'"),
        ('when:\n    - t == "x: y"', 7, "- 't == \"x: y\"'"),
        ("when:\n      t: y", 7, "when: 't: y'"),
        ("when: [f(a, b, c), d]", 12, "'f(a, b, c)'"),
        ("when: {a: 1}", 11, "when: '{a: 1}'"),
    ],
)
def test_conditions_that_yaml_mangles_in_silence(lines: str, column: int, right: str) -> None:
    """Cut at ` #`, read as a block of keys, or split at commas: one problem, with the right line."""
    (problem,) = _problems(f"segments:\n  a:\n    name: n\n    {lines}\n")
    assert problem.code == "mangled-condition"
    assert problem.place.column == column
    assert problem.hint.splitlines()[1] == right


def test_a_condition_split_inside_braces_is_one_problem() -> None:
    """The rest of a split condition is no unknown key."""
    (problem,) = _problems("segments: {a: {name: n, when: f(a, b)}}")
    assert "'f(a, b)'" in problem.hint


@pytest.mark.parametrize("condition", ["traits.a == 1 # why", "'a #1'", "a && # b", "t.exists(x, x == 1)"])
def test_what_only_looks_mangled(condition: str) -> None:
    """Comments behind a complete condition, and commas outside of lists, are nothing."""
    assert not _problems(f"segments:\n  a:\n    name: n\n    when: {condition}\n")


def test_a_selector_that_is_a_comment() -> None:
    """`selector: #cta` holds nothing for YAML; the hint says why."""
    text = _CHANGE.format("\n  {selector: #cta\n  , remove: true}")
    (problem,) = _problems(text)
    assert 'write selector: "#cta"' in problem.hint


@pytest.mark.parametrize(
    ("number", "bad"),
    [
        ("-9223372036854775808", False),
        ("9223372036854775808", True),
        ("1e999", True),
        (".nan", True),
        ("9" * 4000, True),
    ],
)
def test_numbers_of_64_bits(number: str, bad: bool) -> None:
    """Numbers that JSON and 64 bits do not hold are refused."""
    text = f"tests: [{{name: n, given: {{page: {{url: u}}, traits: {{a: [{number}]}}}}, expect: nothing}}]"
    assert [p.code for p in _problems(text)] == ["out-of-range"] * bad


@pytest.mark.parametrize(
    ("weight", "code"),
    [
        ("0", None),
        ("1000000", None),
        ("-1", "out-of-range"),
        ("1000001", "out-of-range"),
        ("1.0", "wrong-type"),
        ("true", "wrong-type"),
    ],
)
def test_whole_numbers_within_bounds(weight: str, code: str | None) -> None:
    """Both bounds are allowed, what is beyond them and what is no whole number is not."""
    text = _CHANGE.format("").replace("key: k", f"key: k, weight: {weight}")
    assert [p.code for p in _problems(text)] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("segments: {a: {name: n, when: [true, 3.5]}}", "`traits.employees == 3.5`"),
        ("conversions: {a: {event: E, where: 3}}", "`properties.seats == 3`"),
    ],
)
def test_a_number_is_no_condition(text: str, hint: str) -> None:
    """The hint compares with it what the condition can ask."""
    (problem,) = _problems(text)
    assert hint in problem.hint


def test_the_bounds_are_named() -> None:
    """A number beyond 64 bits is told where they end."""
    (trait,) = _problems("traits: {x: {default: 99999999999999999999}}")
    assert "to 9223372036854775807, got 99999999999999999999" in trait.message
    (infinite,) = _problems("traits: {x: {default: .inf}}")
    assert "a finite number" in infinite.message


def test_sections_may_be_empty() -> None:
    """A section whose entries are all commented out is no mistake; a block further in is."""
    assert not _problems("segments:\ntests:\n#  - name: x\n")
    assert [p.code for p in _problems("traits:\n  a:\n")] == ["wrong-type"]
